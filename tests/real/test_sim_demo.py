"""The demo keeps its promises, says so, and leaves nothing behind: on a pipe and on a terminal, to its end, interrupted,
killed, step by step, and kept.
"""

import glob
import re
import unittest

import harness
from tier import TierTest


class Demo:
    alone = True  # it measures

    def setUp(self):
        super().setUp()
        self.before = set(glob.glob("/tmp/rr-demo-*"))

    def folders(self):
        """State folders of demos that were not there before."""
        return sorted(set(glob.glob("/tmp/rr-demo-*")) - self.before)

    def test_to_its_end(self):
        done = self.run_program("rr-sim", "demo", "--ground", self.ground, timeout=120)
        self.assertEqual(done.returncode, 0, done)
        self.assertLess(done.seconds, harness.scaled(60), "under 60 seconds")
        self.assertIn("Every promise was kept.", done.stdout)
        self.assertNotIn("\x1b", done.stdout, "no colours on a pipe")
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80, done)
        for title in ("1. Round robin", "2. Zone eu-west-1b loses power", "3. The lost instance is replaced",
                      "4. Zone eu-west-1b heals", "5. A new version is released, 2 -> 4 -> 2"):
            self.assertIn(title, done.stdout)
        rows = dict(re.findall(r"^(round robin|zone b comes back|release 2 -> 4 -> 2|after the release)\s+\d+\s+(\d+)", done.stdout, re.M))
        self.assertEqual(rows, {"round robin": "0", "zone b comes back": "0", "release 2 -> 4 -> 2": "0", "after the release": "0"})
        self.assertRegex(done.stdout, r"new connections that its node took before its removal\s+0\n")
        self.assertRegex(done.stdout, r"unexplained\s+0\n")
        self.assert_no_process_left()

    def test_interrupted(self):
        demo = self.start("rr-sim", "demo", "--ground", self.ground, terminal=True)
        demo.wait_for(r"2\. Zone", timeout=60)
        demo.send("\x03")
        self.assertEqual(demo.wait(timeout=30), 130)
        self.assert_no_process_left(timeout=10)
        self.assertEqual(self.folders(), [])

    def test_killed(self):
        demo = self.start("rr-sim", "demo", "--ground", self.ground)
        demo.wait_for(r"1\. Round robin", timeout=60)
        demo.kill()
        self.assert_no_process_left(timeout=30)
        self.assertEqual(self.folders(), [])

    def test_step_by_step_and_kept(self):
        demo = self.start("rr-sim", "demo", "--step", "--keep", "--ground", self.ground, terminal=True)
        for number in range(1, 6):
            demo.wait_for(rf"{number}\. ", timeout=90)
            demo.wait_for(r"press a key", timeout=30, since=0)
            harness.eventually(lambda: "press a key" in demo.lines()[-1], "it waits for a key")
            demo.send(" ")
        self.assertEqual(demo.wait(timeout=120), 0)
        kept = demo.wait_for(r"rr-sim down --state (\S+)").group(1)
        status = self.run_program("rr-sim", "status", "--state", kept)
        self.assertEqual(status.returncode, 0, status)
        self.assertEqual(self.run_program("rr-sim", "down", "--state", kept, timeout=60).returncode, 0)
        self.assert_no_process_left()
        self.assertEqual(self.folders(), [])


class DemoPlain(Demo, TierTest):
    pass


class DemoNamespaces(Demo, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
