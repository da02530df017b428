INSERT INTO commands (pipeline, at, id, user, tty, pid, command, outcome, said)
SELECT ?, fromUnixTimestamp64Milli(toInt64(?), 'UTC'), ?, ?, ?, ?, ?, ?, ?
