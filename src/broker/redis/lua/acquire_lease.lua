-- Holds what only one process does, unless another that lives holds it.
-- KEYS: generation, hold. ARGV: generation, consumer, what the keys of processes begin with.
check_generation(KEYS[1], ARGV[1])
check_own(KEYS[2], 'string')
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] and redis.call('EXISTS', ARGV[3] .. holder) == 1 then
    return 0
end
if holder ~= ARGV[2] then
    redis.call('SET', KEYS[2], ARGV[2])
end
return 1
