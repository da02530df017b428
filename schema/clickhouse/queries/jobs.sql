-- The replays that go on, and the newest that have ended.
WITH all_jobs AS (SELECT * FROM jobs FINAL WHERE pipeline = ?)
SELECT id, stage, begin, until, cursor, total, done, moved, state, reason,
       toUnixTimestamp64Milli(started_at) AS started, toUnixTimestamp64Milli(ended_at) AS ended, version
FROM all_jobs
WHERE state = 'running'
   OR id IN (SELECT id FROM all_jobs WHERE state <> 'running' ORDER BY ended_at DESC LIMIT ?)
ORDER BY started_at, id
