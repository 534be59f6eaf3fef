#!/usr/bin/env python3
"""Runs libFuzzer on built fuzz targets, a line for each; ./fuzz calls it after the build.

  tests/fuzz/search.py [--seconds N | --cpu-minutes N] [--merge] [--list] [--build FOLDER] TARGET...

What is found goes to build/fuzz/corpus/TARGET (inputs that reached something new) and build/fuzz/findings (inputs that
broke something). The repository's corpus only grows with --merge, and stays small: see MOST_FILES and MOST_BYTES.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"

MOST_FILES = 190         # of one target in the repository
MOST_BYTES = 80 * 1024   # of one target in the repository; a dozen targets stay below 1 MiB

ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=1:allocator_may_return_null=1",
                   UBSAN_OPTIONS="print_stacktrace=1")


class Interrupted(Exception):
    pass


interrupted = threading.Event()


def program(target):
    return BUILD / "bin" / f"fuzz_{target}"


def grown_corpus(target):
    folder = BUILD / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def inputs(folder):
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []


def processor_seconds(pid):
    """What a process of ours has used so far; None when it has gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Search:
    """One run of one target."""

    def __init__(self, target, seconds, cpu_seconds):
        self.target, self.seconds, self.cpu_seconds = target, seconds, cpu_seconds
        self.execs = self.coverage = self.features = 0
        self.used, self.tail, self.finding = 0.0, [], None
        findings = BUILD / "findings"
        findings.mkdir(parents=True, exist_ok=True)
        self.before = len(inputs(grown_corpus(target)))
        self.began = time.monotonic()
        # A process group of its own: Ctrl-C reaches this program, which ends the search in order.
        self.process = subprocess.Popen(
            [str(program(target)), "-print_final_stats=1", "-timeout=60", "-rss_limit_mb=2048", "-reload=0",
             f"-artifact_prefix={findings}/{target}-", str(grown_corpus(target)), str(CORPUS / target)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
            errors="replace", start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            if match := re.match(r"#(\d+)\s.*?cov: (\d+) ft: (\d+)", line):
                self.execs, self.coverage, self.features = (int(one) for one in match.groups())
            elif match := re.match(r"stat::number_of_executed_units:\s+(\d+)", line):
                self.execs = int(match.group(1))
            elif match := re.search(r"Test unit written to (\S+)", line):
                self.finding = match.group(1)
            else:
                self.tail = (self.tail + [line.rstrip("\n")])[-60:]

    def over(self):
        used = processor_seconds(self.process.pid)
        self.used = self.used if used is None else used
        if self.cpu_seconds is not None:
            return self.used >= self.cpu_seconds
        return time.monotonic() - self.began >= self.seconds

    def line(self):
        took = max(time.monotonic() - self.began, 0.001)
        new = len(inputs(grown_corpus(self.target))) - self.before
        return (f"{self.target:16} {self.execs:>10} execs {self.execs / took:>7.0f}/s  {self.coverage:>5} branches  "
                f"{new:>4} new inputs  {self.used:>5.0f} s cpu")

    def wait(self):
        """Until its time is over or something was found. Raises Interrupted after Ctrl-C, the search ended in order."""
        shown = False
        try:
            while self.process.poll() is None and not self.over():
                if interrupted.wait(0.2):
                    raise Interrupted
                if sys.stdout.isatty():
                    print(f"\r\033[K{self.line()}", end="", flush=True)
                    shown = True
        finally:
            self._end()
            if shown:
                print("\r\033[K", end="")

    def _end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)  # libFuzzer's graceful end: it still prints its statistics
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)

    def failed(self):
        return self.finding is not None or self.process.returncode != 0


def report(search):
    if not search.failed():
        print(f"{search.line()}  nothing found", flush=True)
        return
    print(f"{search.line()}  FOUND", flush=True)
    for line in search.tail:
        print(f"    {line}")
    if search.finding:
        print(f"  to see it again:  {program(search.target)} {search.finding}")
        print(f"  once it is fixed: cp {search.finding} {(CORPUS / search.target).relative_to(ROOT)}/NAME", flush=True)
    else:
        print(f"  the search ended with exit status {search.process.returncode} and left no input", flush=True)


def merge(target):
    """Adds to the repository's corpus what reaches something that it does not, the smallest first."""
    kept = CORPUS / target
    with tempfile.TemporaryDirectory(prefix="rr-fuzz-") as folder:
        merged = pathlib.Path(folder, "merged")
        shutil.copytree(kept, merged)
        present = {hashlib.sha1(path.read_bytes()).hexdigest() for path in inputs(kept)}
        subprocess.run([str(program(target)), "-merge=1", str(merged), str(grown_corpus(target))], check=True, env=ENVIRONMENT,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files, size = len(inputs(kept)), sum(path.stat().st_size for path in inputs(kept))
        added = 0
        for path in sorted(inputs(merged), key=lambda one: (one.stat().st_size, one.name)):
            name = hashlib.sha1(path.read_bytes()).hexdigest()
            if name in present:
                continue
            if files >= MOST_FILES or size + path.stat().st_size > MOST_BYTES:
                break
            shutil.copyfile(path, kept / f"found-{name[:12]}")
            files, size, added = files + 1, size + path.stat().st_size, added + 1
    print(f"{target:16} corpus: {added} added, {files} inputs, {size} bytes", flush=True)


def main():
    global BUILD
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cpu-minutes", type=float)
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, help="where bin/fuzz_TARGET is, and what is found goes")
    arguments = parser.parse_args()
    BUILD = arguments.build.resolve()
    if arguments.list:
        for target in arguments.targets:
            print(f"{target:16} {len(inputs(CORPUS / target)):>4} inputs in the repository, "
                  f"{len(inputs(grown_corpus(target))):>5} found by earlier runs here")
        return 0
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    cpu_seconds = arguments.cpu_minutes * 60 if arguments.cpu_minutes else None
    broken = False
    for target in arguments.targets:
        search = Search(target, arguments.seconds, cpu_seconds)
        try:
            search.wait()
        except Interrupted:
            report(search)
            print("interrupted", flush=True)
            return 130
        report(search)
        broken = broken or search.failed()
    if arguments.merge and not broken:
        for target in arguments.targets:
            merge(target)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
