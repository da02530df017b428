(version < 2 OR (version = 2 AND outcome = '')) AND NOT ({is_of_module_3} AND length(condition_id) = 64)
