-- Remembers the lowest seq that a client misses in a conversation.
-- KEYS missed; ARGV conversation seq ttl
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before or tonumber(ARGV[2]) < tonumber(before) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
