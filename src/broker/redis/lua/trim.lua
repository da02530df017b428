-- Removes entries from the old end: never one that a required group has not acknowledged, and none while one is missing.
-- Other groups are respected until the stream is full.
-- KEYS: generation, stream, counters.
-- ARGV: generation, the age in ms from which on they go, the bytes above which they go whatever their age, the bytes
--   from which on the stream is full, how many at most, the time in ms as this process has it, and the required groups.
-- Says how many entries.
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
local gone, bytes, surplus, from = {}, 0, 0, '-'
-- Mostly there is nothing to do, which the first entry tells.
local page_size = 1
while from and #gone < most and bytes < 8 * 1024 * 1024 do
    local page = redis.call('XRANGE', stream, from, '+', 'COUNT', page_size)
    if #page < page_size then
        from = nil
    end
    for _, entry in ipairs(page) do
        local body = body_of(entry)
        local id, size, weight = id_of(entry[1]), #(body or ''), weight_of(body)
        if #gone == most or not is_before(id, stays) or (id[1] >= oldest_kept and excess <= 0) then
            from = nil
            break
        end
        excess = excess - size
        bytes = bytes + size
        surplus = surplus + weight - 1
        table.insert(gone, {entry[1], size, id, weight})
        from = '(' .. entry[1]
    end
    page_size = 100
end
if #gone == 0 then
    return 0
end

-- The first write is one that a full memory lets through, and with it all others: this one makes room.
local behind = gone[#gone][3]
redis.call('XTRIM', stream, 'MINID', '=', number(behind[1]) .. '-' .. number(behind[2] + 1))
redis.call('HINCRBY', counters, 'removed', #gone)
redis.call('HINCRBY', counters, 'removed_bytes', number(bytes))
local was = redis.call('HMGET', counters, 'removed', 'removed_weighed')
local _, added_surplus = read_surplus(counters)
if added_surplus > 0 and tonumber(was[1]) - #gone ~= tonumber(was[2]) then
    local _, _, left = measure(stream, '-', '+')
    redis.call('HSET', counters, 'surplus_removed', number(added_surplus - left))
else
    note_surplus(counters, 'surplus_removed', surplus)
end
redis.call('HSET', counters, 'removed_weighed', was[1])
-- A group that is not respected may have had some of them before it: it has nothing to do with them any more.
for name, group in pairs(groups) do
    if not group.respected then
        local delivered, done, skipped = id_of(group['last-delivered-id']), {entries = 0, bytes = 0, surplus = 0}, 0
        for _, entry in ipairs(gone) do
            local is_new = is_before(delivered, entry[3])
            if is_new or redis.call('XACK', stream, name, entry[1]) == 1 then
                done.entries = done.entries + 1
                done.bytes = done.bytes + entry[2]
                done.surplus = done.surplus + entry[4] - 1
                skipped = skipped + (is_new and entry[4] - 1 or 0)
            end
        end
        note_done(counters, name, done)
        note_surplus(counters, 'surplus_given:' .. name, skipped)
        redis.call('HINCRBY', counters, 'lost:' .. name, number(done.entries + done.surplus))
    end
end
return #gone
