-- Acknowledges each input and, only where that was the first time, adds its outputs.
-- KEYS: generation, the stream of the inputs and its counters, then of each stream of outputs itself and its counters.
-- ARGV: generation, group, then of each input its id, how many outputs, and of each the number of its stream and its
--   body.
check_generation(KEYS[1], ARGV[1])
for i = 2, #KEYS, 2 do
    check_stream(KEYS[i], KEYS[i + 1])
end
check_group(KEYS[2], KEYS[3], ARGV[2])

-- XACK comes before XADD: a full memory lets an acknowledgement through, and what follows it in the same script.
local sums, done = {}, {entries = 0, bytes = 0}
local i = 3
while i <= #ARGV do
    local id, outputs = ARGV[i], tonumber(ARGV[i + 1])
    i = i + 2
    if acknowledge(done, KEYS[2], ARGV[2], id) then
        for at = i, i + 2 * outputs - 1, 2 do
            local key = 2 + 2 * ARGV[at]
            add(sums, KEYS[key], KEYS[key + 1], ARGV[at + 1])
        end
    end
    i = i + 2 * outputs
end
note_done(KEYS[3], ARGV[2], done.entries, done.bytes)
note_added(sums)
return done.entries
