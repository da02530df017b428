-- Fills of a subgraph of V1's order book, in the columns of trades. They have no place on chain, and two fills of one order in one
-- transaction are one row there: so they are kept apart from trades, which they could not complete exactly.

CREATE TABLE trades_goldsky (
    timestamp        INTEGER NOT NULL, -- block time, as the subgraph has it, unix s
    block_number     INTEGER NOT NULL, -- 0
    log_index        INTEGER NOT NULL, -- 0
    transaction_hash TEXT NOT NULL,
    order_hash       TEXT NOT NULL,
    source_id        TEXT NOT NULL, -- goldsky: and the id there, which identifies the row
    exchange         TEXT NOT NULL, -- ctf_v1, neg_risk_v1, '' where the row does not tell
    token_id         TEXT NOT NULL, -- decimal, up to 78 digits
    condition_id     TEXT NOT NULL,
    market_id        TEXT NOT NULL, -- Gamma's id
    outcome          TEXT NOT NULL,
    nonusdc_side     TEXT NOT NULL, -- token1, token2, ... as listed by the market
    maker            TEXT NOT NULL,
    taker            TEXT NOT NULL,
    maker_direction  TEXT NOT NULL, -- BUY, SELL
    taker_direction  TEXT NOT NULL,
    price            REAL, -- usd a share; null where no share moved
    usd_amount       TEXT NOT NULL, -- decimal, 6 places, exact
    token_amount     TEXT NOT NULL, -- decimal, 6 places, exact
    fee_amount       TEXT NOT NULL, -- decimal, 6 places, exact
    fee_unit         TEXT NOT NULL, -- usd, shares
    is_taker_row     INTEGER NOT NULL, -- 1: count this row for volume
    version          INTEGER NOT NULL, -- completeness: 0 token unknown, 1 condition known, 2 market known, 3 market and outcome known
    ingested_at      INTEGER NOT NULL, -- unix ms
    PRIMARY KEY (timestamp, source_id)
) STRICT, WITHOUT ROWID;

INSERT INTO row_counts VALUES ('trades_goldsky', 0);

CREATE TRIGGER trades_goldsky_deleted AFTER DELETE ON trades_goldsky BEGIN
    UPDATE row_counts SET rows = rows - 1 WHERE name = 'trades_goldsky';
END;

-- As trades_unresolved.
CREATE INDEX trades_goldsky_unresolved ON trades_goldsky (token_id, version)
WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64);

DROP VIEW unresolved_tokens;
CREATE VIEW unresolved_tokens AS
SELECT token_id, min(timestamp) AS first_time, max(timestamp) AS last_time, count(*) AS rows
FROM (
    SELECT token_id, timestamp FROM trades
    WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
    UNION ALL
    SELECT token_id, timestamp FROM trades_goldsky
    WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
)
GROUP BY token_id;

-- Both, of each second what the chain has of it where it has anything.
CREATE VIEW trades_all AS
SELECT * FROM trades
UNION ALL
SELECT * FROM trades_goldsky
WHERE timestamp NOT IN (SELECT timestamp FROM trades WHERE exchange IN ('ctf_v1', 'neg_risk_v1'));
