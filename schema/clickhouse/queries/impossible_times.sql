-- Trades of the chain from before there was a market, or from the future. Where there are none, no row is read: a partition is a month.
SELECT count() AS rows, count() AS trades, min(block_number) AS lowest, max(block_number) AS highest
FROM trades FINAL
WHERE (timestamp < toDateTime('2020-01-01 00:00:00', 'UTC') OR timestamp > now() + INTERVAL 1 DAY) AND source_id = ''
