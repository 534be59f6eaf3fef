"""Load generators that people know: h2load, for a second opinion on latencies, and wrk, for saturation only.

wrk waits for an answer before it asks again, so of latencies it sees nothing while the proxy stalls; only what it counts is taken
from it. Neither looks at the content of an answer: that is what the load of this repository is for.
"""

import json
import pathlib
import re

from versus import contenders

H2LOAD_DIFFERS = (
    "h2load's latency counts from when it sent a request, not from when the request was due: one that had to wait for a free connection "
    "is as quick for it as any other. Each of its connections has a rate of its own and is given what is due every 10 ms, so it asks in "
    "bursts; the load of this repository spreads the same requests evenly and gives each to any connection that is free. Its first "
    "column counts from when a request was due, its second from when it was sent: that one is to be compared with h2load's.")
WRK_DIFFERS = ("wrk counts answers and bytes; what it says of latencies is not taken, since it asks again only when it has its answer. "
               "One thread of it and the targets share a processor, and the proxy has the other; with two workers nothing is pinned. With "
               "one connection and one worker most of the time goes by while the processors wake each other up.")


class Misread(Exception):
    """A generator said something that was not expected."""


def versions():
    """{generator: its version} of those that are here."""
    found = {name: contenders.find_program(name) for name in ("h2load", "wrk")}
    flags = {"h2load": "--version", "wrk": "-v"}
    return {name: contenders.version_of(program, flags[name]) for name, program in found.items() if program}


def h2load_arguments(address, connections, rate, seconds, log):
    """Its rate is one of each connection. It is told a number of requests, since it takes a time in whole seconds only."""
    each = max(1, round(rate * seconds / connections))
    return ["--h1", "--threads=1", f"--clients={connections}", f"--requests={each * connections}", f"--rps={rate / connections:.3f}",
            f"--log-file={log}", f"http://{address}/200"]


def wrk_arguments(address, connections, path, seconds):
    """It takes whole seconds."""
    script = pathlib.Path(__file__).resolve().parent / "wrk.lua"
    return ["--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s", "--timeout", "10s",
            "--script", str(script), f"http://{address}{path}"]


def numbers(pattern, text, what):
    found = re.search(pattern, text)
    if not found:
        raise Misread(f"no {what} in what it printed:\n{text[-2000:]}")
    return [int(one) for one in found.groups()]


def read_h2load(text, log):
    """What it printed, and its log with a line a request: start in us, status, us. {requests, errors, bytes, p50_us, ...}."""
    total, started, done, succeeded, failed, errored, timeout = numbers(
        r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text,
        "count of requests")
    good, = numbers(r"status codes: (\d+) 2xx", text, "status codes")
    size, = numbers(r"headers \(space savings [\d.-]+%\), [\d.]+\w+ \((\d+)\) data", text, "count of bytes")
    took = sorted(int(line.split("\t")[2]) for line in log.splitlines() if line.split("\t")[1] == "200")
    # Those that failed are among those that are done, and those that it never sent among the total.
    errors = max(failed + errored + timeout, total - started, started - min(done, succeeded, good, len(took)))
    return {"requests": good, "errors": errors, "bytes": size, **percentiles(took)}


def percentiles(ordered):
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {f"{name}_us": ordered[int(part * last)]
            for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1))}


def read_wrk(text):
    """What wrk.lua printed: {requests, errors, read (bytes with heads), seconds}."""
    line = next((line for line in text.splitlines() if line.startswith("{")), None)
    if line is None:
        raise Misread(f"no count in what it printed:\n{text[-2000:]}")
    said = json.loads(line)
    errors = sum(said[kind] for kind in ("connect", "read_errors", "write", "status", "timeout"))
    return {"requests": said["requests"] - said["status"], "errors": errors, "read": said["read"], "seconds": said["seconds"]}
