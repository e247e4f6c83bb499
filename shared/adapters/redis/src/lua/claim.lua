-- Claims presence changes that nobody has claimed, and those whose claim is over. A claim moves the score from the
-- time of the change to the end of the claim.
-- KEYS arrivals departures changed_at; ARGV now left_before claimed_until limit [user]
-- Returns {{user, online, at}…}.
local claimed_until, limit, only = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local found = {}
local function due(key, time)
  if not only then
    return redis.call('ZRANGEBYSCORE', key, '-inf', time, 'LIMIT', 0, limit - #found)
  end
  local score = redis.call('ZSCORE', key, only)
  if score and tonumber(score) <= tonumber(time) then return {only} end
  return {}
end
local function claim(key, online, time)
  for _, user in ipairs(due(key, time)) do
    local at = redis.call('HGET', KEYS[3], user)
    if at then
      redis.call('ZADD', key, claimed_until, user)
      table.insert(found, {user, online, at})
    else
      redis.call('ZREM', key, user)
    end
  end
end
claim(KEYS[1], 1, ARGV[1])
claim(KEYS[2], 0, ARGV[2])
return found
