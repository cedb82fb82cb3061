-- Takes points from a client's bucket, or gives some back. It is kept as the moment at which it will be full, in microseconds since 1970 by
-- the server's clock, so that the clocks of those who ask do not matter; one that is full is not kept.
--
-- KEYS[1] the bucket
-- ARGV    how many points it holds, how many are restored each second, how many to take (below 0: to give back),
--         and whether to take them only where they are there ("1") or in any case ("0")
--
-- Answers whether they were there (1 or 0; if not, none were taken), and how many are left, as text: numbers would be cut.
local capacity, rate, points = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
-- It is never emptier than empty, also when the clock was set back or the client had a larger bucket before.
local empty = now + math.ceil(capacity * 1000000 / rate)
local full_at = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), empty)

local function left()
  return string.format('%.3f', capacity - (full_at - now) * rate / 1000000)
end

if ARGV[4] == '1' and points > capacity - (full_at - now) * rate / 1000000 then
  return { 0, left() }
end
-- Rounded up, what is taken as what is given back: never more is granted than there was.
full_at = math.min(math.max(full_at + math.ceil(points * 1000000 / rate), now), empty)
if full_at > now then
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
else
  redis.call('DEL', KEYS[1])
end
return { 1, left() }
