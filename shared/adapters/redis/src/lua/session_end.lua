-- Ends sessions of one user; answers the ids of those that lived.
-- KEYS of_user then session, used for each id; ARGV user then the ids
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
