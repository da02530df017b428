-- Gives a seat up, unless somebody else took it: what its reader held may be taken by others.
-- KEYS: generation, tally. ARGV: generation, group, consumer, seat.
check_life(KEYS[1], ARGV[1])
check_type(KEYS[2], 'hash', KEYS[2])
local field = 'seat:' .. ARGV[2] .. ':' .. ARGV[3]
if redis.call('HGET', KEYS[2], field) == ARGV[4] then
    redis.call('HDEL', KEYS[2], field)
end
return 1
