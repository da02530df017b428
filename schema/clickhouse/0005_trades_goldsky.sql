-- Fills of a subgraph of V1's order book, in the columns of trades. They have no place on chain, and two fills of one order in one
-- transaction are one row there: so they are kept apart from trades, which they could not complete exactly.

CREATE TABLE IF NOT EXISTS trades_goldsky (
    timestamp        DateTime('UTC')        COMMENT 'block time, as the subgraph has it',
    block_number     UInt64                 COMMENT '0',
    log_index        UInt32                 COMMENT '0',
    transaction_hash String,
    order_hash       String,
    source_id        String                 COMMENT 'goldsky: and the id there, which identifies the row',
    exchange         LowCardinality(String) COMMENT 'ctf_v1, neg_risk_v1, empty where the row does not tell',
    token_id         UInt256,
    condition_id     String,
    market_id        String                 COMMENT 'the id at Gamma',
    outcome          String,
    nonusdc_side     LowCardinality(String) COMMENT 'token1, token2, ... as listed by the market',
    maker            String,
    taker            String,
    maker_direction  LowCardinality(String) COMMENT 'BUY, SELL',
    taker_direction  LowCardinality(String),
    price            Nullable(Float64)      COMMENT 'usd a share, null where no share moved',
    usd_amount       Decimal(38, 6),
    token_amount     Decimal(38, 6),
    fee_amount       Decimal(38, 6),
    fee_unit         LowCardinality(String) COMMENT 'usd, shares',
    is_taker_row     Bool                   COMMENT 'count this row for volume',
    version          UInt8                  COMMENT 'completeness: 0 token unknown, 1 condition known, 2 market known, 3 market and outcome known',
    ingested_at      DateTime64(3, 'UTC'),
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_version version TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (token_id, timestamp, transaction_hash, log_index, source_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Both, of each second what the chain has of it where it has anything. The seconds of the chain are looked at only where
-- trades_goldsky has rows before and behind them.
CREATE VIEW IF NOT EXISTS trades_all AS
SELECT * FROM trades FINAL
UNION ALL
SELECT * FROM trades_goldsky FINAL
WHERE timestamp NOT IN (
    SELECT timestamp
    FROM trades
    WHERE exchange IN ('ctf_v1', 'neg_risk_v1')
      AND timestamp >= (SELECT min(timestamp) FROM trades_goldsky)
      AND timestamp <= (SELECT max(timestamp) FROM trades_goldsky)
);
