-- What polytape itself keeps: where each source is, what was asked of the pipeline. Each row counts its own changes in
-- version, so that the last one stays, whatever the clocks of those who write say.

CREATE TABLE IF NOT EXISTS checkpoints (
    pipeline  String,
    source    String,
    world     String COMMENT 'which chain',
    start     String COMMENT 'a position, as JSON',
    watermark String COMMENT 'a position, as JSON: every event before it is in the tables',
    version   UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (pipeline, source)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS desired_states (
    pipeline String,
    stage    String,
    state    String COMMENT 'run, pause, stop',
    version  UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (pipeline, stage)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- Replays. One that has not ended goes on in the next process.
CREATE TABLE IF NOT EXISTS jobs (
    pipeline   String,
    id         String,
    stage      String,
    begin      String COMMENT 'a position, as the stage writes it',
    until      String COMMENT 'the same',
    cursor     String COMMENT 'how far it has come; empty where its group knows that',
    total      UInt64 COMMENT 'what there was to do: blocks or entries',
    done       UInt64 COMMENT 'how much of that is done',
    moved      UInt64 COMMENT 'rows that it wrote or handed on',
    state      String COMMENT 'running, done, cancelled, failed',
    reason     String COMMENT 'why it failed',
    started_at DateTime64(3, 'UTC'),
    ended_at   Nullable(DateTime64(3, 'UTC')),
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (pipeline, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
