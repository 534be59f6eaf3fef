#!/usr/bin/env python3
"""Adds up what the suites of one ./check run left in a folder and prints the end of its report.

  tests/tally.py FOLDER

Every suite leaves FOLDER/NN-name.json with its tests; a suite without a readable file counts as one failure. The last
line is `N passed, N failed`, with `, N skipped` when something was skipped. Exit status 1 when something failed or
nothing ran.
"""

import collections
import json
import pathlib
import sys


def main():
    count, skips, failures = collections.Counter(), {}, []
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        try:
            tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
        except (ValueError, KeyError):
            tests = [{"name": path.stem, "outcome": "failed", "note": "left no results"}]
        for test in tests:
            count[test["outcome"]] += 1
            if test["outcome"] == "skipped":
                skips.setdefault(test["note"].strip().splitlines()[0] if test["note"] else "no reason", []).append(test["name"])
            if test["outcome"] == "failed":
                failures.append((path.stem, test["name"]))
    if skips:
        print("\nskipped:")
        for reason, names in sorted(skips.items()):
            print(f"  {reason}: {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else ""))
    if failures:
        print("\nfailed:")
        for suite, name in failures:
            print(f"  {suite}: {name}")
    if not count["passed"] + count["failed"]:
        print("\nno test ran")
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"\n{count['passed']} passed, {count['failed']} failed{skipped}")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
