"""What rr-sim does in virtual time, without a tier: it measures laws beside theory, draws tiers and faults from seeds, and runs
a seed again the same way.
"""

import json
import unittest

import harness


class VirtualTime(harness.TestCase):
    def test_a_law_holds_and_can_be_read_by_programs(self):
        done = self.run_program("rr-sim", "laws", "refresh")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("ceil(N/b) (launch + warm-up)", done.stdout)
        done = self.run_program("rr-sim", "laws", "refresh", "--json")
        document = json.loads(done.stdout)
        self.assertTrue(document["hold"])
        # 4 instances by twos: two batches of 16.5 s until one runs and 60 s to warm up.
        self.assertAlmostEqual(document["laws"][0]["rows"][0]["measured"], 2 * (16.5 + 60), delta=0.2)

    def test_a_swarm_holds_and_a_broken_policy_does_not(self):
        done = self.run_program("rr-sim", "swarm", "--seeds", "5")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("0 seeds violate an invariant", done.stdout)
        done = self.run_program("rr-sim", "swarm", "--seeds", "4", "--broken-policy")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("which is not healthy", done.stdout)
        again = done.stdout.rstrip().splitlines()[-1].removeprefix("again: ").split()
        shown = self.run_program(*again)
        self.assertEqual(shown.returncode, 1, shown)
        self.assertIn(next(line for line in done.stdout.splitlines() if "VIOLATED" in line), shown.stdout)

    def test_a_seed_goes_the_same_way_again(self):
        once = self.run_program("rr-sim", "replay", "3", "--journal")
        again = self.run_program("rr-sim", "replay", "3", "--journal")
        self.assertEqual(once.returncode, 0, once)
        self.assertGreater(len(once.stdout.splitlines()), 100)
        self.assertEqual(once.stdout, again.stdout)

    def test_a_region_of_a_hundred_goes_through_a_bad_hour(self):
        done = self.run_program("rr-sim", "pace", "--requests", "20000", "--most", "100")
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn("WRONG", done.stdout)
        self.assertIn("\n        100 ", done.stdout)

    def test_bad_input(self):
        for words, *mentions in [(["laws", "nope"], "nope", "detection"), (["laws", "--seed", "x"], "--seed x", "whole number"),
                                 (["swarm", "--seeds", "-1"], "--seeds", "whole number"), (["replay"], "SEED is missing"), (["pace", "--most", "x"], "--most", "whole number"),
                                 (["replay", "first"], "first", "whole number")]:
            with self.subTest(" ".join(words)):
                self.assert_usage_error(self.run_program("rr-sim", *words), *mentions)


if __name__ == "__main__":
    unittest.main()
