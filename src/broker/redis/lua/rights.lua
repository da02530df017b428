-- What the user may do, of what polytape needs. Nothing is run: ACL rules are only asked.
-- ARGV: what all keys begin with, the consumer. Says of each command on each kind of key: the kind, the command, 1 or 0.
local keys = {
    stream = ARGV[1] .. 'stream:trades',
    tally = ARGV[1] .. 'tally:stream:trades',
    state = ARGV[1] .. 'state:generation',
    proc = ARGV[1] .. 'proc:' .. ARGV[2],
    hold = ARGV[1] .. 'hold:replay:check',
}
-- Each with arguments as they are in use, and with KEY where the key is.
local KEY = {}
local needed = {
    stream = {
        {'TYPE', KEY}, {'DEL', KEY}, {'XLEN', KEY}, {'XRANGE', KEY, '-', '+'}, {'XADD', KEY, '*', 'v', ''},
        {'XACK', KEY, 'group', '0-1'}, {'XTRIM', KEY, 'MINID', '=', '0-1'}, {'XSETID', KEY, '0-1'},
        {'XPENDING', KEY, 'group'}, {'XCLAIM', KEY, 'group', 'consumer', '0', '0-1'},
        {'XINFO', 'STREAM', KEY}, {'XINFO', 'GROUPS', KEY}, {'XINFO', 'CONSUMERS', KEY, 'group'},
        {'XGROUP', 'CREATE', KEY, 'group', '0', 'MKSTREAM'}, {'XGROUP', 'DESTROY', KEY, 'group'},
        {'XGROUP', 'DELCONSUMER', KEY, 'group', 'consumer'},
        {'XREADGROUP', 'GROUP', 'group', 'consumer', 'STREAMS', KEY, '>'}, {'XREAD', 'STREAMS', KEY, '0-1'},
    },
    tally = {
        {'TYPE', KEY}, {'DEL', KEY}, {'HGET', KEY, 'added'}, {'HMGET', KEY, 'added'}, {'HEXISTS', KEY, 'added'},
        {'HKEYS', KEY}, {'HSET', KEY, 'added', '0'}, {'HDEL', KEY, 'added'}, {'HINCRBY', KEY, 'added', '0'},
    },
    state = {{'TYPE', KEY}, {'GET', KEY}, {'SET', KEY, ''}, {'DEL', KEY}},
    proc = {
        {'GET', KEY}, {'SET', KEY, '', 'PX', '1'}, {'DEL', KEY}, {'EXISTS', KEY}, {'PTTL', KEY}, {'PEXPIRE', KEY, '1'},
    },
    hold = {{'TYPE', KEY}, {'GET', KEY}, {'SET', KEY, ''}, {'DEL', KEY}},
}
-- In subcommands the second word belongs to the name.
local containers = {XINFO = true, XGROUP = true}

local answers = {}
-- Who cannot tell is believed to allow everything.
if not redis.acl_check_cmd then
    return answers
end
local function ask(kind, command)
    local words = {}
    for i, word in ipairs(command) do
        words[i] = word == KEY and keys[kind] or word
    end
    local name = containers[words[1]] and words[1] .. ' ' .. words[2] or words[1]
    table.insert(answers, {kind, name, redis.acl_check_cmd(unpack(words)) and 1 or 0})
end
for kind, commands in pairs(needed) do
    for _, command in ipairs(commands) do
        ask(kind, command)
    end
end
ask('', {'TIME'})
return answers
