-- The newest commands of a pipeline, the oldest first.
SELECT toUnixTimestamp64Milli(at) AS given, id, user, tty, pid, command, outcome, said
FROM (SELECT * FROM commands FINAL WHERE pipeline = ? ORDER BY at DESC, id DESC LIMIT ?)
ORDER BY at, id
