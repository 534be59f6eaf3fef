"""The base class of the process tests."""

import contextlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest

from kit.http_client import Connection
from kit.process_table import kill_by_pid, marked_processes
from kit.program import Program, run
from kit.target import Target
from kit.waiting import eventually


SANITIZER_REPORT = re.compile(rb"(?:ERROR|WARNING|FATAL): (?:Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer"
                              rb"|\.(?:cc|h|c):\d+:\d+: runtime error:")


class TestCase(unittest.TestCase):
    """A process test. It owns a temporary folder (self.folder) and a mark (self.mark); whatever it starts with
    self.start() or self.target() is ended when it is over.

    Class attributes: `alone = True`, the runner gives this class the machine to itself (tests that measure); `first = True`, it
    begins before the others (tests that take minutes, and mostly wait).
    """

    alone = first = False
    maxDiff = None

    def setUp(self):
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rr-test-"))
        self.programs, self.targets, self.figures = [], [], []
        self.addCleanup(self._clean)

    def measured(self, figure):
        """A line that is shown with the test's name though it passes."""
        self.figures.append(figure)

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
