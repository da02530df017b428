-- Removes keys. Whoever uses them finds that they are lost.
for _, key in ipairs(KEYS) do
    redis.call('DEL', key)
end
return #KEYS
