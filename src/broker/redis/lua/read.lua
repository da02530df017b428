-- Gives out entries: first what this consumer holds, then what dead ones hold, then new ones.
-- KEYS: generation, stream, counters.
-- ARGV: generation, group, consumer, token, about how many events and bytes at most, the id behind which to look
--   in what it holds ('' if that is behind it), whether to look for dead ones (1 or 0), what the keys of processes
--   begin with.
-- Says where they are from ('own', 'dead', 'new'), the newest id that the group was given, in how many ms the next
--   consumer may turn out to be dead ('' if none), and then of each entry its id and its body.
check_generation(KEYS[1], ARGV[1])
check_stream(KEYS[2], KEYS[3])
check_group(KEYS[2], KEYS[3], ARGV[2])
check_token(KEYS[3], ARGV[2], ARGV[3], ARGV[4])
local stream, counters, group, me = KEYS[2], KEYS[3], ARGV[2], ARGV[3]
local most, most_bytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local reply = {'', '', ''}
local count, events, bytes = 0, 0, 0

-- How many entries to ask for next, judged by the size of those that came: the first one alone, later ones in portions that
-- grow, since they may be larger.
local function portion()
    if count == 0 then
        return 1
    end
    local left = math.min((most_bytes - bytes) / math.max(bytes, 1), (most - events) / events)
    return math.max(1, math.min(math.floor(left * count), 4 * count, 256))
end

local function take(entries)
    for _, entry in ipairs(entries) do
        local body = body_of(entry)
        if not body then
            fail('LOST', 'entry ' .. entry[1] .. ' of ' .. stream .. ' is gone, and was not acknowledged')
        end
        table.insert(reply, entry[1])
        table.insert(reply, body)
        count = count + 1
        events = events + weight_of(body)
        bytes = bytes + #body
    end
end

-- Takes portions until there is enough, or no more.
local function gather(fetch)
    while events < most and (count == 0 or bytes < most_bytes) do
        local asked = portion()
        local entries = fetch(asked)
        take(entries)
        if #entries < asked then
            return
        end
    end
end

local function xreadgroup(asked, from)
    local read = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', asked, 'STREAMS', stream, from)
    return read and read[1][2] or {}
end

if ARGV[7] ~= '' then
    local from = ARGV[7]
    gather(function(asked)
        local entries = xreadgroup(asked, from)
        from = entries[1] and entries[#entries][1] or from
        return entries
    end)
    if count > 0 then
        reply[1] = 'own'
        return reply
    end
end

if ARGV[8] == '1' then
    local soonest
    for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
        local consumer = {}
        for i = 1, #fields, 2 do
            consumer[fields[i]] = fields[i + 1]
        end
        if consumer.name ~= me then
            local lives = redis.call('PTTL', ARGV[9] .. consumer.name)
            local field = 'seat:' .. group .. ':' .. consumer.name
            if lives ~= -2 and redis.call('HEXISTS', counters, field) == 1 then
                if consumer.pending > 0 and lives >= 0 then
                    soonest = math.min(soonest or lives, lives)
                end
            elseif consumer.pending == 0 then
                redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
                redis.call('HDEL', counters, field)
            else
                gather(function(asked)
                    local claim = {'XCLAIM', stream, group, me, 0}
                    for _, held in ipairs(redis.call('XPENDING', stream, group, '-', '+', asked, consumer.name)) do
                        table.insert(claim, held[1])
                    end
                    return #claim > 5 and redis.call(unpack(claim)) or {}
                end)
            end
        end
    end
    if count > 0 then
        reply[1] = 'dead'
        return reply
    end
    reply[3] = soonest and number(soonest) or ''
end

reply[1] = 'new'
gather(function(asked) return xreadgroup(asked, '>') end)
-- Behind an XREADGROUP that gave something out a full memory lets this through.
note_surplus(counters, 'surplus_given:' .. group, events - count)
if count == 0 then
    reply[2] = groups_of(stream)[group]['last-delivered-id']
end
return reply
