-- How many of these dead letters a reader sees.
SELECT count()
FROM dead_letters FINAL
WHERE (source, position, stage) IN (
    SELECT item.1, item.2, item.3
    FROM (SELECT arrayJoin(?) AS item)
)
