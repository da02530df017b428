-- Acknowledges each input and, only where that was the first time, adds its outputs.
-- KEYS: generation, the stream of the inputs and its counters, then of each stream of outputs itself and its counters.
-- ARGV: generation, group, then of each input its id, bytes and events, how many outputs, and of each the number of its stream
--   and its body.
-- Says of how many events that was the first time.
check_generation(KEYS[1], ARGV[1])
for i = 2, #KEYS, 2 do
    check_stream(KEYS[i], KEYS[i + 1])
end
check_group(KEYS[2], KEYS[3], ARGV[2])

-- XACK comes before XADD: a full memory lets an acknowledgement through, and what follows it in the same script.
local sums, done = {}, {entries = 0, bytes = 0, surplus = 0}
local i = 3
while i <= #ARGV do
    local id, bytes, events, outputs = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
    i = i + 4
    if acknowledge(done, KEYS[2], ARGV[2], id, bytes, events) then
        for at = i, i + 2 * outputs - 1, 2 do
            local key = 2 + 2 * ARGV[at]
            add(sums, KEYS[key], KEYS[key + 1], ARGV[at + 1])
        end
    end
    i = i + 2 * outputs
end
note_done(KEYS[3], ARGV[2], done)
note_added(sums)
return done.entries + done.surplus
