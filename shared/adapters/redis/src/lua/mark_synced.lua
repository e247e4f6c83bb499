-- Removes last-seen times that were copied to the documents. A time that has changed since is kept.
-- KEYS last_seen; ARGV user at, user at, ...
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
