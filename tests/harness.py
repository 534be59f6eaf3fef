#!/usr/bin/env python3
"""What the process tests stand on: real programs, real sockets, and nothing left behind.

A process test starts the built programs, talks to them over sockets or with curl, and asserts on what it sees. This
module gives it:

  TestCase          a folder and a mark of its own; everything it started is ended by pid, also when it fails, and the
                    last output of each program is printed then; a sanitizer's report in any of them fails the test
  Program           a child process whose output is read as it comes: wait_for(regex), stop(signal), kill()
  Connection        a raw HTTP client: send any bytes, read one framed response, or everything until the end
  Target            a scripted HTTP server on threads that records what it saw
  curl()            the real curl
  marked_processes, open_descriptors, memory_kib   the process table, as /proc tells it

and a runner:

  tests/harness.py --suite wire                 every test in tests/wire
  tests/harness.py --suite wire --suite real -j2
  tests/harness.py --suite real 'az_fail'       the tests whose name matches a regular expression
  tests/harness.py --suite wire --list

It prints a line a test, failures with their output, and last `N passed, N failed, N skipped`. It exits with 1 when a
test failed or none ran.

Environment:
  RR_BIN            the folder of the programs; default: the newest of build/dev/bin, build/release/bin and build/bin
  RR_TEST_SLOWNESS  every time-out of the tests is multiplied by it (5 suits sanitizer builds)
  RR_TEST_LIMIT     seconds after which one test is given up (300, times the slowness)
  RR_LONG           1: the long repetitions too
"""

import argparse
import collections
import contextlib
import fcntl
import importlib.util
import json
import os
import pathlib
import pty
import queue
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK_VARIABLE = "RR_TEST_MARK"


# ---------------------------------------------------------------------------------------------------- settings

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


def eventually(condition, what, timeout=10.0):
    """Waits until condition() is true (or returns something true) and returns that. `what` says what is waited for.
    This is the one place where a test may poll: for things that send no message, like the process table."""
    end = time.monotonic() + scaled(timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {scaled(timeout):.1f} s in vain until {what}; last seen: {value!r}")
        time.sleep(0.01)


# ----------------------------------------------------------------------------------------------- process table

def _environment_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def all_pids():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def marked_processes(mark):
    """[(pid, command line)] of the living processes that inherited RR_TEST_MARK=mark, whoever their parent now is.
    A daemon that left its session and its parent still carries its environment; a zombie does not count."""
    wanted = f"{MARK_VARIABLE}={mark}".encode()
    found = []
    for pid in all_pids():
        if pid != os.getpid() and wanted in _environment_of(pid).split(b"\0"):
            found.append((pid, command_line(pid)))
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def parent_of(pid):
    """The parent's pid; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None


def descendants(pid):
    """The pids of all living children, grandchildren, ... of a process. Those that changed parent are not among them:
    marked_processes finds these."""
    children = collections.defaultdict(list)
    for one in all_pids():
        children[parent_of(one)].append(one)
    found, unseen = [], [pid]
    while unseen:
        for child in children[unseen.pop()]:
            found.append(child)
            unseen.append(child)
    return found


def process_state(pid):
    """The one-letter state of /proc/PID/stat (R, S, D, T, Z, ...); None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0].decode()
    except (OSError, IndexError):
        return None


def kill_by_pid(pid, mark):
    """Sends SIGKILL to a process, but only while it still carries the mark: a pid that the kernel gave to somebody else
    in the meantime is not touched (the pidfd holds on to the process that was looked at)."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            if f"{MARK_VARIABLE}={mark}".encode() in _environment_of(pid).split(b"\0"):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def open_descriptors(pid):
    """What the open descriptors of a process are, as {number: "socket:[123]"}."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def memory_kib(pid, field="VmRSS"):
    """Resident memory of a process in KiB (VmRSS now, VmHWM its highest)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError(f"/proc/{pid}/status has no {field}")


# -------------------------------------------------------------------------------------------------- addresses

_next_loopback = 0


def loopback_host():
    """An address of 127/8 that no other test process uses: 127.64-127.x.y, from this process's pid and a counter."""
    global _next_loopback
    _next_loopback += 1
    return f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.{_next_loopback % 254 + 1}"


def free_address(host=None):
    """(host, port) that the kernel chose and that is free now. On a loopback address of this process's own, so nobody
    else takes it before the program under test does."""
    host = host or loopback_host()
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()


@contextlib.contextmanager
def refused_address(host="127.0.0.1"):
    """(host, port) where every connection is refused for as long as the context lives: bound, never listening."""
    with socket.socket() as holder:
        holder.bind((host, 0))
        yield holder.getsockname()


def text_address(address):
    """("127.0.0.1", 80) as 127.0.0.1:80; a string is left as it is."""
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


def parse_address(address):
    """127.0.0.1:80 or http://127.0.0.1:80/ as ("127.0.0.1", 80); a pair is left as it is."""
    if not isinstance(address, str):
        return tuple(address[:2])
    host, _, port = address.removeprefix("http://").split("/")[0].rpartition(":")
    return host.strip("[]"), int(port)


