"""What a test finds around it: the programs under test, how slow they may be, what is installed."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def slowness():
    """By what the time-outs of the tests are multiplied."""
    return float(os.environ.get("RR_TEST_SLOWNESS", "1"))


def scaled(seconds):
    """A time-out in seconds, made longer for slow builds. Never use it for a duration that a test *measures*."""
    return seconds * slowness()


def long_run():
    """True when the long repetitions are wanted (./check --all)."""
    return os.environ.get("RR_LONG", "") not in ("", "0")


def bin_folder():
    """The folder of the programs under test."""
    if os.environ.get("RR_BIN"):
        return pathlib.Path(os.environ["RR_BIN"]).resolve()
    folders = [ROOT / "build" / name / "bin" for name in ("dev", "release")] + [ROOT / "build" / "bin"]
    built = [(max(file.stat().st_mtime for file in folder.glob("rr-*")), folder)
             for folder in folders if any(folder.glob("rr-*"))]
    if not built:
        raise FileNotFoundError("no programs found: build them (cmake --preset dev && cmake --build --preset dev) "
                                "or name their folder in RR_BIN")
    return max(built)[1]


def program(name):
    """The path of a program under test, e.g. program("rr-lb")."""
    path = bin_folder() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built (RR_BIN names the folder of the programs)")
    return str(path)


_sanitizers = {}


def sanitizer(path=None):
    """Which sanitizer a program was built with: "address", "thread" or "". Default: rr-lb. Memory bounds are measured
    on builds without one: AddressSanitizer keeps freed memory in quarantine."""
    path = str(path or program("rr-lb"))
    if path not in _sanitizers:
        binary = pathlib.Path(path).read_bytes()
        _sanitizers[path] = ("address" if b"__asan_init" in binary else "thread" if b"__tsan_init" in binary else "")
    return _sanitizers[path]


def skip(reason):
    """Ends the test as skipped. Skips are listed with their reasons at the end of the run: say what is missing."""
    raise unittest.SkipTest(reason)


def need_command(name, package=None):
    """The path of a command that a test cannot do without; skips, visibly, when it is not installed."""
    path = shutil.which(name)
    if path is None:
        skip(f"{name} is not installed (apt-get install {package or name})")
    return path


# Brings the loopback interface of a new network namespace up, and becomes the command.
_LOOPBACK_UP = """import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
os.execvp(sys.argv[1], sys.argv[1:])"""


def in_private_network(*command):
    """The command line that runs a command in a network of its own that has nothing but loopback: there even the port
    8080 of the documentation is free, and there is no way out. Skips where the kernel does not allow it."""
    prefix = [need_command("unshare", "util-linux"), "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    full = [*prefix, sys.executable, "-c", _LOOPBACK_UP]
    probe = subprocess.run([*full, "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        skip(f"network namespaces are not allowed here: {probe.stderr.strip().splitlines()[-1:]}")
    return [*full, *[str(part) for part in command]]
