SELECT name, engine, sorting_key FROM system.tables WHERE database = ? AND name IN ?
