"""bench/run versus counts right, judges right, and fails a proxy that is fast and wrong. How fast anything is, is not asked here.

The whole course is run in a tiny form: every contender that is here relays some requests of each kind, and the load, the
proxy and the targets must agree on how many there were and how many bytes.
"""

import argparse
import json
import subprocess
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "bench"))
from versus import contenders, course, figures, report, running  # noqa: E402


def rounds_with(values, disturbed=0.0):
    return [{"disturbed": disturbed, "runs": {"rr-lb": {"cpu_us": value}, "haproxy": {"cpu_us": 1.0}}} for value in values]


class Figures(harness.TestCase):
    GOAL = figures.Goal("64 connections", "haproxy", 0.85, 0.78, 0.72)

    def test_an_interval_holds_the_median_with_nine_tenths(self):
        # Of 5 values all: outside are 2 * 1/32 = 6 %. Of 11: the two smallest outside on each side, 2 * (1 + 11 + 55)/2048
        # = 6.5 %. Of 4 even the widest leaves 2 * 1/16 = 12.5 % outside.
        self.assertEqual(figures.interval([5, 1, 4, 2, 3]), (1, 5))
        self.assertEqual(figures.interval(range(1, 12)), (3, 9))
        self.assertEqual(figures.interval([1, 2, 3, 4]), (None, None))
        self.assertEqual(figures.median([3, 1, 2]), 2)
        self.assertEqual(figures.median([4, 1, 2, 3]), 2.5)

    def test_a_goal_is_met_by_the_upper_end_of_the_interval(self):
        for values, verdict in (([0.70] * 11, "meets the stretch"),
                                ([0.70] * 8 + [0.80] * 3, "meets the gate"),
                                ([0.70] * 9 + [0.80] * 2, "meets the stretch"),
                                ([0.86] * 11, "misses the gate"),
                                ([0.60] * 6 + [0.95] * 5, "too noisy to tell"),
                                ([0.70] * 3, "too few rounds")):
            self.assertEqual(figures.verdict(self.GOAL, rounds_with(values))["verdict"], verdict, values)
        self.assertEqual(figures.verdict(self.GOAL, rounds_with([0.9] * 11, disturbed=0.5))["verdict"], "too noisy to tell")
        self.assertEqual(figures.verdict(self.GOAL, rounds_with([0.8] * 11, disturbed=0.5))["verdict"],
                         "too noisy to tell; the interval would meet the gate")
        self.assertEqual(figures.verdict(self.GOAL, [])["verdict"], "not measured")

    def test_every_goal_is_of_a_scenario_that_is_run(self):
        names = [scenario.name for scenario in figures.SCENARIOS]
        self.assertEqual([goal.scenario for goal in figures.GOALS if goal.scenario not in names], [])


class Course(harness.TestCase):
    class FakeBench:
        """Wrong at a thousand connections, and otherwise as fast as can be."""
        processes = {}

        def __init__(self):
            self.origin = self
            self.process = self

        def processor_time(self):
            return 0

        def place(self, scenario):
            pass

        def run(self, name, scenario, seconds, more=()):
            if scenario.name == "1000 connections":
                raise course.Wrong(f"{name} lost one")
            return {"cpu_us": 1.0, "seconds": 0.1, "rate": 10.0, "bytes": 200, "p50_us": 1, "p90_us": 1, "p99_us": 1,
                    "p999_us": 1, "max_us": 1}

    def test_who_is_wrong_fails_and_does_not_take_the_others_figures_with_it(self):
        results = {"scenarios": {}, "wrong": []}
        options = argparse.Namespace(rounds=5, seconds=0.1, quick=True, only="")
        found = [contenders.Relay("rr-lb", "-"), contenders.Relay("haproxy", "-")]
        course.measure(self.FakeBench(), found, options, results)
        self.assertEqual(results["wrong"], ["rr-lb lost one"])
        self.assertEqual(len(results["scenarios"]), len(figures.SCENARIOS) - 1)
        self.assertEqual(len(results["scenarios"]["64 connections"]["rounds"]), 5)
        self.assertEqual(len(results["latencies"]), 4)


