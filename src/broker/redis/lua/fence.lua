-- Gives a reader its fencing token: requests of the one before it, of the same group and consumer, are refused from now on.
-- KEYS: generation, stream, counters, proc. ARGV: generation, group, consumer, token, the process, for how long it lives in ms.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_group(KEYS[2], KEYS[3], ARGV[2])
local field = 'seat:' .. ARGV[2] .. ':' .. ARGV[3]

-- A full memory must not keep readers away. It lets HDEL through, and what follows it.
redis.call('HDEL', KEYS[3], field)
redis.call('HSET', KEYS[3], field, ARGV[4])
redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[6])
return 1
