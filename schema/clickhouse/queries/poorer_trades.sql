-- The rows of some tokens that know less than `known` does. It stands behind a SELECT.
FROM trades AS poor FINAL
INNER JOIN (
    SELECT toUInt256(item.1) AS token_id, item.2 AS condition_id, item.3 AS market_id, item.4 AS outcome,
           item.5 AS nonusdc_side, toUInt8(item.6) AS version
    FROM (SELECT arrayJoin(?) AS item)
) AS known ON poor.token_id = known.token_id
WHERE poor.token_id IN (SELECT toUInt256(arrayJoin(?)))
  AND poor.version < 2
  AND NOT (startsWith(poor.condition_id, '0x03') AND length(poor.condition_id) = 64)
  AND poor.version < known.version