# ---------------------------------------------------------------------------------------------------- Program

class Program:
    """A child process whose output is collected line by line while it runs.

    command     a list; its first part may be the bare name of a program under test ("rr-lb")
    environment added to the test's own (a value of None removes a variable)
    terminal    True: standard input, output and error are a terminal of 80x24 (and the child leads a session of its
                own, so that send("\\x03") is Ctrl-C)
    """

    def __init__(self, command, environment=None, cwd=None, mark=None, terminal=False, pass_fds=(), name=None):
        self.command = [str(part) for part in command]
        if "/" not in self.command[0] and self.command[0].startswith("rr-"):
            self.command[0] = program(self.command[0])
        self.name = name or os.path.basename(self.command[0])
        self.mark = mark or f"{os.getpid()}-{time.monotonic_ns()}"
        self._changed = threading.Condition()
        self._lines = []  # (stream, text)
        self._partial = {}
        self._terminal = None
        full = dict(os.environ)
        full[MARK_VARIABLE] = self.mark
        full.update(environment or {})
        full = {key: str(value) for key, value in full.items() if value is not None}
        if terminal:
            self._start_on_terminal(full, cwd, pass_fds)
        else:
            self.process = subprocess.Popen(self.command, env=full, cwd=cwd, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=pass_fds)
            streams = {"stdout": self.process.stdout.fileno(), "stderr": self.process.stderr.fileno()}
            self._readers = [threading.Thread(target=self._read, args=(name_of, descriptor), daemon=True)
                             for name_of, descriptor in streams.items()]
        self.pid = self.process.pid
        for reader in self._readers:
            reader.start()

    def _start_on_terminal(self, environment, cwd, pass_fds):
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment.setdefault("TERM", "xterm-256color")
        self.process = subprocess.Popen(self.command, env=environment, cwd=cwd, stdin=inner, stdout=inner,
                                        stderr=inner, start_new_session=True, pass_fds=pass_fds,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(inner)
        self._readers = [threading.Thread(target=self._read, args=("terminal", self._terminal), daemon=True)]

    def _read(self, stream, descriptor):
        pending = b""
        while True:
            try:
                chunk = os.read(descriptor, 65536)
            except OSError:  # a terminal whose last writer is gone answers EIO
                chunk = b""
            with self._changed:
                *whole, pending = (pending + chunk).split(b"\n")
                self._lines += [(stream, line.decode(errors="replace").rstrip("\r")) for line in whole]
                self._partial[stream] = pending.decode(errors="replace")
                if not chunk and pending:
                    self._lines.append((stream, self._partial.pop(stream)))
                self._changed.notify_all()
            if not chunk:
                return

    # -- output

    def lines(self, stream=None, since=0):
        """The lines so far, of one stream ("stdout", "stderr", "terminal") or of all; the unfinished last line too."""
        with self._changed:
            whole = [text for of, text in self._lines if stream in (None, of)]
            return (whole + [text for of, text in self._partial.items() if text and stream in (None, of)])[since:]

    def text(self, stream=None, since=0):
        return "\n".join(self.lines(stream, since))

    def position(self, stream=None):
        """To be given as `since`: only what comes after this moment counts."""
        with self._changed:
            return sum(1 for of, _ in self._lines if stream in (None, of))

    def wait_for(self, pattern, timeout=10.0, stream=None, since=0):
        """Waits until a line matches the regular expression and returns the match. Fails when the time is over, or
        when the program has ended and will not say it any more."""
        expression = re.compile(pattern)
        end = time.monotonic() + scaled(timeout)
        while True:
            with self._changed:
                for line in self.lines(stream, since):
                    match = expression.search(line)
                    if match:
                        return match
                if not any(reader.is_alive() for reader in self._readers):
                    self.process.wait()
                    raise AssertionError(f"{self.name} ended (exit {self.returncode}) without saying /{pattern}/\n"
                                         + self.tail())
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.name} did not say /{pattern}/ within {scaled(timeout):.1f} s\n"
                                         + self.tail())
                self._changed.wait(min(left, 0.2))

    def tail(self, count=40):
        """The last lines of output, labelled, for messages."""
        with self._changed:
            lines = self._lines + [(stream, text) for stream, text in self._partial.items() if text]
        shown = "\n".join(f"  {stream:6} | {text}" for stream, text in lines[-count:]) or "  (no output)"
        return f"--- {' '.join(self.command)} (pid {self.pid}, exit {self.returncode}), last {count} lines\n{shown}"

    # -- life

    @property
    def running(self):
        return self.process.poll() is None

    @property
    def returncode(self):
        """None while it runs; -N when signal N ended it."""
        return self.process.poll()

    def send(self, text):
        """Writes to standard input (or types into the terminal)."""
        content = text if isinstance(text, bytes) else text.encode()
        if self._terminal is not None:
            os.write(self._terminal, content)
        else:
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def close_input(self):
        self.process.stdin.close()

    def send_signal(self, number):
        if self.running:
            self.process.send_signal(number)

    def wait(self, timeout=10.0):
        """Waits for the end, returns the exit status, with all output read."""
        try:
            self.process.wait(scaled(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {scaled(timeout):.1f} s\n" + self.tail()) from None
        for reader in self._readers:  # a grandchild may hold the pipe open: what is there is enough then
            reader.join(1.0 if self._terminal is None else 0.2)
        return self.process.returncode

    def stop(self, number=signal.SIGTERM, timeout=10.0):
        """Sends a signal and waits for the end; returns the exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, and waits."""
        if self.running:
            self.process.kill()
        self.process.wait()

    def close(self):
        """Ends it, and everything that inherited its mark, and closes the pipes."""
        if self.running:
            with contextlib.suppress(OSError):
                self.process.send_signal(signal.SIGCONT)
            self.kill()
        for reader in self._readers:
            reader.join(0.2)
        if self._terminal is not None:
            with contextlib.suppress(OSError):
                os.close(self._terminal)
            self._terminal = None
            return
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if not any(reader.is_alive() for reader in self._readers) or stream is self.process.stdin:
                    stream.close()


class Finished:
    """A command that has run to its end."""

    def __init__(self, command, returncode, stdout, stderr, seconds):
        self.command, self.returncode, self.seconds = command, returncode, seconds
        self.stdout, self.stderr = stdout, stderr

    def __repr__(self):
        return f"{' '.join(self.command)}: exit {self.returncode}\nstdout:\n{self.stdout}\nstderr:\n{self.stderr}"


def run(command, timeout=30.0, environment=None, cwd=None, mark=None, text_input=""):
    """Runs a command to its end, e.g. run(["rr-lb", "--version"]); returns Finished."""
    began = time.monotonic()
    one = Program(command, environment=environment, cwd=cwd, mark=mark)
    try:
        with contextlib.suppress(BrokenPipeError):
            one.send(text_input)
            one.close_input()
        code = one.wait(timeout)
        return Finished(one.command, code, _with_newline(one.text("stdout")), _with_newline(one.text("stderr")),
                        time.monotonic() - began)
    finally:
        one.close()


def _with_newline(text):
    return text + "\n" if text else ""


# ------------------------------------------------------------------------------------------- a raw HTTP client

class Response:
    """One HTTP response as it was on the wire."""

    def __init__(self, version, status, reason, headers):
        self.version, self.status, self.reason = version, status, reason
        self.headers = headers    # [(name, value)] in order, names as written
        self.body = b""
        self.trailers = []
        self.interim = []         # 1xx responses that came before
        self.raw_head = b""
        self.framing = "none"     # "length", "chunked", "close" or "none"

    def header(self, name, default=None):
        """The value of the first header of that name, any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Response({self.status} {self.reason}, {self.headers}, {len(self.body)} bytes: {self.body[:200]!r})"


class ConnectionEnded(AssertionError):
    """The peer closed (or reset) before the response was whole."""


class Connection:
    """A raw connection to a server: any bytes may be sent, one response at a time is read.

    receive_buffer   sets SO_RCVBUF before connecting: a slow reader needs a small one
    source           (host, port) to bind to, e.g. to be seen as another client
    """

    def __init__(self, address, timeout=10.0, source=None, receive_buffer=None):
        self.address = parse_address(address)
        self.timeout = scaled(timeout)
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        self.socket.settimeout(self.timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind(source)
        try:
            self.socket.connect(self.address)
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def local_address(self):
        return self.socket.getsockname()

    # -- sending

    def send(self, content):
        """Sends bytes, or text as it stands."""
        self.socket.sendall(content if isinstance(content, bytes) else content.encode())

    def request(self, method, path, headers=(), body=b"", version="HTTP/1.1", host=True):
        """Sends one request. headers: a dict or a list of pairs; Host and Content-Length are added unless given."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        names = {name.lower() for name, _ in pairs}
        if host and "host" not in names:
            pairs.insert(0, ("Host", text_address(self.address)))
        if body and not names & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(body))))
        head = f"{method} {path} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
        self.send(head.encode("latin-1") + (body if isinstance(body, bytes) else body.encode()))

    def get(self, path="/", headers=()):
        """A GET and its response."""
        self.request("GET", path, headers)
        return self.read_response()

    # -- reading

    def _fill(self):
        try:
            chunk = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing more came from {text_address(self.address)} within {self.timeout:.1f} s; "
                                 f"unread so far: {self.buffer[:300]!r}") from None
        except ConnectionResetError:
            raise ConnectionEnded(f"reset by {text_address(self.address)}; unread: {self.buffer[:300]!r}") from None
        if not chunk:
            raise ConnectionEnded(f"closed by {text_address(self.address)}; unread: {self.buffer[:300]!r}")
        self.buffer += chunk

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _take_line(self):
        while b"\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def _read_fields(self):
        fields = []
        while True:
            line = self._take_line()
            if not line:
                return fields
            name, _, value = line.partition(b":")
            fields.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def read_head(self):
        """Reads a status line and headers and leaves the body unread."""
        while b"\r\n\r\n" not in self.buffer and b"\n\n" not in self.buffer:
            self._fill()
        end = self.buffer.find(b"\r\n\r\n")
        raw = self.buffer[:end + 4] if end >= 0 else self.buffer
        version, _, rest = self._take_line().decode("latin-1").partition(" ")
        status, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/") or not status.isdigit():
            raise AssertionError(f"not a status line: {version!r} {rest!r}")
        response = Response(version, int(status), reason, self._read_fields())
        response.raw_head = raw
        return response

    def read_response(self, method="GET"):
        """Reads one whole response by its framing (HEAD, 204 and 304 have no body); 1xx ones are in .interim."""
        interim = []
        response = self.read_head()
        while 100 <= response.status < 200 and response.status != 101:
            interim.append(response)
            response = self.read_head()
        response.interim = interim
        if method == "HEAD" or response.status in (101, 204, 304):
            return response
        if "chunked" in (response.header("transfer-encoding") or "").lower():
            response.framing = "chunked"
            self._read_chunks(response)
        elif response.header("content-length") is not None:
            response.framing = "length"
            response.body = self._take(int(response.header("content-length")))
        elif method != "CONNECT":
            response.framing = "close"
            response.body = self.read_all()
        return response

    def _read_chunks(self, response):
        pieces = []
        while True:
            size = int(self._take_line().split(b";")[0], 16)
            if size == 0:
                break
            pieces.append(self._take(size))
            if self._take(2) != b"\r\n":
                raise AssertionError("a chunk does not end with CR LF")
        response.body = b"".join(pieces)
        response.trailers = self._read_fields()

    def read_some(self, limit=65536):
        """What is there, at most `limit` bytes; waits for the first byte; b"" at the end of the stream."""
        if not self.buffer:
            try:
                self._fill()
            except ConnectionEnded:
                return b""
        taken, self.buffer = self.buffer[:limit], self.buffer[limit:]
        return taken

    def read_all(self):
        """Everything until the peer closes or resets."""
        with contextlib.suppress(ConnectionEnded):
            while True:
                self._fill()
        taken, self.buffer = self.buffer, b""
        return taken

    def wait_closed(self):
        """Waits until the peer closes; fails when it sends something instead."""
        if rest := self.read_all():
            raise AssertionError(f"expected the end of the connection, got {rest[:300]!r}")

    def is_open(self):
        """True when the peer has neither closed nor sent anything unread (a look, not a wait)."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return not readable

    # -- ending

    def half_close(self):
        """Says that nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends with a reset instead of an orderly close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def fetch(address, path="/", method="GET", headers=(), body=b"", timeout=10.0):
    """One request over a connection of its own; returns the Response."""
    with Connection(address, timeout) as connection:
        connection.request(method, path, headers, body)
        return connection.read_response(method)


