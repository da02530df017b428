-- Fills of a subgraph of V1's order book, in the columns of trades. They have no place on chain, and two fills of one order in one
-- transaction are one row there: so they are kept apart from trades, which they could not complete exactly.

CREATE TABLE IF NOT EXISTS trades_goldsky (
    timestamp        DateTime('UTC')        COMMENT 'block time, as the subgraph has it' CODEC(Delta, ZSTD(1)),
    block_number     UInt64                 COMMENT '0' CODEC(Delta, ZSTD(1)),
    log_index        UInt32                 COMMENT '0' CODEC(Delta, ZSTD(1)),
    transaction_hash String                 CODEC(ZSTD(1)),
    order_hash       String                 CODEC(ZSTD(1)),
    source_id        String                 COMMENT 'goldsky: and the id there, which identifies the row' CODEC(ZSTD(1)),
    exchange         LowCardinality(String) COMMENT 'ctf_v1, neg_risk_v1, empty where the row does not tell' CODEC(ZSTD(1)),
    token_id         UInt256                CODEC(ZSTD(1)),
    condition_id     String                 CODEC(ZSTD(1)),
    market_id        String                 COMMENT 'the id at Gamma' CODEC(ZSTD(1)),
    outcome          String                 CODEC(ZSTD(1)),
    nonusdc_side     LowCardinality(String) COMMENT 'token1, token2, ... as listed by the market' CODEC(ZSTD(1)),
    maker            String                 CODEC(ZSTD(1)),
    taker            String                 CODEC(ZSTD(1)),
    maker_direction  LowCardinality(String) COMMENT 'BUY, SELL' CODEC(ZSTD(1)),
    taker_direction  LowCardinality(String) CODEC(ZSTD(1)),
    price            Nullable(Float64)      COMMENT 'usd a share, null where no share moved' CODEC(ZSTD(1)),
    usd_amount       Decimal(38, 6)         CODEC(ZSTD(1)),
    token_amount     Decimal(38, 6)         CODEC(ZSTD(1)),
    fee_amount       Decimal(38, 6)         CODEC(ZSTD(1)),
    fee_unit         LowCardinality(String) COMMENT 'usd, shares' CODEC(ZSTD(1)),
    is_taker_row     Bool                   COMMENT 'count this row for volume' CODEC(ZSTD(1)),
    version          UInt8                  COMMENT 'completeness: 0 token unknown, 1 condition known, 2 market known, 3 market and outcome known' CODEC(ZSTD(1)),
    ingested_at      DateTime64(3, 'UTC')   CODEC(Delta, ZSTD(1)),
    match_log_index  Nullable(UInt32)       COMMENT 'null' CODEC(Delta, ZSTD(1)),
    outcome_slot     Nullable(UInt8)        COMMENT 'which outcome of the condition the token is on chain, from 0; null where the condition is not known' CODEC(ZSTD(1)),
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_token token_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (toDate(timestamp), token_id, timestamp, transaction_hash, log_index, source_id)
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
