-- With a file after the URL each request posts it, as JSON.
function init(arguments)
    if arguments[1] then
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        wrk.body = assert(io.open(arguments[1], "rb")):read("*a")
    end
end

-- What one run of wrk saw, as a line of JSON.
function done(summary, latency)
    local e = summary.errors
    io.write(string.format('{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n', summary.requests,
        summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        e.connect + e.read + e.write + e.status + e.timeout))
end
