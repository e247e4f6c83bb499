-- Joins a connection to a room. Does nothing if the connection has ended.
-- KEYS connections by_room rooms_of; ARGV id room
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[2] .. ' ' .. ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[1] .. ' ' .. ARGV[2])
return 1
