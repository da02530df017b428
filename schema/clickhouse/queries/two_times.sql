-- Of the tokens of a range: how many rows there are, and how many trades of the chain stand under more than one time. A trade has one
-- token, so that all its rows are in one range, and the key has the token behind the day, so that of each day only that range is read,
-- to whole granules. Without FINAL: rows that it would merge have one time.
SELECT
    sum(count) AS rows, countIf(is_twice) AS trades, minIf(block, is_twice) AS lowest, maxIf(block, is_twice) AS highest
FROM (
    SELECT count() AS count, any(block_number) AS block, any(source_id) = '' AND min(timestamp) < max(timestamp) AS is_twice
    FROM trades
    WHERE token_id BETWEEN toUInt256(?) AND toUInt256(?)
    GROUP BY sipHash128(transaction_hash, log_index, source_id)
)
