-- Takes permits from a rate-limit window. Returns 1 if enough were left, otherwise 0.
-- KEYS window; ARGV count cost ttl
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if taken + tonumber(ARGV[2]) > tonumber(ARGV[1]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[2])
if taken == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