# --------------------------------------------------------------------------------------------- scripted target

class SeenRequest:
    """A request as the scripted target received it."""

    def __init__(self, method, path, version, headers, raw_head, connection):
        self.method, self.path, self.version, self.headers = method, path, version, headers
        self.raw_head = raw_head
        self.connection = connection    # number of the connection it came over, from 1
        self.body = b""
        self.time = time.monotonic()

    header = Response.header
    all = Response.all

    def __repr__(self):
        return f"SeenRequest({self.method} {self.path} on connection {self.connection}, {self.headers})"


class Exchange:
    """What a behaviour of a Target acts on: one request and the connection it came over."""

    def __init__(self, target, connection, request):
        self.target, self.connection, self.request = target, connection, request
        self.answered = False

    def send(self, content):
        """Sends raw bytes; the behaviour answers by itself then."""
        self.answered = True
        self.connection.send(content)

    def respond(self, status=200, body=b"", headers=(), reason="Scripted"):
        """A whole response with Content-Length."""
        content = body if isinstance(body, bytes) else str(body).encode()
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if not {name.lower() for name, _ in pairs} & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(content))))
        head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
        self.send(head.encode("latin-1") + (b"" if self.request.method == "HEAD" else content))

    def read_body(self):
        """Reads the request's body (already done unless the target was made with stream_bodies=True)."""
        if "chunked" in (self.request.header("transfer-encoding") or "").lower():
            self.connection._read_chunks(self.request)
        elif self.request.header("content-length"):
            self.request.body = self.connection._take(int(self.request.header("content-length")))
        return self.request.body

    def close(self):
        """Closes in an orderly way without (further) answer."""
        self.answered = True
        self.connection.close()

    def reset(self):
        self.answered = True
        self.connection.reset()

    def hold(self):
        """Does not answer until target.release() is called or the peer goes away; returns True when released."""
        while not self.target.released.wait(0.02):
            if self.target.stopping.is_set() or not self.connection.is_open():
                return False
        return True


