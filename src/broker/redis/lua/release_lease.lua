-- Leaves to others what this process holds. KEYS: generation, hold. ARGV: generation, consumer.
check_generation(KEYS[1], ARGV[1])
check_own(KEYS[2], 'string')
if redis.call('GET', KEYS[2]) == ARGV[2] then
    redis.call('DEL', KEYS[2])
end
return 1
