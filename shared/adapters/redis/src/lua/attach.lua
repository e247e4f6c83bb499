-- Attaches a user and session to a connection, and decides whether the user comes online by it.
-- KEYS connections leases attached by_user by_session online; ARGV id user session lease
-- Returns 'gone' if the connection has ended, 'first' if the user was offline, 'already' otherwise.
local id, user, session, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local row = redis.call('HGET', KEYS[1], id)
if not row then return 'gone' end
redis.call('ZADD', KEYS[2], 'GT', lease, id)
local dialect, since, old_user, old_session = string.match(row, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
if old_user ~= user or old_session ~= session then
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
if redis.call('SADD', KEYS[6], user) == 1 then return 'first' end
return 'already'
