-- The distinct tokens of the index `{table}_unresolved`, each found by one step into it: a token may have many rows.
WITH RECURSIVE tokens (token_id) AS (
    SELECT min(token_id)
    FROM {table}
    WHERE token_id > ?1 AND {is_open}
    UNION ALL
    SELECT (
        SELECT min({table}.token_id)
        FROM {table}
        WHERE {table}.token_id > tokens.token_id AND {is_open}
    )
    FROM tokens
    WHERE token_id IS NOT NULL
)
SELECT token_id
FROM tokens
WHERE token_id IS NOT NULL
LIMIT ?2
