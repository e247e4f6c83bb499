-- Attaches a user and session to a connection, and decides whether the user comes online by it.
-- KEYS connections leases attached by_user by_session online arrivals departures changed_at;
-- ARGV id user session lease now max
-- Returns 'gone' if the connection has ended, 'full' if the user has max connections, 'first' if the others are to be
-- told that the user came online, 'already' otherwise.
local id, user, session, lease, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local row = redis.call('HGET', KEYS[1], id)
if not row then return 'gone' end
local dialect, since, old_user, old_session = string.match(row, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
local max = tonumber(ARGV[6])
if max > 0 and old_user ~= user
    and redis.call('ZLEXCOUNT', KEYS[4], '[' .. user .. ' ', '(' .. user .. '!') >= max then
  return 'full'
end
redis.call('ZADD', KEYS[2], 'GT', lease, id)
local is_repeat = old_user == user and old_session == session
if not is_repeat then
  if old_user ~= '' then
    -- The previous user may be offline now. Reconciliation finds and announces that; this script does not.
    local old = id .. ' ' .. dialect .. ' ' .. old_user
    redis.call('ZREM', KEYS[3], old)
    redis.call('ZREM', KEYS[4], old_user .. ' ' .. old)
    redis.call('ZREM', KEYS[5], old_session .. ' ' .. old)
  end
  local member = id .. ' ' .. dialect .. ' ' .. user
  redis.call('HSET', KEYS[1], id, dialect .. ' ' .. since .. ' ' .. user .. ' ' .. session)
  redis.call('ZADD', KEYS[3], 0, member)
  redis.call('ZADD', KEYS[4], 0, user .. ' ' .. member)
  redis.call('ZADD', KEYS[5], 0, session .. ' ' .. member)
end
if redis.call('SADD', KEYS[6], user) == 1 then
  local left = redis.call('ZSCORE', KEYS[8], user)
  if left then
    redis.call('ZREM', KEYS[8], user)
    if left == redis.call('HGET', KEYS[9], user) then
      -- Nobody has claimed the departure, so nobody was told of it.
      redis.call('HDEL', KEYS[9], user)
      return 'already'
    end
  end
  redis.call('ZADD', KEYS[7], now, user)
  redis.call('HSET', KEYS[9], user, now)
  return 'first'
end
-- The answer to the first attach may have been lost.
if is_repeat and redis.call('ZSCORE', KEYS[7], user) then return 'first' end
return 'already'
