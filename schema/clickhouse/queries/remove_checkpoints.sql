ALTER TABLE checkpoints DELETE WHERE pipeline = ?
