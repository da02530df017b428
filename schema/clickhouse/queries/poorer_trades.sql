-- The rows of entries_rows.sql that know less than `known` does. It stands behind a SELECT.
FROM (SELECT * {entries_rows}) AS poor
INNER JOIN (
    SELECT toUInt256(item.1) AS token_id, item.2 AS condition_id, item.3 AS market_id, item.4 AS outcome,
           item.5 AS nonusdc_side, toUInt8(item.6) AS version, toUInt8OrNull(item.7) AS outcome_slot
    FROM (SELECT arrayJoin(?) AS item)
) AS known ON poor.token_id = known.token_id
WHERE poor.version < known.version
