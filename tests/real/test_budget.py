"""bench/run budget writes what rr-sim pace, idle connections and the demo's start came to, and judges it by what is promised. How fast
or large anything is, is not asked here."""

import json
import os
import resource
import socket
import subprocess
import sys
import time
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "bench"))
import budget  # noqa: E402
import demo_start  # noqa: E402
import idle_memory  # noqa: E402


def figures(small=1_500_000.0, checks=(1.0, 1.0, 1.0), seconds=10.0, mib=100.0):
    regions = [{"instances": size, "groups": 10, "checks": 1_000, "launches": 1, "events": 1, "cpu_seconds": seconds,
                "microseconds_per_check": cost, "mib_so_far": mib, "wrong": []} for size, cost in zip((100, 1_000, 10_000), checks)]
    return {"two_instances": {"requests": 10, "cpu_seconds": 0.1, "requests_per_cpu_second": small, "wrong": []}, "regions": regions}


class Budget(harness.TestCase):
    def kept(self, **changes):
        return [row[3] for row in budget.promises(figures(**changes))]

    def test_each_promise_is_judged_by_its_own_figure(self):
        self.assertEqual(self.kept(), [True] * 5)
        self.assertEqual(self.kept(small=999_999.0), [False, True, True, True, True])
        self.assertEqual(self.kept(seconds=20.0), [True, False, True, True, True])
        self.assertEqual(self.kept(mib=2048.0), [True, True, False, True, True])
        # log 1,000 / log 100 is 1.5; log 10,000 / log 1,000 is 1.33.
        self.assertEqual(self.kept(checks=(1.0, 1.49, 1.49)), [True] * 5)
        self.assertEqual(self.kept(checks=(1.0, 1.51, 1.51)), [True, True, True, False, True])
        self.assertEqual(self.kept(checks=(1.0, 1.0, 1.34)), [True, True, True, True, False])
        self.assertEqual(len(budget.promises({**figures(), "regions": []})), 1)

    def test_the_demos_start_and_idle_connections_are_judged_where_they_were_measured(self):
        def kept(seconds, size):
            demo = {"first_line_seconds": seconds, "tier_answers_seconds": 3.0, "starts": 5, "without_network": True}
            idle = {"few": 1_000, "many": 9_000, "bytes_a_connection": size}
            return [row[3] for row in budget.promises({**figures(), "demo": demo, "idle": idle})[-2:]]
        self.assertEqual(kept(1.99, 1300), [True, True])
        self.assertEqual(kept(2.0, 1300), [False, True])
        self.assertEqual(kept(0.1, 1300.1), [True, False])

    def test_the_demo_is_timed_by_its_own_first_line(self):
        def fake(script):
            return subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
        began = time.monotonic()
        with fake("echo building; echo round-robin: a tier; echo '  http://127.0.0.1:8080/'; echo more") as demo:
            first, answers = demo_start.read(demo, began)
        self.assertLess(0, first)
        self.assertLessEqual(first, answers)
        self.assertLessEqual(answers, time.monotonic() - began)
        for script in ("echo cannot listen", "echo round-robin: a tier; echo port 8080 is taken", "echo http://127.0.0.1/"):
            with fake(script) as demo, self.assertRaisesRegex(RuntimeError, "did not start"):
                demo_start.read(demo, 0.0)

    def test_an_answer_is_read_whole_whatever_it_says(self):
        lb = self.target(lambda exchange: exchange.respond(503, b"<html>nobody is healthy</html>"))
        with socket.create_connection(("127.0.0.1", lb.port), timeout=30) as client:
            self.assertEqual([idle_memory.ask(client) for _ in range(2)], [503, 503])

    def test_what_cannot_be_measured_is_said_in_one_line(self):
        command = [sys.executable, harness.ROOT / "bench" / "run", "budget", "--quick", "--no-build", "--out", self.folder]
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "rr-sim").write_text("#!/bin/sh\necho 'rr-sim pace: no' >&2\nexit 1\n")
        for mode, reason in ((0o644, "Permission denied"), (0o755, "ended with 1: rr-sim pace: no")):
            (self.folder / "bin" / "rr-sim").chmod(mode)
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "RR_BIN": str(self.folder / "bin")})
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (3, "", 1), done)
            self.assertIn(reason, done.stderr)

    def test_too_few_files_for_the_connections_are_named(self):
        def fewer():
            resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
        done = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(harness.ROOT / 'bench')!r})\n"
                               "import idle_memory\nidle_memory.measure('-', 100, 500)"], check=False, capture_output=True, text=True,
                              timeout=60, preexec_fn=fewer)
        self.assertIn("at most 300 files may be open, 301 are needed", done.stderr)

    def test_a_quick_run_writes_its_figures(self):
        done = subprocess.run([sys.executable, harness.ROOT / "bench" / "run", "budget", "--quick", "--no-build", "--out", self.folder],
                              check=False, capture_output=True, text=True, timeout=300, env={**os.environ, "RR_BIN": str(harness.bin_folder())})
        self.assertEqual(done.returncode, 0, done)
        written = json.loads((self.folder / "budget.json").read_text())
        self.assertEqual([one["instances"] for one in written["regions"]], [2, 10, 100])
        self.assertEqual([one["groups"] for one in written["regions"]], [1, 10, 10])
        self.assertEqual(written["two_instances"]["requests"], 50_000)
        self.assertIn((self.folder / "budget.md").read_text(), done.stdout)
        self.assertIn("| 100 | 10 |", done.stdout)
        self.assertEqual((written["idle"]["few"], written["idle"]["many"]), (100, 500))
        self.assertIn("| bytes of an idle kept connection, 100 to 500 of them |", done.stdout)
        self.assertIn(f"kernel {os.uname().release}", done.stdout)
        self.assertNotIn("demo", written)  # not with --no-build


if __name__ == "__main__":
    unittest.main()
