SELECT world, start, watermark FROM checkpoints FINAL WHERE pipeline = ? AND source = ?
