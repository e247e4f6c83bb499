-- Removes entries without a connection from one page of by_user or by_session, and from attached.
-- KEYS connections attached index; ARGV low count
-- Returns the lower bound of the next page, or false after the last one.
local page = redis.call('ZRANGEBYLEX', KEYS[3], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
for _, member in ipairs(page) do
  local id, dialect, user = string.match(member, '^%S+ (%S+) (%S+) (%S+)$')
  if redis.call('HEXISTS', KEYS[1], id) == 0 then
    redis.call('ZREM', KEYS[3], member)
    redis.call('ZREM', KEYS[2], id .. ' ' .. dialect .. ' ' .. user)
  end
end
if #page < tonumber(ARGV[2]) then return false end
return '(' .. page[#page]
