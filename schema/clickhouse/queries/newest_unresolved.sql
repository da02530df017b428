-- What was listed within the last seconds and not removed since. A removal is later than what it removes, so the index of times
-- hides none.
SELECT token_id, insert_id, toUnixTimestamp(any(first_time)) AS first, toUnixTimestamp(any(last_time)) AS last, max(removed) AS removed
FROM unresolved_tokens
WHERE written_at >= now() - ?
GROUP BY token_id, insert_id
HAVING removed = 0
ORDER BY max(written_at) DESC
LIMIT ?
