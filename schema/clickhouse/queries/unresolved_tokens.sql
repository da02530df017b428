-- Rows of the list in its order, removals beside what they remove: whoever asks puts them together. FINAL would read all of it.
SELECT token_id, insert_id, toUnixTimestamp(first_time) AS first, toUnixTimestamp(last_time) AS last, removed
FROM unresolved_tokens
WHERE token_id >= toUInt256(?) AND (token_id > toUInt256(?) OR insert_id > ?)
ORDER BY token_id, insert_id
LIMIT ?
