-- In front of poorer_trades.sql: the same rows, richer.
INSERT INTO {table} ({columns})
SELECT {values}
