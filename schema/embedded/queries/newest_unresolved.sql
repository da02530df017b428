SELECT token_id
FROM (
    SELECT token_id, version, condition_id, outcome
    FROM {table}
    ORDER BY {newest_first}
    LIMIT ?1
)
WHERE {is_open}
