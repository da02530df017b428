-- Gives a fencing token up, unless another reader took over: what its reader has pending may be claimed.
-- KEYS: generation, counters. ARGV: generation, group, consumer, token.
check_generation(KEYS[1], ARGV[1])
check_type(KEYS[2], 'hash', KEYS[2])
local field = 'seat:' .. ARGV[2] .. ':' .. ARGV[3]
if redis.call('HGET', KEYS[2], field) == ARGV[4] then
    redis.call('HDEL', KEYS[2], field)
end
return 1
