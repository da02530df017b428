-- Makes a stream with its group, where neither it nor its counters are there. What is there stays as it is.
-- KEYS: generation, stream, counters.
-- ARGV: generation, group.
check_generation(KEYS[1], ARGV[1])
local has_stream, has_tally = check_own(KEYS[2], 'stream'), check_own(KEYS[3], 'hash')
if has_stream or has_tally then
    return 0
end
redis.call('HSET', KEYS[3], 'added', 0, 'added_bytes', 0, 'removed', 0, 'removed_bytes', 0,
    'done:' .. ARGV[2], 0, 'done_bytes:' .. ARGV[2], 0)
redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[2], '0', 'MKSTREAM')
return 1
