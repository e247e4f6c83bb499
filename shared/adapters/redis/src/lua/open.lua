-- Stores a connection without an identity. A stored connection is left as it is, so that a repeated $connect
-- does not remove its identity.
-- KEYS connections pings leases by_address; ARGV id row pinged lease address max
-- Returns 0 if max connections of this address are open already.
local id, address, max = ARGV[1], ARGV[5], tonumber(ARGV[6])
if redis.call('HEXISTS', KEYS[1], id) == 1 then return 1 end
if address ~= '' then
  if max > 0 and redis.call('ZLEXCOUNT', KEYS[4], '[' .. address .. ' ', '(' .. address .. '!') >= max then
    return 0
  end
  redis.call('ZADD', KEYS[4], 0, address .. ' ' .. id)
end
redis.call('HSET', KEYS[1], id, ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], id)
redis.call('ZADD', KEYS[3], ARGV[4], id)
return 1
