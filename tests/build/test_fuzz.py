"""./fuzz, as somebody meets it who runs it, and what it leaves in the repository.

The search itself needs clang and minutes. Here a stand-in takes libFuzzer's place that says what libFuzzer would say: what
matters is that a finding is never overlooked, that a line tells how it went, and that Ctrl-C ends everything in order.
"""

import os
import re
import signal
import sys
import unittest

import harness

CORPUS = harness.ROOT / "tests" / "fuzz" / "corpus"

STATISTICS = """
echo '#7 INITED cov: 12 ft: 34 corp: 5/6b exec/s: 0 rss: 30Mb' >&2
"""
UNTIL_TOLD = """
trap 'echo "stat::number_of_executed_units: 4711" >&2; exit 0' USR1
while :; do sleep 0.05; done
"""


class Search(harness.TestCase):
    def command(self, body, *arguments):
        folder = self.folder / "build" / "bin"
        folder.mkdir(parents=True)
        program = folder / "fuzz_chunk"
        program.write_text(f"#!/bin/sh\n{body}")
        program.chmod(0o755)
        return [sys.executable, str(harness.ROOT / "tests/fuzz/search.py"), "--build", str(self.folder / "build"), *arguments,
                "chunk"]

    def test_a_line_says_how_it_went(self):
        finished = self.run_program(*self.command(STATISTICS + UNTIL_TOLD, "--seconds", "0.5"))
        self.assertEqual(finished.returncode, 0, finished)
        self.assertRegex(finished.stdout, r"^chunk +4711 execs +\d+/s +12 branches +0 new inputs +\d+ s cpu  nothing found\n$")

    def test_a_finding_is_told_with_the_command_that_shows_it_again(self):
        body = STATISTICS + "echo 'seven is not eight' >&2; echo 'Test unit written to /somewhere/chunk-crash-1' >&2; exit 77"
        finished = self.run_program(*self.command(body))
        self.assertEqual(finished.returncode, 1, finished)
        self.assertIn("FOUND", finished.stdout)
        self.assertIn("seven is not eight", finished.stdout)
        self.assertRegex(finished.stdout, r"to see it again:  \S+/fuzz_chunk /somewhere/chunk-crash-1\n")
        self.assertIn("tests/fuzz/corpus/chunk/", finished.stdout)

    def test_a_search_that_ends_by_itself_with_an_error_is_a_finding(self):
        finished = self.run_program(*self.command("echo 'cannot open the corpus' >&2; exit 1"))
        self.assertEqual(finished.returncode, 1, finished)
        self.assertIn("cannot open the corpus", finished.stdout)

    def test_an_interrupt_ends_the_search_in_order(self):
        # A stand-in that sleeps would take far longer than this test to use six seconds of processor time.
        program = self.start(*self.command(STATISTICS + UNTIL_TOLD, "--cpu-minutes", "0.1"))
        harness.eventually(lambda: len(harness.marked_processes(self.mark)) >= 2, "the search runs")
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(), 130)
        self.assertIn("interrupted", program.text("stdout"))
        self.assert_no_process_left()


class Corpus(unittest.TestCase):
    # A replay is a part of every ./check, and everybody who clones the repository gets it.
    MOST_FILES, MOST_BYTES = 199, 1 << 20

    def test_it_is_small(self):
        total = 0
        for folder in CORPUS.iterdir():
            files = list(folder.iterdir())
            self.assertLessEqual(len(files), self.MOST_FILES, folder)
            total += sum(one.stat().st_size for one in files)
        self.assertLess(total, self.MOST_BYTES)

    def test_every_target_has_one_and_every_one_has_a_target(self):
        listed = (harness.ROOT / "tests/fuzz/CMakeLists.txt").read_text(encoding="utf-8")
        targets = set(re.findall(r"^rr_fuzz\((\w+)", listed, re.MULTILINE))
        self.assertEqual(targets, {one for one in os.listdir(CORPUS) if os.listdir(CORPUS / one)})


if __name__ == "__main__":
    unittest.main()
