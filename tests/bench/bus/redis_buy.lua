-- One order. KEYS: session, items...; ARGV: token, number of the order, units of each item...
local session = redis.call('HMGET', KEYS[1], 'token', 'order', 'body', 'reply')
if session[1] ~= ARGV[1] then
    return 'not_logged_in'
end
local number = tonumber(ARGV[2])
local last = tonumber(session[2])
local body = table.concat(KEYS, ' ', 2) .. ' ' .. table.concat(ARGV, ' ', 3)
if number == last then
    return session[3] == body and session[4] or 'order_reused'
elseif number ~= last + 1 then
    return number < last and 'order_stale' or 'order_gap'
end
local reply
local total = 0
local wanted = {}
for i = 2, #KEYS do
    local units = tonumber(ARGV[i + 1])
    wanted[KEYS[i]] = (wanted[KEYS[i]] or 0) + units
    total = total + units
    local level = redis.call('GET', KEYS[i])
    if not level then
        reply = 'unknown_item ' .. KEYS[i]
        break
    elseif tonumber(level) < wanted[KEYS[i]] then
        reply = 'insufficient_stock ' .. KEYS[i] .. ' ' .. level
        break
    end
end
if not reply then
    for i = 2, #KEYS do
        redis.call('DECRBY', KEYS[i], ARGV[i + 1])
    end
    reply = 'ok ' .. ARGV[2] .. ' ' .. total
end
redis.call('HSET', KEYS[1], 'order', ARGV[2], 'body', body, 'reply', reply)
return reply