class Target:
    """An HTTP server in threads whose behaviour is a callback, and that records what it saw.

        with Target(lambda exchange: exchange.respond(200, "hello")) as target: ...
        target.behaviour = lambda exchange: exchange.reset()       # may change at any time
        target.requests(path="/x")                                 # what came, without health checks

    A behaviour gets an Exchange; what it returns, if it has not answered, is the body of a 200. health_path is
    answered apart, with health_status (settable; None leaves it unanswered), and recorded in .health_requests.
    """

    def __init__(self, behaviour=None, name="target", health_path="/healthz", address=("127.0.0.1", 0),
                 stream_bodies=False, receive_buffer=None):
        self.behaviour = behaviour or (lambda exchange: self.name)
        self.name, self.health_path, self.health_status = name, health_path, 200
        self.stream_bodies, self.receive_buffer = stream_bodies, receive_buffer
        self.seen, self.health_requests, self.errors = [], [], []
        self.accepted = 0
        self.released, self.stopping = threading.Event(), threading.Event()
        self._changed = threading.Condition()
        self._open = set()
        self._wanted = address
        self._listener = None
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def port(self):
        return self.address[1]

    @property
    def text(self):
        """host:port, as --target takes it."""
        return text_address(self.address)

    # -- control

    def listen(self):
        """Starts listening (again on the same address after stop_listening)."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self._listener.bind(self._wanted)
        self._listener.listen(512)
        self.address = self._wanted = self._listener.getsockname()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop_listening(self):
        """New connections are refused from now on; those that exist go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close_connections(self, reset=False):
        """Ends every open connection."""
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                if reset:
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.socket.shutdown(socket.SHUT_RDWR)
                connection.close()

    def release(self):
        """Lets every behaviour in hold() go on."""
        self.released.set()

    def stop(self):
        self.stopping.set()
        self.released.set()
        self.stop_listening()
        self.close_connections()

    # -- what was seen

    @property
    def open_connections(self):
        with self._changed:
            return len(self._open)

    def requests(self, path=None, method=None):
        with self._changed:
            return [one for one in self.seen if path in (None, one.path) and method in (None, one.method)]

    def wait_for(self, condition, what, timeout=10.0):
        """Waits until condition(self) is true; woken by everything that happens here."""
        end = time.monotonic() + scaled(timeout)
        with self._changed:
            while not (value := condition(self)):
                if not self._changed.wait(min(0.2, max(0.0, end - time.monotonic()))) and time.monotonic() > end:
                    raise AssertionError(f"{self.name}: waited {scaled(timeout):.1f} s in vain until {what}; "
                                         f"seen: {self.seen[-5:]}, connections: {len(self._open)}")
            return value

    def wait_for_requests(self, count, timeout=10.0):
        return self.wait_for(lambda target: target.seen if len(target.seen) >= count else None,
                             f"{count} requests came", timeout)

    def wait_for_checks(self, count, timeout=10.0):
        return self.wait_for(lambda target: len(target.health_requests) >= count,
                             f"{count} health checks came", timeout)

    # -- serving

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection.__new__(Connection)
            connection.socket, connection.buffer = peer, b""
            connection.address, connection.timeout = peer.getpeername(), None
            with self._changed:
                self.accepted += 1
                number = self.accepted
                self._open.add(connection)
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            while not self.stopping.is_set():
                request = self._read_request(connection, number)
                if request is None:
                    break
                exchange = Exchange(self, connection, request)
                if not self.stream_bodies:
                    exchange.read_body()
                self._answer(exchange)
                if connection.socket.fileno() < 0 or (request.header("connection") or "").lower() == "close":
                    break
        except (OSError, ConnectionEnded):
            pass  # the peer went away, or the test ended the connection: a scripted target has nothing to add
        except Exception:  # a mistake in the test's own behaviour must be seen
            self.errors.append(traceback.format_exc())
        finally:
            connection.close()
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()

    def _read_request(self, connection, number):
        while b"\r\n\r\n" not in connection.buffer:
            try:
                connection._fill()
            except (ConnectionEnded, OSError):
                return None
        raw = connection.buffer[:connection.buffer.find(b"\r\n\r\n") + 4]
        method, path, version = connection._take_line().decode("latin-1").split(" ", 2)
        return SeenRequest(method, path, version, connection._read_fields(), raw, number)

    def _answer(self, exchange):
        request = exchange.request
        if self.health_path is not None and request.path == self.health_path:
            with self._changed:
                self.health_requests.append(request)
                self._changed.notify_all()
            if self.health_status is None:
                exchange.hold()
            else:
                exchange.respond(self.health_status, "ok" if self.health_status == 200 else "not ok")
            return
        with self._changed:
            self.seen.append(request)
            self._changed.notify_all()
        result = self.behaviour(exchange)
        if not exchange.answered and result is not None:
            exchange.respond(200, result)


