-- Gives one permit back to a rate-limit window, if one is taken.
-- KEYS window
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if taken > 0 then redis.call('DECR', KEYS[1]) end
return 1
