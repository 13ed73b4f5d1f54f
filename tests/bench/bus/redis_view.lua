-- The units of one item. KEYS: session, item; ARGV: token.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
    return 'not_logged_in'
end
return redis.call('GET', KEYS[2]) or 'unknown_item'