# -------------------------------------------------------------------------------------------------------- curl

class CurlResult:
    def __init__(self, returncode, status, head, body, stderr):
        self.returncode, self.status, self.head, self.body, self.stderr = returncode, status, head, body, stderr

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def header(self, name, default=None):
        for line in self.head.splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return default

    def __repr__(self):
        return f"curl: exit {self.returncode}, status {self.status}, {self.body[:200]!r} {self.stderr!r}"


def curl(*arguments, timeout=10.0):
    """Runs the real curl: curl("http://127.0.0.1:8080/", "-H", "X-A: b"). No proxy and no .curlrc get in the way."""
    need_command("curl")
    with tempfile.TemporaryDirectory(prefix="rr-curl-") as folder:
        command = ["curl", "-q", "--noproxy", "*", "-sS", "--max-time", str(scaled(timeout)), "-D", f"{folder}/head",
                   "-o", f"{folder}/body", "-w", "%{http_code}", *[str(argument) for argument in arguments]]
        done = subprocess.run(command, capture_output=True, timeout=scaled(timeout) + 10, check=False)
        parts = [pathlib.Path(folder, name) for name in ("head", "body")]
        head, body = [part.read_bytes() if part.exists() else b"" for part in parts]
        return CurlResult(done.returncode, int(done.stdout[-3:] or b"0"), head.decode("latin-1"), body,
                          done.stderr.decode(errors="replace"))


