SELECT world, start, watermark, version FROM checkpoints FINAL WHERE pipeline = ? AND source = ?
