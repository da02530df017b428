-- How many rows of a day are not in the other table. In a join, since both tables are looked at in one moment then: what comes in meanwhile
-- is lacking in none.
SELECT count() AS rows
FROM (
    SELECT sipHash128(transaction_hash, log_index, source_id, token_id, timestamp) AS identity
    FROM {from} FINAL
    WHERE _partition_id = ? AND toDate(timestamp) = toDate(?)
) AS here
LEFT ANTI JOIN (
    SELECT sipHash128(transaction_hash, log_index, source_id, token_id, timestamp) AS identity
    FROM {to}
    WHERE _partition_id = ? AND toDate(timestamp) = toDate(?)
) AS there USING (identity)
