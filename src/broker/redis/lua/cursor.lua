-- Where a cursor stands. KEYS: generation, cursor. ARGV: generation.
check_generation(KEYS[1], ARGV[1])
check_own(KEYS[2], 'string')
return redis.call('GET', KEYS[2])
