-- The tables of the embedded warehouse. Hashes and addresses are lower-case 0x text, unknown text is ''.

-- A trade is identified by (transaction_hash, log_index, source_id). Its block is a function of that, and in front of
-- the key it makes every insert an append, where a key that begins with a hash would write all over the file.
CREATE TABLE trades (
    timestamp        INTEGER NOT NULL, -- block time, unix s
    block_number     INTEGER NOT NULL, -- 0 where the source has none
    log_index        INTEGER NOT NULL, -- 0 where the source has none
    transaction_hash TEXT NOT NULL,
    order_hash       TEXT NOT NULL,
    source_id        TEXT NOT NULL, -- '' for chain rows
    exchange         TEXT NOT NULL, -- ctf_v1, neg_risk_v1, ctf_v2, neg_risk_v2, v3
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
    version          INTEGER NOT NULL, -- completeness: 0 token unknown, 1 condition and outcome known, 2 market known
    ingested_at      INTEGER NOT NULL, -- unix ms
    PRIMARY KEY (block_number, log_index, transaction_hash, source_id)
) STRICT, WITHOUT ROWID;

-- Events that were refused, with their bytes.
CREATE TABLE dead_letters (
    source     TEXT NOT NULL,
    position   TEXT NOT NULL,
    stage      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    raw        BLOB NOT NULL,
    first_seen INTEGER NOT NULL, -- unix ms
    PRIMARY KEY (source, position, stage)
) STRICT;

-- Where each source began, and up to where every event of it is in the tables above.
CREATE TABLE checkpoints (
    pipeline  TEXT NOT NULL,
    source    TEXT NOT NULL,
    world     TEXT NOT NULL, -- which chain; a store holds one
    start     TEXT NOT NULL, -- a position, as JSON
    watermark TEXT NOT NULL, -- a position, as JSON
    PRIMARY KEY (pipeline, source)
) STRICT;

-- How many rows were written to each table, so that nobody has to count them.
CREATE TABLE row_counts (
    name TEXT NOT NULL PRIMARY KEY,
    rows INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO row_counts VALUES ('trades', 0), ('dead_letters', 0);
