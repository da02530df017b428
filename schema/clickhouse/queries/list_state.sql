-- Which partitions of trades there are, and how many seconds ago each was compared with the list; -1 never. The partition '' stands
-- for the list as a whole.
SELECT partition, if(scanned.version = 0, -1, toInt64(now()) - toInt64(scanned.scanned_at)) AS age
FROM (
    SELECT DISTINCT partition_id AS partition
    FROM system.parts
    WHERE database = currentDatabase() AND table = 'trades' AND active
    UNION ALL
    SELECT ''
) AS parts
LEFT JOIN (SELECT * FROM unresolved_scans FINAL) AS scanned USING (partition)
ORDER BY age = -1 DESC, age DESC, partition
