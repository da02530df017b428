-- What was asked of the pipeline, so that it outlives the process.

CREATE TABLE desired_states (
    pipeline TEXT NOT NULL,
    stage    TEXT NOT NULL,
    state    TEXT NOT NULL, -- run, pause, stop
    PRIMARY KEY (pipeline, stage)
) STRICT, WITHOUT ROWID;

-- Replays. One that has not ended goes on in the next process.
CREATE TABLE jobs (
    pipeline   TEXT NOT NULL,
    id         TEXT NOT NULL,
    stage      TEXT NOT NULL,
    begin      TEXT NOT NULL, -- a position, as the stage writes it
    until      TEXT NOT NULL, -- the same
    cursor     TEXT NOT NULL, -- how far it has come; '' where its group knows that
    total      INTEGER NOT NULL, -- what there was to do: blocks or entries
    done       INTEGER NOT NULL, -- how much of that is done
    moved      INTEGER NOT NULL, -- rows that it wrote or handed on
    state      TEXT NOT NULL, -- running, done, cancelled, failed
    reason     TEXT NOT NULL, -- why it failed
    started_at INTEGER NOT NULL, -- unix ms
    ended_at   INTEGER, -- the same
    PRIMARY KEY (pipeline, id)
) STRICT, WITHOUT ROWID;

-- Rows may be deleted behind polytape's back, and be restored by a replay: the counts stay true.
CREATE TRIGGER trades_deleted AFTER DELETE ON trades BEGIN
    UPDATE row_counts SET rows = rows - 1 WHERE name = 'trades';
END;
CREATE TRIGGER markets_deleted AFTER DELETE ON markets BEGIN
    UPDATE row_counts SET rows = rows - 1 WHERE name = 'markets';
END;
CREATE TRIGGER dead_letters_deleted AFTER DELETE ON dead_letters BEGIN
    UPDATE row_counts SET rows = rows - 1 WHERE name = 'dead_letters';
END;
