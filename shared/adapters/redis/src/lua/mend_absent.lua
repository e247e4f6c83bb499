-- Takes users without a connection out of the set, one page of it; answers {cursor, {user…}}.
-- KEYS online by_user departures; ARGV cursor count now
local page = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local gone = {}
for _, user in ipairs(page[2]) do
  if redis.call('ZLEXCOUNT', KEYS[2], '[' .. user .. ' ', '(' .. user .. '!') == 0
      and redis.call('SREM', KEYS[1], user) == 1 then
    redis.call('ZADD', KEYS[3], ARGV[3], user)
    table.insert(gone, user)
  end
end
return {page[1], gone}
