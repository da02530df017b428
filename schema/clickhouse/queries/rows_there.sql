-- How many of these rows a reader sees, each at least as complete or new as it was written. The whole key finds them.
WITH sent AS (
    SELECT {sent}, toUInt64({version}) AS sent_version
    FROM (SELECT arrayJoin(?) AS item)
)
SELECT count()
FROM (SELECT {key}, version FROM {table} FINAL WHERE ({found_by}) IN (SELECT {found_by} FROM sent)) AS there
INNER JOIN sent USING ({key})
WHERE version >= sent_version
