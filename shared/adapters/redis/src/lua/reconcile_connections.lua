-- Restores the pings, leases, index entries and online users of one page of connections.
-- KEYS connections pings leases attached by_user by_session online by_address; ARGV cursor count
-- Returns the next cursor.
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
for i = 1, #page[2], 2 do
  local id, row = page[2][i], page[2][i + 1]
  local dialect, opened, user, session = string.match(row, '^(%S+) (%S+) ?(%S*) ?(%S*)$')
  local since, address = string.match(opened, '^([^@]+)@?(.*)$')
  if address ~= '' then redis.call('ZADD', KEYS[8], 0, address .. ' ' .. id) end
  -- A connection without a lease would never expire. The time of the connect makes it due for a ping and
  -- expired, so it ends unless its client answers in time.
  redis.call('ZADD', KEYS[2], 'NX', since, id)
  redis.call('ZADD', KEYS[3], 'NX', since, id)
  if user ~= '' then
    local member = id .. ' ' .. dialect .. ' ' .. user
    redis.call('ZADD', KEYS[4], 0, member)
    redis.call('ZADD', KEYS[5], 0, user .. ' ' .. member)
    redis.call('ZADD', KEYS[6], 0, session .. ' ' .. member)
    redis.call('SADD', KEYS[7], user)
  end
end
return page[1]
