-- Ends sessions of one user. A session of another user is left alone.
-- KEYS of_user, then session and used for each id; ARGV user, then the ids
-- Returns the ids of the sessions that it ended.
local ended = {}
for i = 2, #ARGV do
  local session, used = KEYS[2 * i - 2], KEYS[2 * i - 1]
  local user = redis.call('HGET', session, 'user')
  if user == ARGV[1] then
    redis.call('DEL', session, used)
    table.insert(ended, ARGV[i])
  end
  if not user or user == ARGV[1] then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return ended
