INSERT INTO dead_letters (source, position, stage, reason, raw, first_seen) FORMAT RowBinary
