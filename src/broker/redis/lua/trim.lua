-- Removes entries from the old end: never one that a required group has not acknowledged, and none while one is missing.
-- Other groups are respected until the stream is full.
-- KEYS: generation, stream, counters.
-- ARGV: generation, the age in ms from which on they go, the bytes above which they go whatever their age, the bytes
--   from which on the stream is full, how many at most, the time in ms as this process has it, and the required groups.
-- Says how many.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
local stream, counters = KEYS[2], KEYS[3]
local groups, last = groups_of(stream), last_id(stream)
local _, held = read_counters(counters)

for i = 7, #ARGV do
    if not groups[ARGV[i]] then
        return 0
    end
    groups[ARGV[i]].respected = true
end

-- The first id that has to stay.
local stays
for _, group in pairs(groups) do
    group.respected = group.respected or held < tonumber(ARGV[4])
    if group.respected then
        local state = progress(stream, counters, group, last)
        local first = state[6]
        local id = id_of(first ~= '' and first or state[5] ~= '' and state[5] or state[7])
        if first == '' then
            id[2] = id[2] + 1
        end
        if not stays or is_before(id, stays) then
            stays = id
        end
    end
end
if not stays then
    return 0
end

-- Ids are of the server's clock. A user who may not ask for it goes by that of the process.
local now = ARGV[6]
if not redis.acl_check_cmd or redis.acl_check_cmd('TIME') then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local oldest_kept = now - ARGV[2]
local excess = held - ARGV[3]
local most = tonumber(ARGV[5])
local gone, bytes, from = {}, 0, '-'
-- Mostly there is nothing to do, which the first entry tells.
local page_size = 1
while from and #gone < most do
    local page = redis.call('XRANGE', stream, from, '+', 'COUNT', page_size)
    if #page < page_size then
        from = nil
    end
    for _, entry in ipairs(page) do
        local id, size = id_of(entry[1]), #(body_of(entry) or '')
        if #gone == most or not is_before(id, stays) or (id[1] >= oldest_kept and excess <= 0) then
            from = nil
            break
        end
        excess = excess - size
        bytes = bytes + size
        table.insert(gone, {entry[1], size, id})
        from = '(' .. entry[1]
    end
    page_size = 200
end
if #gone == 0 then
    return 0
end

-- The first write is one that a full memory lets through, and with it all others: this one makes room.
local behind = gone[#gone][3]
redis.call('XTRIM', stream, 'MINID', '=', number(behind[1]) .. '-' .. number(behind[2] + 1))
redis.call('HINCRBY', counters, 'removed', #gone)
redis.call('HINCRBY', counters, 'removed_bytes', number(bytes))
-- A group that is not respected may have had some of them before it: it has nothing to do with them any more.
for name, group in pairs(groups) do
    if not group.respected then
        local delivered, entries, size = id_of(group['last-delivered-id']), 0, 0
        for _, entry in ipairs(gone) do
            if is_before(delivered, entry[3]) or redis.call('XACK', stream, name, entry[1]) == 1 then
                entries = entries + 1
                size = size + entry[2]
            end
        end
        note_done(counters, name, entries, size)
        redis.call('HINCRBY', counters, 'lost:' .. name, entries)
    end
end
return #gone
