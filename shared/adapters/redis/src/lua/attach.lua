-- Says who stands behind a connection; decides whether that user comes online by it.
-- KEYS connections leases attached by_user by_session online; ARGV id user session lease
-- Answers 'gone', 'first' or 'already'.
local id, user, session, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local line = redis.call('HGET', KEYS[1], id)
if not line then return 'gone' end
redis.call('ZADD', KEYS[2], 'GT', lease, id)
local dialect, since, old_user, old_session = string.match(line, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
if old_user ~= user or old_session ~= session then
  if old_user ~= '' then
    -- Whether the user before is still online is for the mending to find and to announce.
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
