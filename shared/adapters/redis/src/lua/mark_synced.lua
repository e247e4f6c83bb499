-- Forgets departures that the documents know of, but not those that are newer than what was carried over.
-- KEYS departures; ARGV user at, user at, ...
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
