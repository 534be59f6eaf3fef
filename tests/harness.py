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
import json
import pathlib
import signal
import sys
import time

from kit.addresses import free_address, loopback_host, parse_address, refused_address, text_address
from kit.case import TestCase
from kit.curl import CurlResult, curl
from kit.http_client import Connection, ConnectionEnded, Response, fetch
from kit.process_table import (MARK_VARIABLE, all_pids, command_line, descendants, kill_by_pid, marked_processes,
                               memory_kib, open_descriptors, parent_of, process_state)
from kit.program import Finished, Program, run
from kit.surroundings import (ROOT, bin_folder, in_private_network, long_run, need_command, program, sanitizer,
                              scaled, skip, slowness)
from kit.target import Exchange, SeenRequest, Target
from kit.waiting import eventually
from kit.runner import Runner, discover, run_class


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
