-- Adds entries and moves a cursor, if that stands where it is expected.
-- KEYS: generation, cursor, then of each stream itself and its counters.
-- ARGV: generation, expected, next, then of each entry the number of its stream and its body.
check_generation(KEYS[1], ARGV[1])
check_own(KEYS[2], 'string')
for i = 3, #KEYS, 2 do
    check_stream(KEYS[i], KEYS[i + 1])
end
local at = redis.call('GET', KEYS[2])
if at == ARGV[3] then
    return {'before'}
elseif at ~= ARGV[2] then
    return {'conflict', at}
end

-- The first write is one that a full memory refuses, so that nothing of it is done then.
local sums = {}
for i = 4, #ARGV, 2 do
    local key = 1 + 2 * ARGV[i]
    add(sums, KEYS[key], KEYS[key + 1], ARGV[i + 1])
end
redis.call('SET', KEYS[2], ARGV[3])
note_added(sums)
return {'now'}
