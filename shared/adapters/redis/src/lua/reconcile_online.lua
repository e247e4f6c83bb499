-- Removes users without a connection from one page of the online set, and records when they went offline.
-- KEYS online by_user last_seen arrivals departures changed_at; ARGV cursor count now
-- Returns the next cursor and the removed users: {cursor, {user…}}.
local page = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local removed = {}
for _, user in ipairs(page[2]) do
  if redis.call('ZLEXCOUNT', KEYS[2], '[' .. user .. ' ', '(' .. user .. '!') == 0
      and redis.call('SREM', KEYS[1], user) == 1 then
    redis.call('ZADD', KEYS[3], ARGV[3], user)
    redis.call('ZREM', KEYS[4], user)
    redis.call('ZADD', KEYS[5], ARGV[3], user)
    redis.call('HSET', KEYS[6], user, ARGV[3])
    table.insert(removed, user)
  end
end
return {page[1], removed}
