"""The stock scenarios go the same way in both worlds.

Each file of scenarios/ is played in virtual time and by real processes; both journals are reduced to what must have happened, and
in which order where it has to do with each other, and these are compared. That the comparison sees a difference is shown with
journals that are made wrong on purpose. Two short scenarios run always, all of them in the long run.
"""

import glob
import os
import unittest

import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# So fast that a scenario is over in seconds, and so slow that what a busy machine adds does not look like a fault.
SPEED = 25


def stock():
    return sorted(os.path.basename(file).removesuffix(".yaml") for file in glob.glob(os.path.join(ROOT, "scenarios", "*.yaml")))


class Scenarios(harness.TestCase):
    def play(self, name, world):
        """The file with the journal."""
        journal = str(self.folder / f"{name}.{world}.log")
        done = self.run_program("rr-sim", "scenario", "run", os.path.join(ROOT, "scenarios", name + ".yaml"), "--world", world, "--speed",
                                str(SPEED), "--seed", "1", "--journal", journal, timeout=120)
        self.assertEqual(done.returncode, 0, done)
        return journal

    def compare(self, one, other):
        return self.run_program("rr-sim", "scenario", "compare", one, other)

    def goes_the_same_way(self, name):
        virtual, real = self.play(name, "virtual"), self.play(name, "real")
        done = self.compare(virtual, real)
        if done.returncode != 0:
            with open(real, encoding="utf-8") as file:
                self.fail(f"{name}: {done.stdout}\nof real processes:\n{file.read()}")
        self.assertIn("the same", done.stdout)
        return virtual, real

    def test_short_ones_go_the_same_way_in_both_worlds(self):
        self.goes_the_same_way("instance-crash")
        _virtual, real = self.goes_the_same_way("zone-power-loss")
        self.a_reordered_journal_is_not_the_same(real)

    def a_reordered_journal_is_not_the_same(self, journal):
        """The zone's loss, told after what it has caused; and a replacement that never came into service."""
        with open(journal, encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        fault = next(i for i, line in enumerate(lines) if " eu-west-1b FAULT power-loss" in line)
        wrong = str(self.folder / "wrong.log")
        with open(wrong, "w", encoding="utf-8") as file:
            file.writelines(lines[:fault] + lines[fault + 1:] + [lines[fault]])
        done = self.compare(journal, wrong)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn('"eu-west-1b: fault power-loss" before "eu-west-1b#1: detected", the other way round in', done.stdout)
        self.assertIn("differences", done.stderr)
        missing = next(line for line in lines[fault:] if "-> InService" in line)
        with open(wrong, "w", encoding="utf-8") as file:
            file.writelines(line for line in lines if line != missing)
        done = self.compare(journal, wrong)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("differences", done.stderr)

    def test_every_stock_scenario_goes_the_same_way_in_both_worlds(self):
        if not harness.long_run():
            harness.skip("minutes of real processes: ./check --all")
        for name in stock():
            with self.subTest(name):
                self.goes_the_same_way(name)

    def test_bad_input(self):
        broken = self.folder / "broken.yaml"
        broken.write_text("steps:\n  - wait: soon\n")
        fine = os.path.join(ROOT, "scenarios", "instance-crash.yaml")
        for words, *mentions in [(["run"], "FILE is missing"), (["run", "nope.yaml"], "nope.yaml", "cannot be read"),
                                 (["run", str(broken)], "broken.yaml:2", "soon"), (["run", fine, "--world", "mine"], "--world mine", "real"),
                                 (["run", fine, "--speed", "0"], "--speed 0", "1 to 1000"), (["run", fine, "--seed", "x"], "--seed x"),
                                 (["compare", fine], "JOURNAL is missing"), (["compare", "nope.log", "nope.log"], "nope.log", "cannot be read"),
                                 (["compare", str(broken), str(broken)], "broken.yaml:1", "a time, a name and an event")]:
            with self.subTest(" ".join(words)):
                self.assert_usage_error(self.run_program("rr-sim", "scenario", *words), *mentions)

    def test_a_step_that_is_refused_says_which(self):
        refused = self.folder / "refused.yaml"
        refused.write_text("steps:\n  - wait: settled\n  - heal: eu-west-1a\n")
        done = self.run_program("rr-sim", "scenario", "run", str(refused))
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("refused.yaml:3: heal: eu-west-1a: ", done.stderr)
        refused.write_text("steps:\n  - wait: 3 in service\n")
        done = self.run_program("rr-sim", "scenario", "run", str(refused))
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("refused.yaml:2: wait: 3 in service: was not so within 30m", done.stderr)


if __name__ == "__main__":
    unittest.main()
