INSERT INTO unresolved_scans (partition, found, version)
SELECT ? AS key_partition, ?, max(version) + 1
FROM unresolved_scans
WHERE partition = key_partition
