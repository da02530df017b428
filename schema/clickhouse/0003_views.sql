-- What to ask. All of it reads FINAL: a row that was written twice, or completed later, is one row.

CREATE VIEW IF NOT EXISTS trades_final AS
SELECT * FROM trades FINAL;

CREATE VIEW IF NOT EXISTS markets_final AS
SELECT * FROM markets FINAL;

-- Every match is emitted at least twice, once for each side. The row of the taker's order stands for all of it.
CREATE VIEW IF NOT EXISTS volume_by_market_day AS
SELECT
    toDate(timestamp) AS day,
    market_id,
    condition_id,
    count() AS trades,
    sum(usd_amount) AS usd_volume,
    sum(token_amount) AS token_volume
FROM trades FINAL
WHERE is_taker_row
GROUP BY day, market_id, condition_id;

-- Of the same rows, by token. A minute without a trade has no candle.
CREATE VIEW IF NOT EXISTS candles_1m AS
SELECT
    toStartOfMinute(timestamp) AS minute,
    token_id,
    argMin(price, (timestamp, block_number, log_index)) AS open,
    max(price) AS high,
    min(price) AS low,
    argMax(price, (timestamp, block_number, log_index)) AS close,
    sum(usd_amount) AS usd_volume,
    sum(token_amount) AS token_volume,
    count() AS trades
FROM trades FINAL
WHERE is_taker_row AND price IS NOT NULL
GROUP BY minute, token_id;
