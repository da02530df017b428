-- Every insert into trades that begins from now on is copied, whole rows by their names.
CREATE MATERIALIZED VIEW IF NOT EXISTS trades_migration TO trades_migrating AS
SELECT {columns}
FROM trades
