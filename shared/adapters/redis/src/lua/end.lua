-- Forgets a connection with its rooms; decides whether its user goes offline by it.
-- KEYS connections pings leases attached by_user by_session by_room rooms_of online departures;
-- ARGV id now
-- Answers false, or {id, line, pinged, lease, last, {room…}}.
local id = ARGV[1]
local line = redis.call('HGET', KEYS[1], id)
local pinged = redis.call('ZSCORE', KEYS[2], id)
local lease = redis.call('ZSCORE', KEYS[3], id)
redis.call('ZREM', KEYS[2], id)
redis.call('ZREM', KEYS[3], id)
-- Only a partial loss leaves heartbeats without their connection; the sweep must not meet them for ever.
if not line then return false end
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
local dialect, _, user, session = string.match(line, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
if user ~= '' then
  local member = id .. ' ' .. dialect .. ' ' .. user
  redis.call('ZREM', KEYS[4], member)
  redis.call('ZREM', KEYS[5], user .. ' ' .. member)
  redis.call('ZREM', KEYS[6], session .. ' ' .. member)
  if redis.call('ZLEXCOUNT', KEYS[5], '[' .. user .. ' ', '(' .. user .. '!') == 0 then
    redis.call('SREM', KEYS[9], user)
    redis.call('ZADD', KEYS[10], ARGV[2], user)
    last = 1
  end
end
return {id, line, pinged, lease, last, rooms}
