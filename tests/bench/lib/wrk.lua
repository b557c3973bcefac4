-- SPDX-License-Identifier: Apache-2.0
-- Copyright the mod_sso authors

-- For wrk: one line of a file is the Cookie header of one session ('-' for a stranger); each request takes one at random. Requests
-- are put together before the clock runs. Ends with one line of JSON.

local requests = {}

function init(args)
  local host = args[2]
  for line in io.lines(args[1]) do
    local headers = { Host = host, ["Accept"] = "text/html", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-Dest"] = "document", ["Sec-Fetch-Site"] = "none" }
    if line ~= "-" then headers["Cookie"] = line end
    requests[#requests + 1] = wrk.format("GET", nil, headers)
  end
  math.randomseed(os.time())
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"micros":%d,"bytes":%d,"status":%d,"failed":%d,"p50":%d,"p99":%d}\n', summary.requests, summary.duration, summary.bytes,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
