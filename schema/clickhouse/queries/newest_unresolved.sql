-- What was listed within the last seconds and not removed since. A removal is later than what it removes, so the index of times
-- hides none.
SELECT token_id, insert_id, toUnixTimestamp(first_row) AS first, toUnixTimestamp(last_row) AS last, is_removed AS removed
FROM (
    SELECT token_id, insert_id, any(first_time) AS first_row, any(last_time) AS last_row, max(removed) AS is_removed,
           max(written_at) AS newest
    FROM unresolved_tokens
    WHERE written_at >= now() - ?
    GROUP BY token_id, insert_id
)
WHERE is_removed = 0
ORDER BY newest DESC
LIMIT ?
