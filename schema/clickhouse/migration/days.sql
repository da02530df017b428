-- What a month of a table is made of, day by day. The sum is modulo 2^64.
SELECT toUInt16(toDate(timestamp)) AS day, count() AS rows, sum(sipHash64(transaction_hash, log_index, source_id, token_id, timestamp)) AS identities
FROM {table} FINAL
WHERE _partition_id = ?
GROUP BY day
ORDER BY day
