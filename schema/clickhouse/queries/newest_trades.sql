-- The newest rows of the last so many seconds before the newest: parts and granules that end before are not read.
SELECT
    toInt64(toUnixTimestamp(timestamp)) AS at, block_number, log_index, toString(exchange) AS exchange,
    toString(maker_direction) AS maker_direction, toDecimalString(token_amount, 6) AS token_amount,
    toDecimalString(usd_amount, 6) AS usd_amount, price, toString(token_id) AS token_id, outcome, market_id, is_taker_row
FROM trades FINAL
WHERE timestamp >= (
    SELECT toDateTime(greatest(0, toInt64(toUnixTimestamp(max(timestamp))) - ?), 'UTC') FROM trades
)
ORDER BY timestamp DESC, block_number DESC, log_index DESC
LIMIT ?
