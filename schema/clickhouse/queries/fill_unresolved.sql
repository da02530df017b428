-- In front of scan_unresolved.sql.
INSERT INTO unresolved_tokens (token_id, insert_id, first_time, last_time, version, removed)
SELECT token_id, insert_id, first_time, last_time, 0, 0
