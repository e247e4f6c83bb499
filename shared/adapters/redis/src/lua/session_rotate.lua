-- Replaces a session's current refresh hash. An earlier hash ends the session, because its token may have been
-- stolen.
-- KEYS session used of_user; ARGV id shown new now expires ttl keep
-- Returns {'rotated' or 'reused', user, hash, device, created, seen, expires}; false if the session is not
-- live or the hash was never its own.
local row = redis.call('HMGET', KEYS[1], 'user', 'hash', 'device', 'created', 'seen', 'expires')
if not row[1] or tonumber(row[6]) <= tonumber(ARGV[4]) then return false end

if row[2] == ARGV[2] then
  -- A used hash is kept until its token would have expired. Only the newest `keep` hashes are kept, so that
  -- a session refreshed for months stays small.
  redis.call('ZADD', KEYS[2], row[6], row[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[7]))
  redis.call('HSET', KEYS[1], 'hash', ARGV[3], 'seen', ARGV[4], 'expires', ARGV[5])
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
  if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[3], ARGV[6]) end
  return {'rotated', row[1], ARGV[3], row[3], row[4], ARGV[4], ARGV[5]}
end

if redis.call('ZSCORE', KEYS[2], ARGV[2]) then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return {'reused', row[1], row[2], row[3], row[4], row[5], row[6]}
end
return false
