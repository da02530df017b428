-- Which partitions of tables of trades there are, and how many seconds ago each was compared with the list; -1 never. Those of trades
-- are known by their ids, and all others with their table in front. The partition '' stands for the list as a whole.
SELECT partition, if(scanned.version = 0, -1, toInt64(now()) - toInt64(scanned.scanned_at)) AS age
FROM (
    SELECT DISTINCT if(table = 'trades', '', concat(table, ' ')) || partition_id AS partition
    FROM system.parts
    WHERE database = currentDatabase() AND table IN ? AND active
    UNION ALL
    SELECT ''
) AS parts
LEFT JOIN (SELECT * FROM unresolved_scans FINAL) AS scanned USING (partition)
ORDER BY age = -1 DESC, age DESC, partition
