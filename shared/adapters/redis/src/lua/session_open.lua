-- Stores a session until it expires, drops expired sessions from the user's index, and ends the user's sessions that
-- expire first when there are too many. The index lives as long as its longest session.
-- KEYS session of_user, then session and used for each known id;
-- ARGV id user hash device created seen expires ttl per_user, then the known ids
-- Returns the ids of the sessions that it ended; false, without any change, if one of them is not a known id.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
local others = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if id ~= ARGV[1] then table.insert(others, id) end
end
local known = {}
for i = 10, #ARGV do known[ARGV[i]] = 2 * i - 17 end

local ended = {}
for i = 1, #others + 1 - tonumber(ARGV[9]) do
  if not known[others[i]] then return false end
  table.insert(ended, others[i])
end
for _, id in ipairs(ended) do
  redis.call('DEL', KEYS[known[id]], KEYS[known[id] + 1])
  redis.call('ZREM', KEYS[2], id)
end

redis.call('HSET', KEYS[1], 'user', ARGV[2], 'hash', ARGV[3], 'device', ARGV[4],
  'created', ARGV[5], 'seen', ARGV[6], 'expires', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[8]) then redis.call('PEXPIRE', KEYS[2], ARGV[8]) end
return ended