class Report(harness.TestCase):
    def test_its_json_is_read_as_what_it_was(self):
        results = {"machine": {"processors": 2}, "date": "2026-11-26", "goals": [{"low": None, "high": 0.5}], "contenders": {},
                   "scenarios": {"a": {"flags": ("--connections", "1"), "rounds": rounds_with([0.1234567, 2])},
                                 "b": {"flags": (), "rounds": []}}}
        read = json.loads(report.as_json(results))
        self.assertEqual(read["scenarios"]["a"]["rounds"], rounds_with([0.123, 2]))
        self.assertEqual((read["scenarios"]["b"], read["goals"], read["machine"]),
                         ({"flags": [], "rounds": []}, results["goals"], results["machine"]))


class Versus(harness.TestCase):
    alone = True

    def setUp(self):
        super().setUp()
        self.built = harness.ROOT / "build" / "release" / "bin"
        for name in ("rr-lb", "bench_peer"):
            if not (self.built / name).exists():
                self.skipTest(f"{name} is not built (tools/build release rr-lb bench_peer)")

    def test_a_tiny_course_loses_nothing(self):
        missing = contenders.contenders(self.built, {})[1]
        if missing:
            self.skipTest(f"not here: {', '.join(missing)} (tools/peers fetches them)")
        done = subprocess.run([harness.ROOT / "bench" / "run", "versus", "--quick", "--no-build", "--rounds", "1", "--seconds",
                               "0.1", "--out", self.folder], capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads((self.folder / "versus.json").read_text())
        self.assertEqual(list(results["scenarios"]), [scenario.name for scenario in figures.SCENARIOS])
        for name, one in results["scenarios"].items():
            for who, run in one["rounds"][0]["runs"].items():
                self.assertGreater(run["requests"], 0, (name, who))
                self.assertEqual(run["errors"], 0, (name, who))
                self.assertGreater(run["cpu_us"], 0, (name, who))
        self.assertEqual({row["verdict"] for row in results["goals"]}, {"too few rounds"})
        self.assertIn("| 64 KiB POST | haproxy |", (self.folder / "versus.md").read_text())

    def test_the_load_sees_a_wrong_answer(self):
        right = self.target(lambda exchange: exchange.respond(200, b"x" * 200, {"X-Backend": "1"}))
        loaded = running.load(str(self.built / "bench_peer"), None, right.text, ["--seconds", "0.1"])
        self.assertGreater(loaded["requests"], 0)
        self.assertEqual((loaded["errors"], loaded["bytes"]), (0, 200 * loaded["requests"]))
        for body, status in ((b"x" * 199, 200), (b"x" * 200, 500), (b"x" * 199 + b"y", 200)):
            origin = self.target(lambda exchange, body=body, status=status: exchange.respond(status, body, {"X-Backend": "1"}))
            loaded = running.load(str(self.built / "bench_peer"), None, origin.text, ["--seconds", "0.1"])
            self.assertEqual(loaded["requests"], 0, (body[-1:], status))
            self.assertGreater(loaded["errors"], 0, (body[-1:], status))

    def test_what_does_not_add_up_is_refused(self):
        scenario = figures.Scenario("POST", figures.closed(1, "--body", "10"))
        right = {"requests": 5, "errors": 0, "bytes": 1000}
        course.Bench.check("one", scenario, right, 5, 50)
        for loaded, asked, received in (({**right, "errors": 1}, 5, 50), (right, 6, 50), (right, 5, 49),
                                        ({**right, "bytes": 999}, 5, 50), ({**right, "requests": 0}, 0, 0)):
            with self.assertRaises(course.Wrong):
                course.Bench.check("one", scenario, loaded, asked, received)
