#!/usr/bin/env python3
"""Runs the GoogleTest programs of a build, and the fuzz targets on their corpora, and counts their tests.

  tests/units.py --bin build/dev/bin [-j2] [--json FILE] [PATTERN]

A line a program; failed tests with their messages; a program that crashes is a failed test named after the one that was
running. A fuzz target counts as one test: it replays tests/fuzz/corpus. Last line: `N passed, N failed, N skipped`. Exit status 1 when a test failed or none ran.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

LIMIT = 600 * float(os.environ.get("RR_TEST_SLOWNESS", "1"))


def test_names(program):
    """The names of a program's tests, as Suite.Test."""
    listed = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, timeout=LIMIT, check=True)
    names, suite = [], ""
    for line in listed.stdout.splitlines():
        if line.startswith("  "):
            names.append(suite + line.split("#")[0].strip())
        elif line.rstrip().split("#")[0].strip().endswith("."):
            suite = line.split("#")[0].strip()
    return names


def record(program, name, outcome, seconds, note=""):
    return {"name": f"units/{program.name}/{name}", "outcome": outcome, "seconds": seconds, "note": note}


def read_results(program, file):
    """[records] from GoogleTest's own JSON report."""
    records = []
    for suite in json.loads(file.read_text(encoding="utf-8", errors="replace"))["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            seconds = float(test.get("time", "0s").rstrip("s"))
            failures = [one["failure"] for one in test.get("failures", [])]
            skipped = test.get("result") == "SKIPPED" or test.get("status") == "NOTRUN"
            outcome = "failed" if failures else "skipped" if skipped else "passed"
            records.append(record(program, name, outcome, seconds, "\n".join(failures) or ("GTEST_SKIP" if skipped else "")))
    return records


def run_program(program, expression):
    """(program, seconds, [records]); a program without matching tests gives none."""
    began = time.monotonic()
    try:
        names = [name for name in test_names(program) if expression.search(f"units/{program.name}/{name}")]
    except (subprocess.SubprocessError, OSError) as problem:
        return program, 0.0, [record(program, "(listing its tests)", "failed", 0.0, str(problem))]
    if not names:
        return program, 0.0, []
    with tempfile.TemporaryDirectory(prefix="rr-units-") as folder:
        report = pathlib.Path(folder, "report.json")
        command = [program, f"--gtest_output=json:{report}", "--gtest_color=no"]
        if expression.pattern:
            flags = pathlib.Path(folder, "flags")  # a file: a command line could be too long
            flags.write_text("--gtest_filter=" + ":".join(names) + "\n", encoding="utf-8")
            command.append(f"--gtest_flagfile={flags}")
        environment = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=1", UBSAN_OPTIONS="print_stacktrace=1")
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  text=True, errors="replace", timeout=LIMIT, env=environment, cwd=folder, check=False)
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as problem:
            output, code = (problem.stdout or b"").decode(errors="replace"), f"none: it still ran after {LIMIT:.0f} s"
        seconds = time.monotonic() - began
        records = read_results(program, report) if report.exists() else []
    if code != 0 and not any(one["outcome"] == "failed" for one in records):
        running = re.findall(r"^\[ RUN      \] (\S+)", output, re.MULTILINE)
        where = running[-1] if running and not records else "(after its tests)"
        tail = "\n".join(output.splitlines()[-60:])
        records.append(record(program, where, "failed", seconds, f"the program ended with exit status {code}:\n{tail}"))
    return program, seconds, records


def replay(program, expression):
    """As run_program, of a fuzz target."""
    began = time.monotonic()
    if not expression.search(f"units/{program.name}/corpus"):
        return program, 0.0, []
    corpus = pathlib.Path(__file__).resolve().parent / "fuzz" / "corpus" / program.name.removeprefix("fuzz_")
    try:
        done = subprocess.run([program, corpus], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, errors="replace", timeout=LIMIT, check=False)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as problem:
        output, code = (problem.stdout or b"").decode(errors="replace"), f"none: it still ran after {LIMIT:.0f} s"
    seconds = time.monotonic() - began
    note = "" if code == 0 else f"exit status {code}:\n" + "\n".join(output.splitlines()[-60:])
    return program, seconds, [record(program, "corpus", "failed" if note else "passed", seconds, note)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--bin", required=True)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--json")
    parser.add_argument("--none-is-fine", action="store_true", help="exit 0 also when no test matches")
    arguments = parser.parse_args()
    expression = re.compile(arguments.pattern, re.IGNORECASE)
    folder = pathlib.Path(arguments.bin).resolve()
    programs = sorted(path for path in [*folder.glob("test_*"), *folder.glob("fuzz_*")] if os.access(path, os.X_OK))
    began = time.monotonic()
    results = []
    with concurrent.futures.ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
        started = [pool.submit(replay if one.name.startswith("fuzz_") else run_program, one, expression) for one in programs]
        for future in concurrent.futures.as_completed(started):
            program, seconds, records = future.result()
            if not records:
                continue
            results += records
            failed = [one for one in records if one["outcome"] == "failed"]
            print(f"  {'FAILED' if failed else 'ok':7} {seconds:7.2f} s  {program.name}: {len(records)} test{'s' * (len(records) != 1)}",
                  flush=True)
            for one in failed:
                print(f"    FAILED {one['name']}")
                print("".join(f"      {line}\n" for line in one["note"].splitlines()), end="", flush=True)
    count = collections.Counter(one["outcome"] for one in results)
    seconds = time.monotonic() - began
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(
            {"passed": count["passed"], "failed": count["failed"], "skipped": count["skipped"],
             "seconds": round(seconds, 1), "tests": results}, indent=1), encoding="utf-8")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped ({seconds:.1f} s)")
    return 1 if count["failed"] or not (results or arguments.none_is_fine) else 0


if __name__ == "__main__":
    sys.exit(main())
