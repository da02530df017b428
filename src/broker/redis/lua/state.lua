-- How many events are in a stream, and where its groups stand. KEYS: generation, stream, counters. ARGV: generation.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
local entries, bytes, added = read_counters(KEYS[3])
local surplus, added_surplus = read_surplus(KEYS[3])
local last = last_id(KEYS[2])
local groups = {}
for _, group in pairs(groups_of(KEYS[2])) do
    table.insert(groups, progress(KEYS[2], KEYS[3], group, last))
end
return {entries + surplus, bytes, added + added_surplus, last, groups}
