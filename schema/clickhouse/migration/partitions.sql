SELECT DISTINCT _partition_id FROM {table} ORDER BY 1
