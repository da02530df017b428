-- In front of scan_unresolved.sql.
SELECT token_id, insert_id, toUnixTimestamp(first_time) AS first, toUnixTimestamp(last_time) AS last, count() OVER () AS found
