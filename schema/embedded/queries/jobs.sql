-- The replays that go on, and the newest that have ended.
SELECT * FROM jobs
WHERE pipeline = ?1
  AND (state = 'running' OR id IN (
      SELECT id FROM jobs WHERE pipeline = ?1 AND state <> 'running' ORDER BY ended_at DESC LIMIT ?2
  ))
ORDER BY started_at, id
