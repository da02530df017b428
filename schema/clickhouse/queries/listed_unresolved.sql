-- How many of these entries are on the list, or were removed from it.
SELECT uniqExact(token_id, insert_id) AS found
FROM unresolved_tokens
WHERE (token_id, insert_id) IN (SELECT toUInt256(item.1), item.2 FROM (SELECT arrayJoin(?) AS item))
  AND removed >= ?
