SELECT trades.timestamp, block_number, log_index, exchange, maker_direction, token_amount, usd_amount, price, token_id,
       outcome, is_taker_row, coalesce(question, '') AS question
FROM (SELECT * FROM trades ORDER BY block_number DESC, log_index DESC LIMIT ?1) AS trades
LEFT JOIN markets ON markets.id = market_id AND market_id <> ''
ORDER BY block_number DESC, log_index DESC
