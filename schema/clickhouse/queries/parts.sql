-- What the tables are made of, by partition. `state` changes with every part that comes or goes.
SELECT table, partition_id, count() AS parts, sum(rows) AS rows, max(has_lightweight_delete) AS has_deletes,
       groupBitXor(cityHash64(name)) AS state
FROM system.parts
WHERE database = currentDatabase() AND table IN ? AND active
GROUP BY table, partition_id
