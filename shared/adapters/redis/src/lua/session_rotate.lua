-- Replaces a session's current refresh hash. The hash that the latest rotation replaced is answered with that rotation's
-- result for a while, because two tabs refresh at once and answers are lost. Any earlier hash ends the session, because
-- its token may have been stolen.
-- KEYS session used of_user; ARGV id shown new now expires lifetime keep sealed grace
-- Returns {'rotated', 'repeated' or 'reused', user, hash, device, created, seen, expires, sealed}; false if the session
-- is not live or the hash was never its own.
local row = redis.call('HMGET', KEYS[1], 'user', 'hash', 'device', 'created', 'seen', 'expires',
  'replaced', 'sealed', 'rotated')
local now = tonumber(ARGV[4])
if not row[1] or tonumber(row[6]) <= now then return false end

if row[2] == ARGV[2] then
  local until_ = math.min(tonumber(ARGV[5]), tonumber(row[4]) + tonumber(ARGV[6]))
  if until_ <= now then return false end
  local expires, ttl = string.format('%.0f', until_), string.format('%.0f', until_ - now)
  -- A used hash is kept until its token would have expired. Only the newest `keep` hashes are kept, so that
  -- a session refreshed for months stays small.
  redis.call('ZADD', KEYS[2], row[6], row[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[7]))
  redis.call('HSET', KEYS[1], 'hash', ARGV[3], 'seen', ARGV[4], 'expires', expires,
    'replaced', ARGV[2], 'sealed', ARGV[8], 'rotated', ARGV[4])
  redis.call('ZADD', KEYS[3], expires, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
  redis.call('PEXPIRE', KEYS[2], ttl)
  if redis.call('PTTL', KEYS[3]) < until_ - now then redis.call('PEXPIRE', KEYS[3], ttl) end
  return {'rotated', row[1], ARGV[3], row[3], row[4], ARGV[4], expires, ARGV[8]}
end

if row[7] == ARGV[2] and now - tonumber(row[9]) < tonumber(ARGV[9]) then
  return {'repeated', row[1], row[2], row[3], row[4], row[5], row[6], row[8]}
end

if redis.call('ZSCORE', KEYS[2], ARGV[2]) then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return {'reused', row[1], row[2], row[3], row[4], row[5], row[6], row[8] or ''}
end
return false
