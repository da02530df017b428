-- Ids only rise, so every insert is an append, which SQLite does twice as fast in a table that holds nothing else.
CREATE TABLE IF NOT EXISTS entries_{stream} (
    id     INTEGER PRIMARY KEY,
    body   BLOB NOT NULL,
    events INTEGER NOT NULL DEFAULT 1
) STRICT;
