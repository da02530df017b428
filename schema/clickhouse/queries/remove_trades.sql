ALTER TABLE {database}.trades DELETE WHERE source_id = '' AND block_number BETWEEN {lowest} AND {highest} SETTINGS mutations_sync = 2