# ---------------------------------------------------------------------------------------------------- TestCase

SANITIZER_REPORT = re.compile(rb"(?:ERROR|WARNING|FATAL): (?:Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer"
                              rb"|\.(?:cc|h|c):\d+:\d+: runtime error:")


class TestCase(unittest.TestCase):
    """A process test. It owns a temporary folder (self.folder) and a mark (self.mark); whatever it starts with
    self.start() or self.target() is ended when it is over.

    Class attribute `alone = True`: the runner gives this class the machine to itself (tests that measure).
    """

    alone = False
    maxDiff = None

    def setUp(self):
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rr-test-"))
        self.programs, self.targets = [], []
        self.addCleanup(self._clean)

    def environment(self, added=None):
        """What the started programs get in addition to this process's environment."""
        reports = self.folder / "sanitizer" / "report"
        reports.parent.mkdir(exist_ok=True)
        common = f"log_path={reports}:exitcode=86"
        base = {"ASAN_OPTIONS": common + ":detect_stack_use_after_return=1", "TSAN_OPTIONS": common,
                "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}"}
        base.update(added or {})
        return base

    def start(self, *command, environment=None, cwd=None, terminal=False, pass_fds=(), name=None):
        """Starts a program: self.start("rr-lb", "--listen", "127.0.0.1:0", ...)."""
        one = Program(command, environment=self.environment(environment), cwd=cwd, mark=self.mark, terminal=terminal,
                      pass_fds=pass_fds, name=name)
        self.programs.append(one)
        return one

    def run_program(self, *command, timeout=30.0, environment=None, cwd=None, text_input=""):
        """Runs a program to its end and returns Finished (returncode, stdout, stderr)."""
        return run(command, timeout=timeout, environment=self.environment(environment), cwd=cwd, mark=self.mark,
                   text_input=text_input)

    def target(self, behaviour=None, **options):
        """Starts a scripted target."""
        one = Target(behaviour, **options)
        self.targets.append(one)
        return one

    def connect(self, address, **options):
        """A raw connection that is closed with the test."""
        connection = Connection(address, **options)
        self.addCleanup(connection.close)
        return connection

    def assert_no_process_left(self, timeout=5.0):
        """No process that this test started, directly or through others, is alive (daemons included)."""
        eventually(lambda: not marked_processes(self.mark) or None,
                   f"no process with the mark {self.mark} is alive, but there are: {marked_processes(self.mark)}",
                   timeout)

    def assert_usage_error(self, finished, *mentions):
        """Exit 2, and one line on standard error that mentions every given text."""
        self.assertEqual(finished.returncode, 2, finished)
        lines = finished.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, finished)
        for text in mentions:
            self.assertIn(text, lines[0])

    # -- the end

    def _clean(self):
        for one in self.targets:
            one.stop()
        for one in self.programs:
            if one.running:
                one.kill()
        for _ in range(50):  # a process that forks while it is being looked for needs a second look
            left = marked_processes(self.mark)
            if not left:
                break
            for pid, _ in left:
                kill_by_pid(pid, self.mark)
            time.sleep(0.01)
        for one in self.programs:
            one.close()
        reports = self._sanitizer_reports()
        errors = [text for one in self.targets for text in one.errors]
        if not self._passed() or reports or errors:
            for one in self.programs:
                print(one.tail(), file=sys.stderr)
        if os.environ.get("RR_TEST_KEEP"):
            print(f"kept (RR_TEST_KEEP): {self.folder}", file=sys.stderr)
        else:
            self._remove_folder()
        if reports:
            self.fail("a sanitizer reported:\n" + "\n".join(reports))
        if errors:
            self.fail("a scripted target's behaviour failed:\n" + "\n".join(errors))

    def _passed(self):
        outcome = getattr(self, "_outcome", None)
        return outcome is None or outcome.success

    def _remove_folder(self):
        def make_writable(function, path, _):
            with contextlib.suppress(OSError):
                os.chmod(os.path.dirname(path), 0o700)
                os.chmod(path, 0o700)
                function(path)
        shutil.rmtree(self.folder, onerror=make_writable)

    def _sanitizer_reports(self):
        """Reports in the programs' output, in the report files, and in any log below the test's folder."""
        found = [one.tail(200) for one in self.programs if SANITIZER_REPORT.search(one.text().encode())]
        for path in sorted(self.folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or not (path.suffix in (".log", ".txt")
                                                               or path.name.startswith("report.")):
                continue
            with contextlib.suppress(OSError):
                content = path.read_bytes()[:4 << 20]
                if match := SANITIZER_REPORT.search(content):
                    found.append(f"{path}:\n" + content[match.start():match.start() + 6000].decode(errors="replace"))
        return found


# ------------------------------------------------------------------------------------------------------ runner

class GivenUp(Exception):
    """One test took too long."""


class _Recorder(unittest.TestResult):
    """Writes one JSON line a test, as soon as it is over."""

    def __init__(self, prefix, file):
        super().__init__()
        self.buffer = True
        self.prefix, self.file = prefix, file
        self.began, self.notes, self.outcome_of = 0.0, [], "passed"

    def startTest(self, test):
        super().startTest(test)
        self.began, self.notes, self.outcome_of = time.monotonic(), [], "passed"
        limit = scaled(float(os.environ.get("RR_TEST_LIMIT", "300")))
        signal.signal(signal.SIGALRM, self._give_up(limit))
        signal.setitimer(signal.ITIMER_REAL, limit)

    @staticmethod
    def _give_up(limit):
        def handler(*_):
            raise GivenUp(f"given up after {limit:.0f} s (RR_TEST_LIMIT)")
        return handler

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)
        self._write(test.id(), self.outcome_of, time.monotonic() - self.began)

    def _write(self, identity, outcome, seconds):
        record = {"name": f"{self.prefix}/{identity}", "outcome": outcome, "seconds": round(seconds, 3),
                  "note": "\n".join(self.notes)}
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()

    def _fail(self, test, error):
        self.outcome_of = "failed"
        self.notes.append(self._exc_info_to_string(error, test))

    def addError(self, test, error):
        if not isinstance(test, unittest.TestCase):  # setUpClass or setUpModule failed
            self.notes = [self._exc_info_to_string(error, test)]
            self._write(str(test), "failed", 0.0)
            return
        self._fail(test, error)

    def addFailure(self, test, error):
        self._fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.notes.append(f"[{subtest._subDescription()}]")
            self._fail(test, error)

    def addUnexpectedSuccess(self, test):
        self.outcome_of = "failed"
        self.notes.append("was expected to fail, but passed")

    def addSkip(self, test, reason):
        self.outcome_of = "skipped"
        self.notes.append(reason)
        if not isinstance(test, unittest.TestCase):
            self._write(str(test), "skipped", 0.0)


