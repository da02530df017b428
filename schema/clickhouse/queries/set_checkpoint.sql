INSERT INTO checkpoints (pipeline, source, world, start, watermark, version)
SELECT ? AS key_pipeline, ? AS key_source, ?, ?, ?, greatest(max(version) + 1, ?)
FROM checkpoints
WHERE pipeline = key_pipeline AND source = key_source
