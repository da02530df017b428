SELECT EXISTS (SELECT 1 FROM trades WHERE token_id = ?1 AND {is_open})
