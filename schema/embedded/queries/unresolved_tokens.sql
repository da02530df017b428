-- The distinct tokens of the index `trades_unresolved`, each found by one step into it: a token may have many rows.
WITH RECURSIVE tokens (token_id) AS (
    SELECT min(token_id)
    FROM trades
    WHERE token_id > ?1
      AND version < 2 AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
    UNION ALL
    SELECT (
        SELECT min(trades.token_id)
        FROM trades
        WHERE trades.token_id > tokens.token_id
          AND version < 2 AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
    )
    FROM tokens
    WHERE token_id IS NOT NULL
)
SELECT token_id
FROM tokens
WHERE token_id IS NOT NULL
LIMIT ?2
