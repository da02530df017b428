SELECT stage, state FROM desired_states FINAL WHERE pipeline = ?
