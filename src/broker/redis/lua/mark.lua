-- A cursor and the newest id of a stream, of one moment. KEYS: generation, stream, tally, cursor. ARGV: generation.
check_life(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_own(KEYS[4], 'string')
return {last_id(KEYS[2]), redis.call('GET', KEYS[4])}
