SELECT token_id
FROM (
    SELECT token_id, version, condition_id, outcome
    FROM trades
    ORDER BY block_number DESC, log_index DESC
    LIMIT ?1
)
WHERE {is_open}
