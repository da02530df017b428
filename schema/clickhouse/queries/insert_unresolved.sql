INSERT INTO unresolved_tokens (token_id, insert_id, first_time, last_time, version, removed) FORMAT RowBinary
