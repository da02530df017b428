INSERT INTO jobs (
    pipeline, id, stage, begin, until, cursor, total, done, moved, state, reason, started_at, ended_at, version
)
SELECT ? AS key_pipeline, ? AS key_id, ?, ?, ?, ?, ?, ?, ?, ?, ?,
       fromUnixTimestamp64Milli(toInt64(?), 'UTC'), fromUnixTimestamp64Milli(CAST(?, 'Nullable(Int64)'), 'UTC'),
       greatest(max(version) + 1, ?)
FROM jobs
WHERE pipeline = key_pipeline AND id = key_id
