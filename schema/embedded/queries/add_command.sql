INSERT OR IGNORE INTO commands (pipeline, at, id, user, tty, pid, command, outcome, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
