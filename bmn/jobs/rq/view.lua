-- Shows jobs of one queue as RQ's data structures have them. A word that is older than the last one shown is passed over, so
-- that it does not matter in which order the processes speak.
-- KEYS: the list, the set of queue names, the registries of started, finished and failed jobs.
-- ARGV: window (ids that the list holds), life of a job's hash in seconds, queue, time as text, time, hash data, timeout,
-- how many and how long finished ones are kept, the same for failed ones, then per job: what, version, id, worker or status.
-- what: `l` in line, `w` waiting for its time, `s` started, `e` ended well, `f` failed.
local list, started, finished, failed = KEYS[1], KEYS[3], KEYS[4], KEYS[5]
local window, life, queue, text, now = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local keep = { [finished] = { tonumber(ARGV[8]), tonumber(ARGV[9]) }, [failed] = { tonumber(ARGV[10]), tonumber(ARGV[11]) } }
redis.call('SADD', KEYS[2], list)
local room = window - redis.call('LLEN', list)

local function show(id, key, version, ...)
  redis.call('HSET', key, 'v', version, 'origin', queue, ...)
end

local function retire(registry, id, key)
  local age = keep[registry][2]
  redis.call('EXPIRE', key, age)
  redis.call('ZADD', registry, now + age, id)
end

for i = 12, #ARGV, 4 do
  local what, version, id, word = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3]
  local key = 'rq:job:' .. id
  local seen = tonumber(redis.call('HGET', key, 'v') or '-1')
  if version >= seen then
    if what ~= 's' then redis.call('ZREM', started, id .. ':run') end
    if what ~= 'l' then room = room + redis.call('LREM', list, 1, id) end
    if seen < 0 then
      redis.call('HSET', key, 'created_at', text, 'enqueued_at', text, 'data', ARGV[6], 'timeout', ARGV[7],
        'description', queue .. ' ' .. string.sub(id, -36, -29))
      redis.call('EXPIRE', key, life)
    end
    if what == 'l' then
      if room > 0 and not redis.call('LPOS', list, id) then
        show(id, key, version, 'status', 'queued', 'enqueued_at', text, 'worker_name', '')
        redis.call('RPUSH', list, id)
        room = room - 1
      end
    elseif what == 's' then
      show(id, key, version, 'status', 'started', 'started_at', text, 'worker_name', word)
      redis.call('ZADD', started, now + 2 * tonumber(ARGV[7]), id .. ':run')
    elseif what == 'w' then
      show(id, key, version, 'status', 'scheduled', 'worker_name', '')
    else
      show(id, key, version, 'status', word, 'ended_at', text)
      retire(what == 'f' and failed or finished, id, key)
    end
  end
end

for registry, rule in pairs(keep) do
  local excess = redis.call('ZCARD', registry) - rule[1]
  if excess > 0 then
    for _, id in ipairs(redis.call('ZRANGE', registry, 0, excess - 1)) do
      redis.call('DEL', 'rq:job:' .. id)
    end
    redis.call('ZREMRANGEBYRANK', registry, 0, excess - 1)
  end
end
