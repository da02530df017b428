-- How many of these rows a reader sees, at least as complete as they were written. The whole key finds them.
SELECT count()
FROM trades FINAL
WHERE (token_id, timestamp, transaction_hash, log_index, source_id) IN (
    SELECT toUInt256(item.1), toDateTime(item.2, 'UTC'), item.3, toUInt32(item.4), item.5
    FROM (SELECT arrayJoin(?) AS item)
)
  AND version >= ?
