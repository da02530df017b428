-- Acknowledges entries. Says of how many events it was the first time.
-- KEYS: generation, stream, counters. ARGV: generation, group, then of each entry its id, bytes and events.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_group(KEYS[2], KEYS[3], ARGV[2])

local done = {entries = 0, bytes = 0, surplus = 0}
for i = 3, #ARGV - 2, 3 do
    acknowledge(done, KEYS[2], ARGV[2], ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
-- Behind an XACK a full memory lets this through, and without one there is nothing to note.
if done.entries > 0 then
    note_done(KEYS[3], ARGV[2], done)
end
return done.entries + done.surplus
