-- Shows waiting jobs in RQ's list, no more than the window holds; the rest wait in SQL.
-- KEYS: the list, the set of queue names. ARGV: window, life of a job's hash in seconds, queue, time, then per job:
-- id, hash data, description, timeout. Answers the ids that were pushed.
local window, life, queue, now = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local pushed = {}
redis.call('SADD', KEYS[2], KEYS[1])
local room = window - redis.call('LLEN', KEYS[1])
for i = 5, #ARGV, 4 do
  if room <= 0 then break end
  local id = ARGV[i]
  local key = 'rq:job:' .. id
  redis.call('HSET', key, 'status', 'queued', 'origin', queue, 'created_at', now, 'enqueued_at', now, 'data', ARGV[i + 1],
    'description', ARGV[i + 2], 'timeout', ARGV[i + 3], 'started_at', '', 'ended_at', '', 'worker_name', '')
  redis.call('EXPIRE', key, life)
  redis.call('RPUSH', KEYS[1], id)
  pushed[#pushed + 1] = id
  room = room - 1
end
return pushed
