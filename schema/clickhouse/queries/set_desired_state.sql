INSERT INTO desired_states (pipeline, stage, state, version)
SELECT ? AS key_pipeline, ? AS key_stage, ?, greatest(max(version) + 1, ?)
FROM desired_states
WHERE pipeline = key_pipeline AND stage = key_stage
