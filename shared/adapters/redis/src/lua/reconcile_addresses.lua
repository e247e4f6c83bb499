-- Removes entries without a connection from one page of by_address.
-- KEYS connections by_address; ARGV low count
-- Returns the lower bound of the next page, or false after the last one.
local page = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
for _, member in ipairs(page) do
  if redis.call('HEXISTS', KEYS[1], string.match(member, '(%S+)$')) == 0 then
    redis.call('ZREM', KEYS[2], member)
  end
end
if #page < tonumber(ARGV[2]) then return false end
return '(' .. page[#page]
