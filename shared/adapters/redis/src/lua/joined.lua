-- Lists the attached connections of a room, as 'id dialect user'.
-- KEYS connections by_room; ARGV room
local found = {}
local low, high = '[' .. ARGV[1] .. ' ', '(' .. ARGV[1] .. '!'
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], low, high)) do
  local id = string.sub(member, #ARGV[1] + 2)
  local row = redis.call('HGET', KEYS[1], id)
  if row then
    local dialect, _, user = string.match(row, '^(%S+) (%S+) ?(%S*)')
    if user ~= '' then table.insert(found, id .. ' ' .. dialect .. ' ' .. user) end
  else
    redis.call('ZREM', KEYS[2], member)
  end
end
return found
