AND token_id IN (
      SELECT token_id FROM {table} WHERE _partition_id = ? AND token_id BETWEEN toUInt256(?) AND toUInt256(?) AND {is_open}
  )
