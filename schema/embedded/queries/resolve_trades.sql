-- A bounded number of rows a call, found by the index `trades_unresolved`.
UPDATE trades SET
    condition_id = ?2,
    market_id = ?3,
    outcome = ?4,
    nonusdc_side = ?5,
    version = ?6,
    ingested_at = ?7
FROM (
    SELECT block_number, log_index, transaction_hash, source_id
    FROM trades
    WHERE token_id = ?1
      AND {is_open}
      AND version < ?6
    LIMIT ?8
) AS poorer
WHERE trades.block_number = poorer.block_number
  AND trades.log_index = poorer.log_index
  AND trades.transaction_hash = poorer.transaction_hash
  AND trades.source_id = poorer.source_id
