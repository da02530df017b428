SELECT token_id
FROM (
    SELECT token_id, version, condition_id
    FROM trades
    ORDER BY block_number DESC, log_index DESC
    LIMIT ?1
)
WHERE version < 2 AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
