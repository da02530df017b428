-- A planted bug: all entries of some tokens are removed, those that nobody has read among them.
INSERT INTO unresolved_tokens (token_id, insert_id, first_time, last_time, version, removed)
SELECT token_id, insert_id, first_time, last_time, 1, 1
FROM unresolved_tokens FINAL
WHERE token_id IN (SELECT toUInt256(arrayJoin(?)))
