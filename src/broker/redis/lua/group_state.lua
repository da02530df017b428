-- Where one group stands. KEYS: generation, stream, counters. ARGV: generation, group.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_group(KEYS[2], KEYS[3], ARGV[2])
return progress(KEYS[2], KEYS[3], groups_of(KEYS[2])[ARGV[2]], last_id(KEYS[2]))
