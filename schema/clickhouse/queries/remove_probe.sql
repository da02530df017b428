ALTER TABLE trades DELETE IN PARTITION 197001 WHERE source_id = ? SETTINGS mutations_sync = 2
