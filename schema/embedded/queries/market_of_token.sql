-- First the market of the condition that the token itself names, ?2. Ids are decimals of different lengths.
SELECT id, condition_id, outcomes, token_ids, position_ids
FROM market_tokens JOIN markets ON id = market_id
WHERE token_id = ?1
ORDER BY condition_id = ?2 DESC, length(id), id
LIMIT 1
