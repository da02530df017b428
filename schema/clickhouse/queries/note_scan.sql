INSERT INTO unresolved_scans (partition, found, version)
SELECT ? AS key_partition, ?, greatest(max(version) + 1, toUInt64(toUnixTimestamp64Milli(now64(3))))
FROM unresolved_scans
WHERE partition = key_partition
