-- Says that a process is gone, unless another has taken its name. KEYS: proc. ARGV: the process.
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
return 1
