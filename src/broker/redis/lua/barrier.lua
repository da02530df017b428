-- A cursor and the newest id of a stream, of one moment. KEYS: generation, stream, counters, cursor. ARGV: generation.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_own(KEYS[4], 'string')

-- A replica says nothing: what it knows may be taken back, by the same connection. So this is a write, which changes nothing
-- and which a full memory lets through.
redis.call('HDEL', KEYS[3], 'mark')
return {last_id(KEYS[2]), redis.call('GET', KEYS[4])}
