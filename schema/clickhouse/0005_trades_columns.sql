-- The match and the slot of each row. They follow from the chain and never change; null where nobody has told them. Columns are added only
-- where they are missing, so that who makes the tables anew needs no right to alter them.
ALTER TABLE trades
    ADD COLUMN IF NOT EXISTS match_log_index Nullable(UInt32) COMMENT 'log_index of the taker row of its match; null for direct fills, and in rows older than this column' CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS outcome_slot Nullable(UInt8) COMMENT 'which outcome of the condition the token is on chain, from 0; null where the condition is not known' CODEC(ZSTD(1));
