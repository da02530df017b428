SELECT id, question FROM markets FINAL WHERE id IN ?
