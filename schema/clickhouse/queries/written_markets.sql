SELECT id, lasting_hash, version FROM markets FINAL WHERE id IN ?
