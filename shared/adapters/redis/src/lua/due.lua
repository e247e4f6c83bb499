-- Lists the connections last pinged at or before a time, oldest first, as {id, row, pinged, lease}.
-- KEYS connections pings leases; ARGV before limit
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local row = redis.call('HGET', KEYS[1], id)
  if row then
    table.insert(found, {id, row, redis.call('ZSCORE', KEYS[2], id), redis.call('ZSCORE', KEYS[3], id)})
  else
    -- Only a partial data loss leaves a ping without its connection. Remove it, or it stays due for ever.
    redis.call('ZREM', KEYS[2], id)
  end
end
return found
