-- A replay as it is now. One that has ended never goes on again, whatever was still on its way.
INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (pipeline, id) DO UPDATE SET
    cursor = excluded.cursor, total = excluded.total, done = excluded.done, moved = excluded.moved,
    state = excluded.state, reason = excluded.reason, ended_at = excluded.ended_at
WHERE jobs.state = 'running' OR excluded.state <> 'running'
