-- Ends a group, if it is there. KEYS: generation, stream, counters. ARGV: generation, group.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])

redis.call('XGROUP', 'DESTROY', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], 'done:' .. ARGV[2], 'done_bytes:' .. ARGV[2], 'lost:' .. ARGV[2],
    'surplus_done:' .. ARGV[2], 'surplus_given:' .. ARGV[2])
local tokens = 'seat:' .. ARGV[2] .. ':'
for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
    if string.sub(field, 1, #tokens) == tokens then
        redis.call('HDEL', KEYS[3], field)
    end
end
return 1
