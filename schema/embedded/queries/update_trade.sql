-- The same parameters as insert_trade.sql. A poorer row never wins.
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
