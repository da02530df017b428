-- Entries that were trimmed before a group had acknowledged them: only of a replay, which gives way to live work.
ALTER TABLE groups ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
