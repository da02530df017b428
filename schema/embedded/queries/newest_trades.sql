SELECT timestamp, block_number, log_index, exchange, maker_direction, token_amount, usd_amount, price, token_id, outcome,
       is_taker_row
FROM trades
ORDER BY block_number DESC, log_index DESC
LIMIT ?1
