-- The connections last pinged at or before a time, oldest first, as {id, line, pinged, lease}.
-- KEYS connections pings leases; ARGV before limit
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local line = redis.call('HGET', KEYS[1], id)
  if line then
    table.insert(found, {id, line, redis.call('ZSCORE', KEYS[2], id), redis.call('ZSCORE', KEYS[3], id)})
  else
    -- Only a partial loss leaves a ping without its connection; it must not come up for ever.
    redis.call('ZREM', KEYS[2], id)
  end
end
return found
