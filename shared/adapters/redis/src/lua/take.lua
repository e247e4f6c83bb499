-- Takes one permit from a rate-limit window. Returns 1 if one was left, otherwise 0.
-- KEYS window; ARGV count ttl
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if taken >= tonumber(ARGV[1]) then return 0 end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
