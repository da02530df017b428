-- What the resolver has to do: which tokens have rows in trades that may still be completed, by the inserts that wrote them. So
-- nothing has to look for such rows among all others.
--
-- An entry is written behind its rows, and removed by a row of a higher version, so that nothing in a run mutates. Its id is that of
-- one attempt to write the rows: none is used twice, so a removal is only ever about an entry that somebody has read. What is
-- removed is forgotten after a day. Should its entry be in another part then, the entry is back, nothing is found to be left of it, and
-- it is removed again.
CREATE TABLE IF NOT EXISTS unresolved_tokens (
    token_id   UInt256,
    insert_id  String          COMMENT 'one attempt to write rows, and a month of them',
    first_time DateTime('UTC') COMMENT 'of the rows of this token in that insert',
    last_time  DateTime('UTC') COMMENT 'likewise, in the same month',
    version    UInt8           COMMENT '0 listed, 1 removed',
    removed    UInt8,
    written_at DateTime('UTC') DEFAULT now(),
    INDEX by_written_at written_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, removed)
ORDER BY (token_id, insert_id)
TTL written_at + INTERVAL 1 DAY DELETE WHERE removed = 1
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;

-- When which partition of trades was compared with that list, and what was missing from it. The partition '' stands for all that was
-- there before the list: once it is noted the list is whole.
CREATE TABLE IF NOT EXISTS unresolved_scans (
    partition  String,
    scanned_at DateTime('UTC') DEFAULT now(),
    found      UInt64,
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY partition
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0;
