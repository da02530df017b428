-- The match and the slot of each row. They follow from the chain and never change; null where nobody has told them.

-- log_index of the taker row of its match; null for direct fills and in rows that are older than this column
ALTER TABLE trades ADD COLUMN match_log_index INTEGER;
-- which outcome of the condition the token is on chain, from 0; null where the condition is not known
ALTER TABLE trades ADD COLUMN outcome_slot INTEGER;

ALTER TABLE trades_goldsky ADD COLUMN match_log_index INTEGER; -- null
ALTER TABLE trades_goldsky ADD COLUMN outcome_slot INTEGER; -- as in trades
