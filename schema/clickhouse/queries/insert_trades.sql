INSERT INTO trades (
    timestamp, block_number, log_index, transaction_hash, order_hash, source_id, exchange, token_id, condition_id,
    market_id, outcome, nonusdc_side, maker, taker, maker_direction, taker_direction, price, usd_amount, token_amount,
    fee_amount, fee_unit, is_taker_row, version, ingested_at
) FORMAT RowBinary
