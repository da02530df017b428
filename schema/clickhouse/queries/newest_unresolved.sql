-- The rows of newest_trades.sql, and of each whether its market may still be found.
SELECT token_id, version < 2 AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64) AS is_open
FROM trades FINAL
WHERE timestamp >= (
    SELECT toDateTime(greatest(0, toInt64(toUnixTimestamp(max(timestamp))) - ?), 'UTC') FROM trades
)
ORDER BY timestamp DESC, block_number DESC, log_index DESC
LIMIT ?
