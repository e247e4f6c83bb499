-- Stores a session until it expires, and drops expired sessions from the user's index. The index lives as long
-- as its longest session.
-- KEYS session of_user; ARGV id user hash device created seen expires ttl
redis.call('HSET', KEYS[1], 'user', ARGV[2], 'hash', ARGV[3], 'device', ARGV[4],
  'created', ARGV[5], 'seen', ARGV[6], 'expires', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[7], ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[8]) then redis.call('PEXPIRE', KEYS[2], ARGV[8]) end
return 1
