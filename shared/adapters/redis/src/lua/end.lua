-- Removes a connection with its rooms, and decides whether its user goes offline by it.
-- KEYS connections pings leases attached by_user by_session by_room rooms_of online last_seen arrivals departures
-- changed_at by_address; ARGV id now
-- Returns false if there is no such connection, otherwise {id, row, pinged, lease, last, {room…}}.
local id = ARGV[1]
local row = redis.call('HGET', KEYS[1], id)
local pinged = redis.call('ZSCORE', KEYS[2], id)
local lease = redis.call('ZSCORE', KEYS[3], id)
redis.call('ZREM', KEYS[2], id)
redis.call('ZREM', KEYS[3], id)
-- Only a partial data loss leaves a ping or a lease without its connection. Both are removed above, or the
-- heartbeat would find the lease expired for ever.
if not row then return false end
redis.call('HDEL', KEYS[1], id)

local rooms = {}
local low, high = '[' .. id .. ' ', '(' .. id .. '!'
for _, joined in ipairs(redis.call('ZRANGEBYLEX', KEYS[8], low, high)) do
  local room = string.sub(joined, #id + 2)
  redis.call('ZREM', KEYS[7], room .. ' ' .. id)
  table.insert(rooms, room)
end
redis.call('ZREMRANGEBYLEX', KEYS[8], low, high)

local last = 0
local dialect, since, user, session = string.match(row, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
local address = string.match(since, '@(.+)$')
if address then redis.call('ZREM', KEYS[14], address .. ' ' .. id) end
if user ~= '' then
  local member = id .. ' ' .. dialect .. ' ' .. user
  redis.call('ZREM', KEYS[4], member)
  redis.call('ZREM', KEYS[5], user .. ' ' .. member)
  redis.call('ZREM', KEYS[6], session .. ' ' .. member)
  if redis.call('ZLEXCOUNT', KEYS[5], '[' .. user .. ' ', '(' .. user .. '!') == 0 then
    redis.call('SREM', KEYS[9], user)
    redis.call('ZADD', KEYS[10], ARGV[2], user)
    local came = redis.call('ZSCORE', KEYS[11], user)
    redis.call('ZREM', KEYS[11], user)
    if came and came == redis.call('HGET', KEYS[13], user) then
      -- Nobody has claimed the arrival, so nobody was told of it.
      redis.call('HDEL', KEYS[13], user)
    else
      redis.call('ZADD', KEYS[12], ARGV[2], user)
      redis.call('HSET', KEYS[13], user, ARGV[2])
    end
    last = 1
  end
end
return {id, row, pinged, lease, last, rooms}
