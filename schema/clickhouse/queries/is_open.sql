(version < 2 OR (version = 2 AND outcome = '')) AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
