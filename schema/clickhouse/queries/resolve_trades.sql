-- In front of poorer_trades.sql: the same rows, richer.
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
