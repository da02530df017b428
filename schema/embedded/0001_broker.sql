-- The streams of the embedded broker, their groups and the sources' cursors.

-- One row: which life of the streams this is.
CREATE TABLE broker (
    generation TEXT NOT NULL
) STRICT;

CREATE TABLE cursors (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The entries of a stream are in a table of its own, `entries_<stream>`: see queries/create_entries.sql.
CREATE TABLE streams (
    stream  INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    last_id INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A group has acknowledged everything up to `acknowledged`, and beyond it what `acknowledged_ahead` lists.
CREATE TABLE groups (
    stream       INTEGER NOT NULL,
    name         TEXT NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE acknowledged_ahead (
    stream INTEGER NOT NULL,
    name   TEXT NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (stream, name, id)
) STRICT, WITHOUT ROWID;
