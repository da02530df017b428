-- What stands in front of every script: the checks, and how sizes are kept.
--
-- Redis rolls nothing back. So a script makes all its checks first, by error(), and writes only then.
--
-- `tally:<stream>` is a hash that counts what Redis does not, or not reliably (its lag is null or wrong after a trim):
--   added, added_bytes        entries ever added in this session, and the bytes of their bodies
--   removed, removed_bytes    those of them that were trimmed
--   done:<group>              those that the group has nothing to do with any more: acknowledged, trimmed, or
--   done_bytes:<group>        in front of its beginning
--   lost:<group>              events of them that were trimmed before it had acknowledged them
--   seat:<group>:<consumer>   which reader of that consumer is the present one
-- What a group has not acknowledged is added - done, of which it holds what Redis calls pending. Only these scripts add
-- and remove entries; where the length of the stream says otherwise, somebody else did, and that is a loss.
--
-- An entry is a batch of events. Counts of events are those of entries and a surplus, which is missing where it is 0: so what
-- a polytape adds that knows of no batches is counted right, too.
--   surplus, surplus_removed  what the entries of added and removed hold beyond one event each
--   surplus_done:<group>      the same of done, and
--   surplus_given:<group>     of what was given out to the group or is done
--   removed_weighed           what removed was when surplus_removed was right: a polytape that knows of no batches moves the one only

local function fail(code, what)
    error({err = code .. ' ' .. what})
end

-- Lua would write a large number as 1e+15.
local function number(value)
    return string.format('%.0f', value)
end

local function type_of(key)
    return redis.call('TYPE', key).ok
end

local function check_type(key, wanted, what)
    local found = type_of(key)
    if found == 'none' then
        fail('LOST', what .. ' is gone')
    elseif found ~= wanted then
        fail('WRONGTYPE', key .. ' is a ' .. found .. ', not a ' .. wanted)
    end
end

-- A key may be missing, but must be nothing else. Says whether it is there.
local function check_own(key, wanted)
    local found = type_of(key)
    if found ~= 'none' and found ~= wanted then
        fail('WRONGTYPE', key .. ' is a ' .. found .. ', not a ' .. wanted)
    end
    return found ~= 'none'
end

local function check_generation(key, joined)
    check_type(key, 'string', 'their generation')
    if redis.call('GET', key) ~= joined then
        fail('LOST', 'they are not what was joined')
    end
end

-- How many events an entry holds: as the codec says it.
local function weight_of(body)
    if body and #body >= 3 and string.byte(body, 1) == 2 then
        local high, low = string.byte(body, 2, 3)
        return math.max(high * 256 + low, 1)
    end
    return 1
end

-- entries, bytes, added, added_bytes, as the counters has them.
local function read_counters(counters)
    local found = redis.call('HMGET', counters, 'added', 'added_bytes', 'removed', 'removed_bytes')
    local added, added_bytes = tonumber(found[1]), tonumber(found[2])
    local removed, removed_bytes = tonumber(found[3]), tonumber(found[4])
    if not (added and added_bytes and removed and removed_bytes) then
        return nil
    end
    return added - removed, added_bytes - removed_bytes, added, added_bytes
end

-- What the entries hold beyond one event each: of those that are there, and of all that were added.
local function read_surplus(counters)
    local found = redis.call('HMGET', counters, 'surplus', 'surplus_removed')
    local added = tonumber(found[1]) or 0
    return added - (tonumber(found[2]) or 0), added
end

local function note_surplus(counters, field, surplus)
    if surplus > 0 then
        redis.call('HINCRBY', counters, field, number(surplus))
    end
end

local function check_stream(stream, counters)
    check_type(stream, 'stream', stream)
    check_type(counters, 'hash', counters)
    if redis.call('XLEN', stream) ~= read_counters(counters) then
        fail('LOST', 'somebody else added or removed entries of ' .. stream)
    end
end

-- What Redis says of the groups of a stream, by name.
local function groups_of(stream)
    local groups = {}
    for _, fields in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        local group = {}
        for i = 1, #fields, 2 do
            group[fields[i]] = fields[i + 1]
        end
        groups[group.name] = group
    end
    return groups
end

local function check_group(stream, counters, name)
    if not groups_of(stream)[name] or redis.call('HEXISTS', counters, 'done:' .. name) == 0 then
        fail('LOST', name .. ' of ' .. stream .. ' is gone')
    end
end

local function check_token(counters, group, consumer, token)
    if redis.call('HGET', counters, 'seat:' .. group .. ':' .. consumer) ~= token then
        fail('FENCED', 'another reader took over')
    end
end

local function last_id(stream)
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            return info[i + 1]
        end
    end
end

