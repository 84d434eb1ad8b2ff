-- Each connection waits before each request: an exponential time, as between requests that do not depend on each other.
local mean

function init(args)
  mean = tonumber(args[1])
  math.randomseed(os.time())
end

-- Milliseconds.
function delay()
  return math.floor(-math.log(1 - math.random()) * mean + 0.5)
end
