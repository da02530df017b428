SELECT stage, state, version FROM desired_states FINAL WHERE pipeline = ?
