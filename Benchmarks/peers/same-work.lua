-- wrk: the same work as bench-concurrent's: user ids of its own, the answer read, the task's id kept, the task released.
local count, held = 0, {}
local headers = { ["Content-Type"] = "application/json" }

function request()
  local task = table.remove(held)
  if task then
    return wrk.format("POST", "/api/release", headers, '{"taskId":"' .. task .. '"}')
  end
  count = count + 1
  return wrk.format("POST", "/api/acquire", headers, string.format('{"userId":"benchmark-user-%06d"}', count))
end

function response(status, fields, body)
  local task = body:match('"taskId"%s*:%s*"([^"]+)"')
  if task then held[#held + 1] = task end
end
