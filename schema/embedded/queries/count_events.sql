-- Of a file that was made before entries held more than one event.
ALTER TABLE entries_{stream} ADD COLUMN events INTEGER NOT NULL DEFAULT 1;
