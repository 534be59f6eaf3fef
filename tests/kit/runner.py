"""Runs process tests, a class of tests in a process of its own, several at a time."""

import contextlib
import importlib.util
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

from kit.surroundings import ROOT, scaled


TURNS = ["first", "usual", "alone"]


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
        if self.outcome_of == "passed":
            self.notes = list(getattr(test, "figures", []))
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
        raise FileNotFoundError(f"there is no tests/{suite} and no tests/{suite}.py")
    return suite, sorted(folder.glob("test_*.py"))


def discover(suites, pattern):
    """[(prefix, file, class name, [test names], turn)] of the classes with tests that match, in their turns ("first", "usual",
    "alone"); and load errors."""
    expression = re.compile(pattern, re.IGNORECASE)
    classes, broken = {}, []
    for suite in suites:
        try:
            prefix, files = _suite_files(suite)
        except FileNotFoundError as problem:  # the other suites still count
            broken.append({"name": suite, "outcome": "failed", "seconds": 0.0, "note": str(problem)})
            continue
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
                    classes.setdefault(key, ([], _turn_of(type(test))))[0].append(test.id().rsplit(".", 1)[1])
    found = [(*key, names, turn) for key, (names, turn) in classes.items()]
    return sorted(found, key=lambda one: TURNS.index(one[4])), broken


def _turn_of(test):
    """A class that takes minutes begins first: at the end, the others' processors would wait for it."""
    return "alone" if getattr(test, "alone", False) else "first" if getattr(test, "first", False) else "usual"


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
        self._run_batch([one for one in classes if one[4] != "alone"], self.jobs)
        self._run_batch([one for one in classes if one[4] == "alone"], 1)

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
            worker = subprocess.Popen([sys.executable, str(ROOT / "tests/harness.py"), "--worker", job], stdin=subprocess.DEVNULL,
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
            if record["outcome"] != "skipped" and record["note"]:
                print("".join(f"      {line}\n" for line in record["note"].splitlines()), end="", flush=True)
