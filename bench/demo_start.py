"""How long `./demo` takes to its first line when everything is built: nothing is to be fetched, and little to be looked at."""

import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIRST_LINE = "round-robin:"
PATIENCE_SECONDS = 60


def with_loopback_only():
    """What to put before a command, so that it has a network with nothing in it but itself; [] where that is not allowed."""
    prefix = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), sys.executable, __file__]
    try:
        allowed = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return prefix if allowed else []


def start(prefix):
    """(seconds to the first line of the demo, seconds until its tier answers). It is ended then."""
    with tempfile.TemporaryDirectory(prefix="rr-demo-") as state:
        began = time.monotonic()
        demo = subprocess.Popen([*prefix, str(ROOT / "demo"), "--no-install"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, env={**os.environ, "XDG_STATE_HOME": state})
        overdue = threading.Timer(PATIENCE_SECONDS, demo.kill)  # what it has not said by then it does not say
        overdue.start()
        try:
            return read(demo, began)
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.communicate()
            overdue.cancel()


def read(demo, began):
    first, lines = None, []
    for line in demo.stdout:
        lines.append(line)
        if line.startswith(FIRST_LINE):
            first = time.monotonic() - began
        if first is not None and "http://" in line:
            return first, time.monotonic() - began
    raise RuntimeError("./demo did not start:\n" + "".join(lines[-10:]))


def measure(times):
    prefix = with_loopback_only()
    start(prefix)  # what was just built is not in memory yet, and the first one after a build is not the second one
    found = sorted(start(prefix) for _ in range(times))
    first, answers = found[len(found) // 2]
    return {"first_line_seconds": first, "tier_answers_seconds": answers, "starts": times, "without_network": bool(prefix)}


if __name__ == "__main__":  # in a new network: loopback is down there
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    os.execvp(sys.argv[1], sys.argv[1:])
