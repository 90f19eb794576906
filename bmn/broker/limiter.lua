-- Counts one more against each limit: what this window holds, and of the window before as much as still lies in the time
-- that the limit looks at, as if it had come evenly.
-- KEYS: a hash per limit. ARGV: per limit how many are allowed, and in how many seconds.
-- Answers nothing, or the place of the first limit that is reached and the seconds until one more fits.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local refusal = {}

for i, key in ipairs(KEYS) do
  local most, life = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local window = math.floor(now / life)
  local left = (window + 1) * life - now
  local kept = redis.call('HMGET', key, 'window', 'count', 'before')
  local seen, count, before = tonumber(kept[1] or -1), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
  if seen < window then
    before = seen == window - 1 and count or 0
    count = 0
  end
  if before * left / life + count + 1 <= most then
    redis.call('HSET', key, 'window', window, 'count', count + 1, 'before', before)
    redis.call('EXPIRE', key, 2 * life)
  elseif #refusal == 0 then
    local wait
    if count < most then
      wait = left - (most - count - 1) * life / before
    else
      wait = left + life - (most - 1) * life / count
    end
    refusal = { i, tostring(wait) }
  end
end

return refusal
