-- Delays each request of a connection by an exponentially distributed time, as between independent requests.
local mean

function init(args)
  mean = tonumber(args[1])
  math.randomseed(os.time())
end

-- Milliseconds.
function delay()
  return math.floor(-math.log(1 - math.random()) * mean + 0.5)
end
