-- What wrk counted, as one line of JSON. There is no function for requests or responses, so nothing of Lua runs while it measures.
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "read": %d, "seconds": %.6f, "connect": %d, "read_errors": %d, "write": %d, ' ..
                         '"status": %d, "timeout": %d}\n', summary.requests, summary.bytes, summary.duration / 1e6,
                         errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
