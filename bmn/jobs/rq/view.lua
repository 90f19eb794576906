-- Shows jobs of one queue as RQ's data structures have them. A word that is older than the last one shown is passed over, so
-- that it does not matter in which order the processes speak.
-- KEYS: the list, the set of queue names, the registries of started, finished, failed, scheduled and canceled jobs.
-- ARGV: window (ids that the list holds), life of a job's hash in seconds, queue, time as text, time, hash data, timeout,
-- how many and how long finished ones are kept, the same for failed ones, then per job: what, version, id, and worker, status or
-- moment. what: `l` in line, `w` waiting for its moment, `s` started, `e` ended well, `f` failed, `c` canceled, `d` among the
-- dead letters, which is a list beside the others: the job stays the one of its queue.
local list, started, finished, failed, scheduled, canceled = KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local window, life, queue, text, now = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local keep = { [finished] = { tonumber(ARGV[8]), tonumber(ARGV[9]) }, [failed] = { tonumber(ARGV[10]), tonumber(ARGV[11]) } }
keep[canceled] = keep[finished]
local within = { scheduled = scheduled, finished = finished, failed = failed, canceled = canceled }
local ends = { e = finished, f = failed, c = canceled }
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
  local known = redis.call('HMGET', key, 'v', 'status')
  local seen = tonumber(known[1] or '-1')
  if what == 'd' then
    if room > 0 and not redis.call('LPOS', list, id) then
      redis.call('RPUSH', list, id)
      room = room - 1
    end
  elseif version >= seen then
    if within[known[2]] then redis.call('ZREM', within[known[2]], id) end
    if what ~= 's' then redis.call('ZREM', started, id .. ':run') end
    if what ~= 'l' then room = room + redis.call('LREM', list, 1, id) end
    if seen < 0 then
      redis.call('HSET', key, 'created_at', text, 'enqueued_at', text, 'data', ARGV[6], 'timeout', 2 * ARGV[7] + 60,
        'description', queue .. ' ' .. string.sub(id, -36, -29))
      redis.call('EXPIRE', key, life)
    end
    if what == 'l' then
      if room > 0 and (seen < 0 or not redis.call('LPOS', list, id)) then
        show(id, key, version, 'status', 'queued', 'enqueued_at', text, 'worker_name', '')
        redis.call('RPUSH', list, id)
        room = room - 1
      end
    elseif what == 's' then
      show(id, key, version, 'status', 'started', 'started_at', text, 'worker_name', word)
      redis.call('ZADD', started, now + 2 * tonumber(ARGV[7]), id .. ':run')
    elseif what == 'w' then
      show(id, key, version, 'status', 'scheduled', 'worker_name', '')
      redis.call('ZADD', scheduled, word, id)
    else
      show(id, key, version, 'status', word, 'ended_at', text)
      retire(ends[what], id, key)
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
