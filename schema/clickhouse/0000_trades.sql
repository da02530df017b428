-- trades, as it is made where there is none: before the numbered files, which find it there. One that is there already keeps its layout.
--
-- A trade is identified by (transaction_hash, log_index, source_id); its token and its time are functions of that. Most questions are
-- about a time: a day is read as a few parts of the key. The index finds a token in days where it has little, and is of a column that
-- never changes, so that it hides no version of a row from FINAL (use_skip_indexes_if_final). Of two rows with one key the one with the
-- higher version stays.
CREATE TABLE IF NOT EXISTS trades (
    timestamp        DateTime('UTC')        COMMENT 'block time' CODEC(Delta, ZSTD(1)),
    block_number     UInt64                 COMMENT '0 where the source has none' CODEC(Delta, ZSTD(1)),
    log_index        UInt32                 COMMENT '0 where the source has none' CODEC(Delta, ZSTD(1)),
    transaction_hash String                 CODEC(ZSTD(1)),
    order_hash       String                 CODEC(ZSTD(1)),
    source_id        String                 COMMENT 'empty for chain rows' CODEC(ZSTD(1)),
    exchange         LowCardinality(String) COMMENT 'ctf_v1, neg_risk_v1, ctf_v2, neg_risk_v2, v3' CODEC(ZSTD(1)),
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
    match_log_index  Nullable(UInt32)       COMMENT 'log_index of the taker row of its match; null for direct fills, and in rows older than this column' CODEC(Delta, ZSTD(1)),
    outcome_slot     Nullable(UInt8)        COMMENT 'which outcome of the condition the token is on chain, from 0; null where the condition is not known' CODEC(ZSTD(1)),
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_token token_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (toDate(timestamp), token_id, timestamp, transaction_hash, log_index, source_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
