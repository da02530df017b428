-- Acknowledges entries. Says of how many it was the first time.
-- KEYS: generation, stream, counters. ARGV: generation, group, ids.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_group(KEYS[2], KEYS[3], ARGV[2])

local done = {entries = 0, bytes = 0}
for i = 3, #ARGV do
    acknowledge(done, KEYS[2], ARGV[2], ARGV[i])
end
-- Behind an XACK a full memory lets this through, and without one there is nothing to note.
if done.entries > 0 then
    note_done(KEYS[3], ARGV[2], done.entries, done.bytes)
end
return done.entries
