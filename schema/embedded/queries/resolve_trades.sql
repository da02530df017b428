-- A bounded number of rows a call, found by the index `{table}_unresolved`.
UPDATE {table} SET
    condition_id = ?2,
    market_id = ?3,
    outcome = ?4,
    nonusdc_side = ?5,
    version = ?6,
    ingested_at = ?7,
    outcome_slot = coalesce(outcome_slot, ?9)
FROM (
    SELECT {key}
    FROM {table}
    WHERE token_id = ?1
      AND {is_open}
      AND version < ?6
    LIMIT ?8
) AS poorer
WHERE {is_poorer}
