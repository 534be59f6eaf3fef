"""A child process whose output is collected while it runs."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

from kit.process_table import MARK_VARIABLE
from kit.surroundings import program, scaled


def _hear_interrupts():
    """In the child: an interrupt that whoever started the tests ignores (nohup, a job in the background) is heard again."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def _take_terminal():
    _hear_interrupts()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


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
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=pass_fds,
                                            preexec_fn=_hear_interrupts)
            streams = {"stdout": self.process.stdout.fileno(), "stderr": self.process.stderr.fileno()}
            self._readers = [threading.Thread(target=self._read, args=(name_of, descriptor), daemon=True)
                             for name_of, descriptor in streams.items()]
        self.pid = self.process.pid
        for reader in self._readers:
            reader.start()

    def _start_on_terminal(self, environment, cwd, pass_fds):
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment["TERM"] = "xterm-256color"  # the tests may run where it is "dumb" or not set
        self.process = subprocess.Popen(self.command, env=environment, cwd=cwd, stdin=inner, stdout=inner,
                                        stderr=inner, start_new_session=True, pass_fds=pass_fds,
                                        preexec_fn=_take_terminal)
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
