-- Joins the session that is under way: its generation, if nothing of the layout is missing.
-- KEYS: generation, then of each group its stream and counters, then the cursors.
-- ARGV: the names of the groups.
check_type(KEYS[1], 'string', 'their generation')
for i, name in ipairs(ARGV) do
    check_stream(KEYS[2 * i], KEYS[2 * i + 1])
    check_group(KEYS[2 * i], KEYS[2 * i + 1], name)
end
for i = 2 * #ARGV + 2, #KEYS do
    check_type(KEYS[i], 'string', KEYS[i])
end
return redis.call('GET', KEYS[1])
