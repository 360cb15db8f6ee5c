-- A run of wrk: checks the status of every response and prints its figures as one line of JSON.
-- Arguments: the expected status; to trigger runs also a seed, the CSRF token (none for the
-- API itself) and the paths to trigger at, in turn. Every trigger has a key of its own.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local paths, csrf, turn = {}, "", 0

function init(args)
  expected, unexpected = tonumber(args[1]), 0
  if not args[2] then return end
  math.randomseed(tonumber(args[2]) + number)
  csrf = args[3]
  for index = 4, #args do table.insert(paths, args[index]) end
  request = trigger
end

local function key()
  return (string.gsub("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", "x", function()
    return string.format("%x", math.random(0, 15))
  end))
end

function trigger()
  turn = turn % #paths + 1
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  if csrf == "none" then
    headers["Idempotency-Key"] = key()
    return wrk.format("POST", paths[turn], headers, "")
  end
  headers["Content-Type"] = "application/x-www-form-urlencoded"
  local body = "csrfmiddlewaretoken=" .. csrf .. "&key=" .. key()
  return wrk.format("POST", paths[turn], headers, body)
end

function response(status)
  if status ~= expected then unexpected = unexpected + 1 end
end

function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("unexpected") end
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f, "unexpected": %d, "unanswered": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    wrong, errors.connect + errors.read + errors.write + errors.timeout))
end
