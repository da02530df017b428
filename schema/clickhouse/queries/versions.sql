-- What the next version of a row is made of: the highest that is there, and the clock in milliseconds.
SELECT max(version) AS highest, toUInt64(toUnixTimestamp64Milli(now64(3))) AS now
FROM {table}
WHERE pipeline = ? AND {key} = ?
