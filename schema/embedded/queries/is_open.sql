(version < 2 OR (version = 2 AND outcome = '')) AND NOT (condition_id GLOB '0x03*' AND length(condition_id) = 64)
