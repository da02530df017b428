-- Where a cursor stands. KEYS: generation, cursor. ARGV: generation.
check_life(KEYS[1], ARGV[1])
check_cursor(KEYS[2])
return redis.call('GET', KEYS[2])