-- The bytes of an entry that polytape added, or nothing.
local function body_of(entry)
    local fields = entry and entry[2]
    return fields and fields[1] == 'v' and #fields == 2 and fields[2] or nil
end

-- How many entries there are from one id to another, their bytes, and what they hold beyond one event each.
local function measure(stream, from, to)
    local entries, bytes, surplus = 0, 0, 0
    repeat
        local page = redis.call('XRANGE', stream, from, to, 'COUNT', 100)
        for _, entry in ipairs(page) do
            local body = body_of(entry)
            entries = entries + 1
            bytes = bytes + #(body or '')
            surplus = surplus + weight_of(body) - 1
            from = '(' .. entry[1]
        end
    until #page < 100
    return entries, bytes, surplus
end

-- Adds an entry; `sums` gathers what `note_added` writes down at the end.
local function add(sums, stream, counters, body)
    local sum = sums[stream]
    if not sum then
        sum = {counters = counters, entries = 0, bytes = 0, surplus = 0}
        sums[stream] = sum
    end
    sum.last = redis.call('XADD', stream, '*', 'v', body)
    sum.entries = sum.entries + 1
    sum.bytes = sum.bytes + #body
    sum.surplus = sum.surplus + weight_of(body) - 1
end

local function note_added(sums)
    for stream, sum in pairs(sums) do
        redis.call('HINCRBY', sum.counters, 'added', number(sum.entries))
        redis.call('HINCRBY', sum.counters, 'added_bytes', number(sum.bytes))
        note_surplus(sum.counters, 'surplus', sum.surplus)
        -- While the clock stands behind the newest id, numbers within its millisecond grow. They are promised to stay
        -- below 2^20, so the next millisecond begins early.
        local ms, seq = string.match(sum.last, '(%d+)-(%d+)')
        if tonumber(seq) > 1040000 then
            redis.call('XSETID', stream, number(tonumber(ms) + 1) .. '-0')
        end
    end
end

-- Acknowledges an entry of so many bytes and events, '' where its reader does not know. Says whether that was the first time;
-- `sum` gathers what `note_done` writes down.
local function acknowledge(sum, stream, group, id, bytes, events)
    local body = bytes == '' and body_of(redis.call('XRANGE', stream, id, id)[1])
    if redis.call('XACK', stream, group, id) == 0 then
        return false
    end
    sum.entries = sum.entries + 1
    sum.bytes = sum.bytes + (tonumber(bytes) or #(body or ''))
    sum.surplus = sum.surplus + (tonumber(events) or weight_of(body)) - 1
    return true
end

local function note_done(counters, group, sum)
    redis.call('HINCRBY', counters, 'done:' .. group, number(sum.entries))
    redis.call('HINCRBY', counters, 'done_bytes:' .. group, number(sum.bytes))
    note_surplus(counters, 'surplus_done:' .. group, sum.surplus)
end

-- Where a group stands: pending and undelivered events, their bytes, three ids of which the first that is not '' tells up to
-- where it is clear (all up to this one, all in front of this one, all up to this one), and how many events it lost.
local function progress(stream, counters, group, last)
    local _, _, added, added_bytes = read_counters(counters)
    local _, surplus = read_surplus(counters)
    local done = redis.call('HMGET', counters, 'done:' .. group.name, 'done_bytes:' .. group.name, 'lost:' .. group.name,
        'surplus_done:' .. group.name, 'surplus_given:' .. group.name)
    local left = added - (tonumber(done[1]) or 0)
    local left_bytes = added_bytes - (tonumber(done[2]) or 0)
    local done_surplus, given_surplus = tonumber(done[4]) or 0, tonumber(done[5]) or 0
    local pending = group.pending
    -- A polytape that knows of no batches gives them out uncounted, and cannot read them: so what it holds stays in bounds.
    local left_events = left + math.max(surplus - done_surplus, 0)
    local pending_events = 0
    if pending > 0 then
        pending_events = math.min(pending + math.max(given_surplus - done_surplus, 0), left_events - (left - pending))
    end
    local all, first = '', ''
    if left == 0 then
        all = last
    elseif pending > 0 then
        first = redis.call('XPENDING', stream, group.name)[2]
    end
    local lost = tonumber(done[3]) or 0
    return {group.name, pending_events, left_events - pending_events, left_bytes, all, first, group['last-delivered-id'], lost}
end

-- Ids as numbers, to be compared.
local function id_of(text)
    local ms, seq = string.match(text, '(%d+)-(%d+)')
    return {tonumber(ms), tonumber(seq)}
end

local function is_before(a, b)
    return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end

if not redis.REDIS_VERSION_NUM then
    return redis.error_reply('TOOOLD polytape needs Redis 7.0 or newer')
end
