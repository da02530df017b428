-- The same parameters as insert_trade.sql. A poorer row never wins, and one that says the same is not touched: not even
-- when it came. Of version 2 there are rows with an outcome, written before version 3 meant that.
UPDATE trades SET
    timestamp = ?1,
    order_hash = ?5,
    exchange = ?7,
    token_id = ?8,
    condition_id = ?9,
    market_id = ?10,
    outcome = ?11,
    nonusdc_side = ?12,
    maker = ?13,
    taker = ?14,
    maker_direction = ?15,
    taker_direction = ?16,
    price = ?17,
    usd_amount = ?18,
    token_amount = ?19,
    fee_amount = ?20,
    fee_unit = ?21,
    is_taker_row = ?22,
    version = ?23,
    ingested_at = ?24
WHERE block_number = ?2 AND log_index = ?3 AND transaction_hash = ?4 AND source_id = ?6 AND version <= ?23
  AND NOT (version = ?23 AND outcome <> '' AND ?11 = '')
  AND (timestamp, order_hash, exchange, token_id, condition_id, market_id, outcome, nonusdc_side, maker, taker,
       maker_direction, taker_direction, price, usd_amount, token_amount, fee_amount, fee_unit, is_taker_row, version)
      IS NOT (?1, ?5, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
