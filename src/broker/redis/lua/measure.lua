-- Counts entries from one id to another, so many at most.
-- KEYS: generation, stream, counters. ARGV: generation, from, to, how many.
-- Says how many, their bytes, the first and the last of them, and how many events they hold.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
local bytes, events = 0, 0
local page = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
for _, entry in ipairs(page) do
    local body = body_of(entry)
    bytes = bytes + #(body or '')
    events = events + weight_of(body)
end
if #page == 0 then
    return {0, 0, '', '', 0}
end
return {#page, bytes, page[1][1], page[#page][1], events}
