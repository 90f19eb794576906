-- Appends events to the stream; a job's events only in the order of their seq, each once.
-- KEYS: the stream, then one key per job that holds its last published seq.
-- ARGV: maxlen, seconds a seq key lives, the first entry of a new stream, then per event: entry, index into KEYS (0: no job), seq.
-- Answers the keys of the jobs whose earlier events are missing; nothing of them was published.
local stream, maxlen, ttl = KEYS[1], ARGV[1], ARGV[2]

if redis.call('EXISTS', stream) == 0 then
  redis.call('XADD', stream, '*', 'e', ARGV[3])
end

local last, changed, gaps = {}, {}, {}
for i = 4, #ARGV, 3 do
  local entry, job, seq = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if job == 0 then
    redis.call('XADD', stream, 'MAXLEN', '~', maxlen, '*', 'e', entry)
  else
    local key = KEYS[job]
    last[job] = last[job] or tonumber(redis.call('GET', key) or '0')
    if seq == last[job] + 1 then
      redis.call('XADD', stream, 'MAXLEN', '~', maxlen, '*', 'e', entry)
      last[job] = seq
      changed[job] = true
    elseif seq > last[job] then
      gaps[job] = true
    end
  end
end

for job in pairs(changed) do
  redis.call('SET', KEYS[job], last[job], 'EX', ttl)
end

local answer = {}
for job in pairs(gaps) do
  answer[#answer + 1] = KEYS[job]
end
return answer
