-- What a reader wants: trades, markets, dead letters. Hashes and addresses are lower-case 0x text, unknown text is ''.
--
-- Every statement can be repeated, since nothing here is a transaction. Deduplication by content is off (the windows): a row
-- is itself by its key, and a batch that is sent again changes nothing that FINAL sees, while a remembered batch could
-- refuse rows that were deleted and are to come back. An insert is on the disk before it is confirmed.

-- A trade is identified by (transaction_hash, log_index, source_id); its token and its time are functions of that. The key
-- begins with what is asked for. Of two rows with one key the one with the higher version stays.
CREATE TABLE IF NOT EXISTS trades (
    timestamp        DateTime('UTC')        COMMENT 'block time',
    block_number     UInt64                 COMMENT '0 where the source has none',
    log_index        UInt32                 COMMENT '0 where the source has none',
    transaction_hash String,
    order_hash       String,
    source_id        String                 COMMENT 'empty for chain rows',
    exchange         LowCardinality(String) COMMENT 'ctf_v1, neg_risk_v1, ctf_v2, neg_risk_v2, v3',
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
    version          UInt8                  COMMENT 'completeness: 0 token unknown, 1 condition and outcome known, 2 market known',
    ingested_at      DateTime64(3, 'UTC'),
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX by_version version TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (token_id, timestamp, transaction_hash, log_index, source_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Two markets may share a condition, and a market may get its condition late: the id alone is what it is known by.
CREATE TABLE IF NOT EXISTS markets (
    id           String                       COMMENT 'the id at Gamma',
    condition_id String                       COMMENT 'empty until it has one',
    question     String,
    slug         String,
    outcomes     Array(String)                COMMENT 'in the order of the tokens',
    token_ids    Array(UInt256)               COMMENT 'V1 and V2',
    position_ids Array(UInt256)               COMMENT 'protocol v2',
    neg_risk     Bool,
    event_id     String,
    event_slug   String,
    event_title  String,
    tags         Array(String),
    created_at   Nullable(DateTime64(0, 'UTC')),
    end_at       Nullable(DateTime64(0, 'UTC')),
    closed_at    Nullable(DateTime64(0, 'UTC')),
    active       Bool,
    closed       Bool,
    volume       String                       COMMENT 'decimal in the digits of Gamma, empty where unknown',
    liquidity    String                       COMMENT 'the same',
    raw          String                       COMMENT 'all that Gamma said, as JSON' CODEC(ZSTD(3)),
    version      UInt64                       COMMENT 'updated at << 32 | asked for at, unix s',
    lasting_hash UInt64                       COMMENT 'of everything that is not volume, liquidity or raw',
    ingested_at  DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Where to look for the market of a token: every market that ever listed it. Whether it still does, only markets tells.
CREATE TABLE IF NOT EXISTS market_tokens (
    token_id  UInt256,
    market_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (token_id, market_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Row by row, into a table whose key makes a row that comes again the same row: it cannot count anything twice.
CREATE MATERIALIZED VIEW IF NOT EXISTS market_tokens_of_markets TO market_tokens AS
SELECT arrayJoin(arrayConcat(token_ids, position_ids)) AS token_id, id AS market_id
FROM markets;

-- Events that were refused, with their bytes. The earliest sight of one stays.
CREATE TABLE IF NOT EXISTS dead_letters (
    source     String,
    position   String,
    stage      String,
    reason     String,
    raw        String,
    first_seen DateTime64(3, 'UTC'),
    version    UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(first_seen))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, position, stage)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
