-- The rows that may still be completed: those without their market, and those whose market did not name their outcome. A
-- combo, a position of module 3, has no market. The condition is that of queries/is_open.sql, word for word, else the index
-- would not be used.
DROP INDEX trades_unresolved;
CREATE INDEX trades_unresolved ON trades (token_id, version)
WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64);

-- Here the list of what is to be done is that index: it is in one transaction with the rows, so nothing of it can be
-- forgotten and nobody has to prove it.
CREATE VIEW unresolved_tokens AS
SELECT token_id, min(timestamp) AS first_time, max(timestamp) AS last_time, count(*) AS rows
FROM trades
WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
GROUP BY token_id;
