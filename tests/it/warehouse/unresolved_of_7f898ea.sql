SELECT token_id
FROM trades FINAL
WHERE token_id IN (
    SELECT token_id
    FROM trades
    WHERE version < 2
      AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
      AND toString(token_id) > ''
)
  AND version < 2
  AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
GROUP BY token_id
ORDER BY toString(token_id)
LIMIT 200
SETTINGS use_skip_indexes_if_final = 0
