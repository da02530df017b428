-- Makes a group that is given every entry behind an id. One that is there stays as it is.
-- KEYS: generation, stream, counters.
-- ARGV: generation, group, id; what was counted behind that id before: how many, their bytes, the first and the last of
--   them ('' if none), and how many events they hold.
-- Says whether the group is there; it is not where a trim removed some of what was counted.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
if groups_of(KEYS[2])[ARGV[2]] then
    return 1
end
local left, left_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local from = '(' .. ARGV[3]
if ARGV[6] ~= '' then
    local first = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 1)[1]
    if not first or first[1] ~= ARGV[6] then
        return 0
    end
    from = '(' .. ARGV[7]
end
local more, more_bytes, more_surplus = measure(KEYS[2], from, '+')
local _, _, added, added_bytes = read_counters(KEYS[3])
local _, added_surplus = read_surplus(KEYS[3])
local behind = added_surplus - (tonumber(ARGV[8]) - left) - more_surplus

redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[3], 'done:' .. ARGV[2], number(added - left - more),
    'done_bytes:' .. ARGV[2], number(added_bytes - left_bytes - more_bytes))
note_surplus(KEYS[3], 'surplus_done:' .. ARGV[2], behind)
note_surplus(KEYS[3], 'surplus_given:' .. ARGV[2], behind)
return 1
