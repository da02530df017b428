-- The rows in the days of some entries that may still be completed. It stands behind a SELECT. The key of a table of trades begins with the
-- day and the token, or in an older one with the token and the time, so nothing else is read.
FROM {table} FINAL
WHERE (token_id, toDate(timestamp)) IN (SELECT toUInt256(item.1), toDate(item.2) FROM (SELECT arrayJoin(?) AS item))
  AND {is_open}
