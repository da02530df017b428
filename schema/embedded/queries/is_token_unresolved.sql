SELECT EXISTS (SELECT 1 FROM {table} WHERE token_id = ?1 AND {is_open})
