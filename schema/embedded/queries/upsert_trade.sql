INSERT INTO trades VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24
)
ON CONFLICT (transaction_hash, log_index, source_id) DO UPDATE SET
    timestamp = excluded.timestamp,
    block_number = excluded.block_number,
    order_hash = excluded.order_hash,
    exchange = excluded.exchange,
    token_id = excluded.token_id,
    condition_id = excluded.condition_id,
    market_id = excluded.market_id,
    outcome = excluded.outcome,
    nonusdc_side = excluded.nonusdc_side,
    maker = excluded.maker,
    taker = excluded.taker,
    maker_direction = excluded.maker_direction,
    taker_direction = excluded.taker_direction,
    price = excluded.price,
    usd_amount = excluded.usd_amount,
    token_amount = excluded.token_amount,
    fee_amount = excluded.fee_amount,
    fee_unit = excluded.fee_unit,
    is_taker_row = excluded.is_taker_row,
    version = excluded.version,
    ingested_at = excluded.ingested_at
WHERE excluded.version >= trades.version
