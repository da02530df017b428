-- Markets, the tokens that they list, and what is left to be resolved.

CREATE TABLE markets (
    id           TEXT NOT NULL PRIMARY KEY, -- Gamma's id
    condition_id TEXT NOT NULL, -- '' until it has one
    question     TEXT NOT NULL,
    slug         TEXT NOT NULL,
    outcomes     TEXT NOT NULL, -- a JSON list of texts, in the order of the tokens
    token_ids    TEXT NOT NULL, -- a JSON list of decimals as text: V1 and V2
    position_ids TEXT NOT NULL, -- a JSON list of decimals as text: protocol v2
    neg_risk     INTEGER NOT NULL,
    event_id     TEXT NOT NULL,
    event_slug   TEXT NOT NULL,
    event_title  TEXT NOT NULL,
    tags         TEXT NOT NULL, -- a JSON list of labels
    created_at   INTEGER, -- unix s, as the next two; null where it is not known
    end_at       INTEGER,
    closed_at    INTEGER,
    active       INTEGER NOT NULL,
    closed       INTEGER NOT NULL,
    volume       TEXT NOT NULL, -- decimal in Gamma's digits, '' unknown
    liquidity    TEXT NOT NULL, -- the same
    raw          BLOB NOT NULL, -- all that Gamma said: gzip of its JSON
    version      INTEGER NOT NULL, -- updated at << 32 | asked for at, unix s
    lasting_hash INTEGER NOT NULL, -- of everything that is not volume, liquidity or raw
    ingested_at  INTEGER NOT NULL -- unix ms
) STRICT;

CREATE INDEX markets_by_condition ON markets (condition_id);

-- Which markets list a token, and where.
CREATE TABLE market_tokens (
    token_id  TEXT NOT NULL, -- decimal
    market_id TEXT NOT NULL,
    PRIMARY KEY (token_id, market_id)
) STRICT, WITHOUT ROWID;

-- The rows whose market may still be found. A combo, a position of module 3, has none: its row is as complete as it
-- can be. By version, too, since a token may have a million rows of which one is poorer than the rest.
CREATE INDEX trades_unresolved ON trades (token_id, version)
WHERE version < 2 AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64);

INSERT INTO row_counts VALUES ('markets', 0);
