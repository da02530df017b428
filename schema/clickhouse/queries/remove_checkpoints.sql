ALTER TABLE checkpoints DELETE WHERE pipeline = ? SETTINGS mutations_sync = 2
