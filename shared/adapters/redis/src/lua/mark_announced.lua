-- Forgets presence changes that were announced. A change that differs is kept.
-- KEYS arrivals departures changed_at; ARGV user online at, user online at, ...
for i = 1, #ARGV, 3 do
  local user, key = ARGV[i], ARGV[i + 1] == '1' and KEYS[1] or KEYS[2]
  if redis.call('HGET', KEYS[3], user) == ARGV[i + 2] and redis.call('ZREM', key, user) == 1 then
    redis.call('HDEL', KEYS[3], user)
  end
end
return 1
