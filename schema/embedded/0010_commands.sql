-- Who gave which command, and what came of it, for 90 days.
CREATE TABLE commands (
    pipeline TEXT NOT NULL,
    at       INTEGER NOT NULL, -- unix ms
    id       TEXT NOT NULL,
    user     TEXT NOT NULL,
    tty      TEXT NOT NULL, -- '' where it came from no terminal
    pid      INTEGER NOT NULL, -- 0 where it came from the pipeline's own process
    command  TEXT NOT NULL, -- as the command line has it
    outcome  TEXT NOT NULL, -- done, refused
    said     TEXT NOT NULL, -- what was answered
    PRIMARY KEY (pipeline, at, id)
) STRICT, WITHOUT ROWID;
