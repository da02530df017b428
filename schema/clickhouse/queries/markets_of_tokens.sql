-- Markets that list one of the tokens, or did once.
SELECT id, condition_id, outcomes, token_ids, position_ids
FROM markets FINAL
WHERE id IN (SELECT market_id FROM market_tokens WHERE token_id IN (SELECT toUInt256(arrayJoin(?))))
