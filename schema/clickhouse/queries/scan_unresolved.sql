-- Tokens of a partition with rows that may still be completed and are not on the list, in two steps: first without FINAL the tokens
-- that ever had such a row (ever_open.sql, left out for a token alone), and of these those whose row was not replaced by a richer
-- one. Rows that came within the last seconds are left out, since their entries may be on the way. The list is read before the
-- rows are.
SELECT token_id, ? AS insert_id, min(timestamp) AS first_time, max(timestamp) AS last_time
FROM {table} FINAL
WHERE _partition_id = ? AND token_id BETWEEN toUInt256(?) AND toUInt256(?)
  AND timestamp BETWEEN toDateTime(?, 'UTC') AND toDateTime(?, 'UTC')
  {ever_open}
  AND {is_open}
  AND ingested_at < now64(3) - toIntervalSecond(?)
  AND (token_id, toDate(timestamp)) NOT IN (
      SELECT token_id, toDate(arrayJoin(range(toUInt16(toDate(first_time)), toUInt16(toDate(last_time)) + 1)))
      FROM unresolved_tokens FINAL
      -- Said once more, since releases of before 2024 leave removed rows in what FINAL reads of a single part.
      WHERE token_id BETWEEN toUInt256(?) AND toUInt256(?) AND removed = 0
  )
GROUP BY token_id
