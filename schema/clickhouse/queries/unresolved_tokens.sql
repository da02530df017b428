-- First every token that ever had a poor row, without FINAL: the index by_version passes over the rest. Of these those
-- whose poor row was not replaced by a richer one. A combo, a position of module 3, has no market.
SELECT token_id
FROM trades FINAL
WHERE token_id IN (
    SELECT token_id
    FROM trades
    WHERE version < 2
      AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
      AND toString(token_id) > ?
)
  AND version < 2
  AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
GROUP BY token_id
ORDER BY toString(token_id)
LIMIT ?
