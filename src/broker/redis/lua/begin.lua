-- Begins a new session: every group at the start of its stream, every cursor set. What the streams still hold stays, and is
-- given out again.
-- KEYS: generation, then of each group its stream and counters, then the cursors.
-- ARGV: the new generation, the one that was found incomplete ('' if none was there, '*' for any), how many groups, their
--   names, of each cursor its value ('' removes it).
local groups = tonumber(ARGV[3])
local cursors = 2 + 2 * groups

check_own(KEYS[1], 'string')
local there = redis.call('GET', KEYS[1]) or ''
if there == ARGV[1] then
    -- An earlier call did it, whose reply was lost.
    return there
elseif ARGV[2] ~= '*' and there ~= ARGV[2] then
    fail('LOST', 'another process began anew')
end
local sizes = {}
for i = 1, groups do
    local stream, counters = KEYS[2 * i], KEYS[2 * i + 1]
    local has_stream, has_tally = check_own(stream, 'stream'), check_own(counters, 'hash')
    if not sizes[stream] then
        local entries, bytes, surplus = 0, 0, 0
        if has_stream then
            for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)) do
                if not body_of(entry) then
                    fail('FOREIGN', stream .. ' holds entries of another program: choose another key_prefix')
                end
            end
            entries = redis.call('XLEN', stream)
            local told
            if has_tally then
                told, bytes = read_counters(counters)
                surplus = math.max(read_surplus(counters), 0)
            end
            if told ~= entries then
                -- Counted by walking, which may take a second for a million entries: only after somebody interfered.
                entries, bytes, surplus = measure(stream, '-', '+')
            end
        end
        sizes[stream] = {counters = counters, entries = entries, bytes = bytes, surplus = surplus, names = {}}
    end
    table.insert(sizes[stream].names, ARGV[3 + i])
end
for i = cursors, #KEYS do
    check_own(KEYS[i], 'string')
end

-- From here on it writes. Until the end there is no generation, and the first write is one that a full memory lets
-- through, and with it all others.
redis.call('DEL', KEYS[1])
for stream, size in pairs(sizes) do
    if type_of(stream) == 'stream' then
        for name in pairs(groups_of(stream)) do
            redis.call('XGROUP', 'DESTROY', stream, name)
        end
    end
    redis.call('DEL', size.counters)
    redis.call('HSET', size.counters, 'added', number(size.entries), 'added_bytes', number(size.bytes),
        'removed', 0, 'removed_bytes', 0)
    note_surplus(size.counters, 'surplus', size.surplus)
    for _, name in ipairs(size.names) do
        redis.call('XGROUP', 'CREATE', stream, name, '0', 'MKSTREAM')
        redis.call('HSET', size.counters, 'done:' .. name, 0, 'done_bytes:' .. name, 0)
    end
end
for i = cursors, #KEYS do
    local value = ARGV[3 + groups + i - cursors + 1]
    if value == '' then
        redis.call('DEL', KEYS[i])
    else
        redis.call('SET', KEYS[i], value)
    end
end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
