-- Who gave which command, and what came of it, for 90 days. A row never changes.
CREATE TABLE IF NOT EXISTS commands (
    pipeline String,
    at       DateTime64(3, 'UTC'),
    id       String,
    user     String,
    tty      String COMMENT 'empty where it came from no terminal',
    pid      UInt32 COMMENT '0 where it came from the process of the pipeline itself',
    command  String COMMENT 'as the command line has it',
    outcome  String COMMENT 'done, refused',
    said     String COMMENT 'what was answered'
)
ENGINE = ReplacingMergeTree
ORDER BY (pipeline, at, id)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
