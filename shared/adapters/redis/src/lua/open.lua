-- Stores a connection without an identity. A stored connection is left as it is, so that a repeated $connect
-- does not remove its identity.
-- KEYS connections pings leases; ARGV id row pinged lease
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
end
return 1
