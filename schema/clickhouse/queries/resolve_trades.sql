-- The rows of entries_rows.sql, richer.
INSERT INTO trades (
    timestamp, block_number, log_index, transaction_hash, order_hash, source_id, exchange, token_id, condition_id,
    market_id, outcome, nonusdc_side, maker, taker, maker_direction, taker_direction, price, usd_amount, token_amount,
    fee_amount, fee_unit, is_taker_row, version, ingested_at
)
SELECT
    poor.timestamp, poor.block_number, poor.log_index, poor.transaction_hash, poor.order_hash, poor.source_id,
    poor.exchange, poor.token_id, known.condition_id, known.market_id, known.outcome, known.nonusdc_side, poor.maker,
    poor.taker, poor.maker_direction, poor.taker_direction, poor.price, poor.usd_amount, poor.token_amount,
    poor.fee_amount, poor.fee_unit, poor.is_taker_row, known.version, fromUnixTimestamp64Milli(toInt64(?), 'UTC')
FROM (SELECT * {entries_rows}) AS poor
INNER JOIN (
    SELECT toUInt256(item.1) AS token_id, item.2 AS condition_id, item.3 AS market_id, item.4 AS outcome,
           item.5 AS nonusdc_side, toUInt8(item.6) AS version
    FROM (SELECT arrayJoin(?) AS item)
) AS known ON poor.token_id = known.token_id
WHERE poor.version < known.version