def _load_module(path):
    sys.modules.setdefault("harness", sys.modules[__name__])
    for folder in (str(ROOT / "tests"), str(path.parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _flatten(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flatten(one)
        else:
            yield one


def _suite_files(suite):
    """A suite is a folder of tests/ (its test_*.py) or one file of tests/ without its .py."""
    single = ROOT / "tests" / f"{suite}.py"
    if single.exists():
        return "tests", [single]
    folder = ROOT / "tests" / suite
    if not folder.is_dir():
        raise SystemExit(f"harness: --suite {suite}: there is no tests/{suite} and no tests/{suite}.py")
    return suite, sorted(folder.glob("test_*.py"))


def discover(suites, pattern):
    """[(prefix, file, class name, [test names], alone)] of the classes with tests that match; and load errors."""
    expression = re.compile(pattern, re.IGNORECASE)
    classes, broken = {}, []
    for suite in suites:
        prefix, files = _suite_files(suite)
        for path in files:
            try:
                module = _load_module(path)
            except Exception:
                broken.append({"name": f"{prefix}/{path.stem}", "outcome": "failed", "seconds": 0.0,
                               "note": traceback.format_exc()})
                continue
            for test in _flatten(unittest.defaultTestLoader.loadTestsFromModule(module)):
                if expression.search(f"{prefix}/{test.id()}"):
                    key = (prefix, str(path), type(test).__name__)
                    alone = bool(getattr(type(test), "alone", False))
                    classes.setdefault(key, ([], alone))[0].append(test.id().rsplit(".", 1)[1])
    return [(*key, names, alone) for key, (names, alone) in classes.items()], broken


def run_class(prefix, path, class_name, names, output):
    """The inside of a worker: runs some tests of one class in this process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleanups run when the runner is interrupted
    module = _load_module(pathlib.Path(path))
    suite = unittest.TestSuite(getattr(module, class_name)(name) for name in names)
    with open(output, "w", encoding="utf-8") as file:
        suite.run(_Recorder(prefix, file))


class Runner:
    """Runs classes of tests, each in a process of its own, `jobs` at a time, and those that want to be alone last."""

    def __init__(self, jobs, quiet_passes=False):
        self.jobs, self.quiet_passes = jobs, quiet_passes
        self.results = []
        self._lock = threading.Lock()
        self._workers = set()

    def run(self, classes):
        self._run_batch([one for one in classes if not one[4]], self.jobs)
        self._run_batch([one for one in classes if one[4]], 1)

    def _run_batch(self, classes, jobs):
        waiting = queue.SimpleQueue()
        for one in classes:
            waiting.put(one)
        threads = [threading.Thread(target=self._work, args=(waiting,)) for _ in range(min(jobs, len(classes)))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            while not waiting.empty():
                with contextlib.suppress(queue.Empty):
                    waiting.get_nowait()
            for worker in list(self._workers):
                worker.terminate()
            for thread in threads:
                thread.join()
            raise

    def _work(self, waiting):
        while True:
            try:
                one = waiting.get_nowait()
            except queue.Empty:
                return
            self._run_one(one)

    def _run_one(self, one):
        prefix, path, class_name, names, _ = one
        with tempfile.TemporaryDirectory(prefix="rr-run-") as folder:
            output = os.path.join(folder, "results")
            job = json.dumps([prefix, path, class_name, names, output])
            worker = subprocess.Popen([sys.executable, __file__, "--worker", job], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            self._workers.add(worker)
            said, reader = [], threading.Thread(target=self._follow, args=(worker, output))
            reader.start()
            for line in worker.stdout:
                said.append(line)
            worker.wait()
            reader.join()
            self._workers.discard(worker)
            records = self._records(output)
        missing = set(names) - {record["name"].rsplit(".", 1)[1] for record in records}
        if any(record["name"].rsplit(".", 1)[1] not in names for record in records):
            missing = set()  # setUpClass failed or skipped: it stands for the whole class
        for name in sorted(missing):
            self.report({"name": f"{prefix}/{pathlib.Path(path).stem}.{class_name}.{name}", "outcome": "failed",
                         "seconds": 0.0, "note": f"did not run to its end (exit {worker.returncode})\n"
                                                 + "".join(said[-60:])})

    @staticmethod
    def _records(output):
        if not os.path.exists(output):
            return []
        with open(output, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def _follow(self, worker, output):
        """Reports each test as soon as its line is in the worker's file."""
        shown = 0
        while True:
            ended = worker.poll() is not None
            records = self._records(output)
            for record in records[shown:]:
                self.report(record)
            shown = len(records)
            if ended:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(0.1)

    def report(self, record):
        with self._lock:
            self.results.append(record)
            word = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[record["outcome"]]
            if record["outcome"] != "passed" or not self.quiet_passes:
                reason = f"  ({record['note']})" if record["outcome"] == "skipped" else ""
                print(f"  {word:7} {record['seconds']:7.2f} s  {record['name']}{reason}", flush=True)
            if record["outcome"] == "failed":
                print("".join(f"      {line}\n" for line in record["note"].splitlines()), end="", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/harness.py", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description=__doc__)
    parser.add_argument("pattern", nargs="?", default="", help="regular expression that a test's name must contain")
    parser.add_argument("--suite", action="append", default=[], help="wire, real, or a file of tests/ without .py")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="classes at a time")
    parser.add_argument("--json", help="write the results to this file")
    parser.add_argument("--list", action="store_true", help="print the names only")
    parser.add_argument("--none-is-fine", action="store_true", help="exit 0 also when no test matches")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        run_class(*json.loads(arguments.worker))
        return 0

    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    classes, broken = discover(arguments.suite or ["wire", "real"], arguments.pattern)
    if arguments.list:
        for prefix, path, class_name, names, _ in classes:
            for name in names:
                print(f"{prefix}/{pathlib.Path(path).stem}.{class_name}.{name}")
        return 1 if broken else 0
    runner = Runner(max(1, arguments.jobs))
    for record in broken:
        runner.report(record)
    try:
        runner.run(classes)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    count = collections.Counter(record["outcome"] for record in runner.results)
    seconds = time.monotonic() - began
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"passed": count["passed"], "failed": count["failed"], "skipped": count["skipped"],
                       "seconds": round(seconds, 1), "tests": runner.results}, file, indent=1)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped ({seconds:.1f} s)")
    nothing = count["passed"] + count["failed"] == 0 and not (arguments.none_is_fine or count["skipped"])
    return 1 if count["failed"] or nothing else 0


if __name__ == "__main__":
    sys.exit(main())
