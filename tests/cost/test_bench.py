"""bench/run versus counts right, judges right, and fails a proxy that is fast and wrong. How fast anything is, is not asked here.

The whole course is run in a tiny form: every contender that is here relays some requests of each kind, and the load, the
proxy and the targets must agree on how many there were and how many bytes.
"""

import argparse
import json
import socket
import subprocess
import sys
import threading

import harness

sys.path.insert(0, str(harness.ROOT / "bench"))
from versus import contenders, course, figures, generators, plot, report, running, stand  # noqa: E402


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

    def test_as_many_requests_as_a_peer_is_judged_by_the_lower_end(self):
        for values, verdict in (([1.1] * 5, "at least as many"), ([1.0] * 5, "at least as many"), ([0.9] * 5, "fewer"),
                                ([0.99, 1.1, 1.1, 1.1, 1.1], "too close to tell"), ([1.1] * 4, "too few rounds")):
            rounds = [{"disturbed": 0.0, "runs": {"rr-lb": {"rate": value * 10}, "nginx": {"rate": 10.0}}} for value in values]
            self.assertEqual(figures.rate_verdict(rounds, "rr-lb", "nginx")["verdict"], verdict, values)
        self.assertIsNone(figures.rate_verdict(rounds, "rr-lb", "haproxy"))
        noisy = [{**one, "disturbed": 0.5} for one in rounds + rounds]
        self.assertEqual(figures.rate_verdict(noisy, "rr-lb", "nginx")["verdict"], "too noisy to tell")

    def test_saturation_is_of_one_and_two_workers_and_of_every_number_of_connections(self):
        for workers in (1, 2):
            of_them = [one for one in figures.SATURATION if one.workers == workers and one.flag("--expect", 0) == 200]
            self.assertEqual([one.flag("--connections", 0) for one in of_them], [1, 16, 64, 256, 1000])

    def test_variants_take_part_where_a_goal_is_about_them(self):
        found = contenders.contenders(harness.ROOT, {"nginx": "/n", "haproxy": "/h", "envoy": "/e"})[0]
        named = {scenario.name: scenario.contenders(found) for scenario in [*figures.SCENARIOS, *figures.SATURATION]}
        plain = ["rr-lb", "nginx", "haproxy", "envoy", "epoll relay", "uv relay"]
        self.assertEqual(named["16 connections"], plain)
        self.assertEqual(named["64 connections"], ["rr-lb", "rr-lb, access log", *plain[1:]])
        self.assertEqual(named["saturation, 16 connections, 1 worker"], plain[:4])
        self.assertEqual(named["saturation, 16 connections, 2 workers"], [f"{name}, 2 workers" for name in plain[:4]])

    def test_what_others_worked_is_what_is_left(self):
        # In 10 s the processors worked 12 s more, 11 s of it ours, and the host took 2 s: 3 s of 10.
        self.assertAlmostEqual(stand.disturbance((100, 5), (112, 7), 11, 10), 0.3)
        self.assertEqual(stand.disturbance((100, 5), (112, 5), 13, 10), 0)

    def test_every_goal_is_of_a_scenario_that_is_run(self):
        names = [scenario.name for scenario in figures.SCENARIOS]
        self.assertEqual([goal.scenario for goal in figures.GOALS if goal.scenario not in names], [])


H2LOAD_SAID = """starting benchmark...
Application protocol: http/1.1
Stopped all clients for thread #0

finished in 1.00s, 800.00 req/s, 198.44KB/s
requests: 4 total, 4 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 198.44KB (1016) total, 21.09KB (108) headers (space savings 0.00%), 156.25KB (800) data
                     min         max         mean         sd        +/- sd
time for request:      127us      4.20ms       326us       610us    97.00%
"""
H2LOAD_LOG = "1795682508495106\t200\t400\n1795682508495069\t200\t100\n1795682508495074\t200\t300\n1795682508495075\t200\t200\n"
WRK_SAID = """Running 1s test @ http://127.0.0.1:19181/200
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   429.57us    1.08ms   8.30ms   90.50%
  59869 requests in 1.00s, 14.50MB read
Requests/sec:  59766.26
{"requests": 59869, "read": 15206726, "seconds": 1.001719, "connect": 0, "read_errors": 0, "write": 0, "status": 0, "timeout": 0}
"""


class Generators(harness.TestCase):
    """What h2load 1.52 and wrk 4.1 print was recorded."""

    def test_h2load_is_read(self):
        # Four answers: 100, 200, 300, 400 us. The median's place is 0.5 * 3 = 1, that of the 99th 0.99 * 3 = 2.
        self.assertEqual(generators.read_h2load(H2LOAD_SAID, H2LOAD_LOG), {
            "requests": 4, "errors": 0, "bytes": 800, "p50_us": 200, "p90_us": 300, "p99_us": 300, "p999_us": 300,
            "max_us": 400})

    def test_what_h2load_lost_is_counted(self):
        for said, instead, errors in (("0 failed", "2 failed", 2), ("0 errored", "1 errored", 1), ("0 timeout", "3 timeout", 3),
                                      ("4 succeeded", "3 succeeded", 1), ("4 2xx, 0 3xx", "3 2xx, 1 3xx", 1), ("4 done", "2 done", 2),
                                      ("4 total", "9 total", 5)):
            self.assertEqual(generators.read_h2load(H2LOAD_SAID.replace(said, instead), H2LOAD_LOG)["errors"], errors, instead)
        self.assertEqual(generators.read_h2load(H2LOAD_SAID, H2LOAD_LOG.replace("200\t400", "503\t400"))["errors"], 1)
        with self.assertRaises(generators.Misread):
            generators.read_h2load("h2load: cannot connect", "")

    def test_wrk_is_read(self):
        self.assertEqual(generators.read_wrk(WRK_SAID), {"requests": 59869, "errors": 0, "read": 15206726, "seconds": 1.001719})
        for kind in ("connect", "read_errors", "write", "timeout"):
            self.assertEqual(generators.read_wrk(WRK_SAID.replace(f'"{kind}": 0', f'"{kind}": 2'))["errors"], 2, kind)
        failed = generators.read_wrk(WRK_SAID.replace('"status": 0', '"status": 9'))
        self.assertEqual((failed["requests"], failed["errors"]), (59860, 9))
        with self.assertRaises(generators.Misread):
            generators.read_wrk("unable to connect to 127.0.0.1:1 Connection refused")

    def test_h2load_gets_the_rate_of_each_connection(self):
        # 3,200 / 64 is 50; 0.3 s of that are 15 requests a connection, 960 in all.
        arguments = generators.h2load_arguments("127.0.0.1:1", 64, 3200, 0.3, "log")
        self.assertTrue({"--rps=50.000", "--clients=64", "--requests=960", "--h1"} <= set(arguments), arguments)

    def test_what_wrk_leaves_under_way_is_two_a_connection_at_most(self):
        scenario = figures.Scenario("a", figures.closed(4))
        good = {"requests": 10, "errors": 0}
        for asked in (10, 18):
            stand.Bench.check_wrk("one", scenario, good, asked)
        for loaded, asked in ((good, 9), (good, 19), ({**good, "errors": 1}, 10), ({**good, "requests": 0}, 0)):
            with self.assertRaises(stand.Wrong):
                stand.Bench.check_wrk("one", scenario, loaded, asked)


class Peers(harness.TestCase):
    def test_a_peer_in_place_of_another_is_named_with_its_program(self):
        program = sys.executable
        self.assertEqual(contenders.replacements([f"haproxy={program}", f"envoy={program}"]), {"haproxy": program, "envoy": program})
        for wrong in ("caddy=/bin/sh", "nginx", "nginx=", "nginx=/no/such"):
            self.assertIn(wrong, contenders.replacements([wrong]))
            done = subprocess.run([harness.ROOT / "bench" / "run", "versus", "--no-build", "--peer", wrong], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done)

    def test_a_flag_that_would_measure_nothing_is_refused_in_one_line(self):
        for flag, value, right in (("--rounds", "0", "1 or more"), ("--rounds", "-3", "1 or more"), ("--seconds", "0", "more than 0"),
                                   ("--seconds", "nan", "more than 0"), ("--seconds", "601", "at most 600"),
                                   ("--only", "lunch", "64 KiB POST"), ("--only", "saturation, 16", "saturation, 64")):
            done = subprocess.run([harness.ROOT / "bench" / "run", "versus", "--quick", "--no-build", flag, value], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done)
            self.assertIn(f"{flag} {value}: ", done.stderr)
            self.assertIn(right, done.stderr)

    def test_envoy_takes_part_when_it_is_named_and_is_never_missed(self):
        found, missing = contenders.contenders(harness.ROOT, {"envoy": "/opt/envoy"})
        self.assertTrue({"envoy", "envoy, 2 workers"} <= {one.name for one in found})
        self.assertNotIn("envoy", [one.name for one in contenders.contenders(harness.ROOT, {})[0]])
        self.assertNotIn("envoy", missing)

    def test_envoys_configuration_is_yaml_that_says_what_the_others_say(self):
        try:
            import yaml
        except ImportError:
            harness.skip("needs python3-yaml")
        one = contenders.Envoy("envoy", "/opt/envoy", workers=2)
        command = one.command("127.0.0.1:8104", ["127.0.0.1:9001", "127.0.0.1:9002"], self.folder)
        self.assertEqual(command[command.index("--concurrency") + 1], "2")
        read = yaml.safe_load((self.folder / "envoy.yaml").read_text())["static_resources"]
        listener, cluster = read["listeners"][0], read["clusters"][0]
        self.assertEqual(listener["address"]["socket_address"], {"address": "127.0.0.1", "port_value": 8104})
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        self.assertTrue(manager["@type"].endswith(".http_connection_manager.v3.HttpConnectionManager"))
        self.assertIs(manager["use_remote_address"], True)
        self.assertIs(manager["generate_request_id"], False)
        self.assertEqual(manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["cluster"], cluster["name"])
        self.assertEqual((cluster["lb_policy"], cluster["load_assignment"]["cluster_name"]), ("ROUND_ROBIN", cluster["name"]))
        ports = [each["endpoint"]["address"]["socket_address"]["port_value"]
                 for each in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]]
        self.assertEqual(ports, [9001, 9002])

    def test_each_line_that_changes_a_peers_speed_says_why(self):
        for kind, words in ((contenders.Nginx, ("keepalive 1024", "client_body_buffer_size", "access_log", "proxy_http_version")),
                            (contenders.Haproxy, ("http-reuse", "nbthread", "option forwardfor")),
                            (contenders.Envoy, ("generate_request_id", "dynamic_stats", "max_connections", "use_remote_address"))):
            lines = kind("one", "-").configuration("127.0.0.1:1", ["127.0.0.1:2", "127.0.0.1:3"], "/f").splitlines()
            for word in words:
                place = next(number for number, line in enumerate(lines) if word in line)
                self.assertIn("#", lines[place] + lines[place - 1], word)


class Course(harness.TestCase):
    class FakeBench:
        """Wrong at a thousand connections, and otherwise as fast as can be."""
        RUN = {"cpu_us": 1.0, "seconds": 0.1, "rate": 10.0, "bytes": 200, "p50_us": 1, "p90_us": 1, "p99_us": 1, "p999_us": 1, "max_us": 1}

        def own_time(self):
            return 0

        def place(self, scenario):
            pass

        def run(self, name, scenario, seconds, more=()):
            if "1000 connections" in scenario.name:
                raise stand.Wrong(f"{name} lost one")
            return {**self.RUN, **{f"sent_{key}": value for key, value in self.RUN.items() if key.endswith("_us")}}

        def warm(self, name, scenario, seconds):
            self.run(name, scenario, seconds)

        def h2load(self, name, scenario, seconds, rate):
            return self.RUN

        def wrk(self, name, scenario, seconds):
            return {"requests": 10, "errors": 0, "read": 2000, "seconds": 1.0, "rate": 10.0, "megabytes": 0.002, "cpu_us": 1.0}

    def measured(self, generators_here=("h2load", "wrk"), only="", quick=False, bench=None):
        self.found = [contenders.RoundRobin("/rr-lb"), contenders.Haproxy("haproxy", "/haproxy"), contenders.Relay("uv relay", "-"),
                      contenders.RoundRobin("/rr-lb", workers=2), contenders.Haproxy("haproxy", "/haproxy", workers=2)]
        described = {one.name: {"version": "1.2", "command": [one.program, "-x"], "configuration": "a\nb" if one.file_name else "",
                                "fair": one.fair} for one in self.found}
        results = {"machine": running.machine(), "date": "2026-11-26", "quick": quick, "missing": [], "wrong": [], "scenarios": {},
                   "latencies": [], "saturation": {}, "goals": [], "generators": dict.fromkeys(generators_here, "1.0"), "contenders": described}
        course.measure(bench or self.FakeBench(), self.found, argparse.Namespace(rounds=5, seconds=0.1, quick=quick, only=only), results)
        return results

    def test_who_is_wrong_fails_and_does_not_take_the_others_figures_with_it(self):
        results = self.measured()
        # Of a thousand connections there are: pinned and not, and wrk's with one worker and with two.
        self.assertEqual(results["wrong"], ["rr-lb lost one"] * 3 + ["rr-lb, 2 workers lost one"])
        self.assertEqual(len(results["scenarios"]), len(figures.SCENARIOS) - 2)
        self.assertEqual(len(results["saturation"]), len(figures.SATURATION) - 2)
        self.assertEqual(len(results["scenarios"]["64 connections"]["rounds"]), 5)
        # At 50 % and 80 % of 10 requests a second.
        self.assertEqual([one["rate"] for one in results["latencies"]], [5, 8])
        self.assertEqual(sorted(results["latencies"][0]["rounds"][0]["runs"]), ["haproxy", "rr-lb", "uv relay"])

    def test_when_the_targets_end_what_was_measured_until_then_stays(self):
        class Ending(self.FakeBench):
            def wrk(self, name, scenario, seconds):
                raise ConnectionRefusedError("nobody listens there any more")
        results = self.measured(bench=Ending())
        self.assertIn("nobody listens there any more", results["wrong"][-1])
        self.assertEqual((results["saturation"], len(results["scenarios"])), ({}, len(figures.SCENARIOS) - 2))
        self.assertIn("| 64 connections | haproxy | 1.00 |", report.markdown(results))

    def test_without_the_other_generators_only_their_figures_are_left_out(self):
        results = self.measured(generators_here=())
        self.assertEqual((results["saturation"], len(results["latencies"])), ({}, 2))
        self.assertIn(" | - | ", report.markdown(results))

    def test_only_what_is_asked_for_is_run(self):
        results = self.measured(only="saturation, 16", quick=True)
        self.assertEqual((results["scenarios"], results["latencies"], results["saturation"]), ({}, [], {}))
        self.assertEqual(list(self.measured(only="saturation, 16")["saturation"]),
                         [one.name for one in figures.SATURATION if "saturation, 16" in one.name])

    def test_the_report_has_every_table(self):
        results = self.measured()
        text = report.markdown(results)
        for part in ("| 64 connections | haproxy | 1.00 |", "| 64 connections, nothing pinned, rr-lb, 2 workers | rr-lb |",
                     "| 5 a second (50% of the slowest), rr-lb | 1, 1, 1, 1, 1 | 1, 1, 1, 1, 1 | 1, 1, 1, 1, 1 |",
                     "h2load's latency counts from when it sent a request", "| saturation, 256 connections, 1 worker | 10 (0), 0 |",
                     "| saturation, 16 connections, 2 workers | haproxy, 2 workers | 1.00 |",
                     "`bench_peer load ADDRESS --connections 16 --close`", "`/haproxy -x`", "```text\na\nb\n```",
                     "**Wrong, so not in the tables**: rr-lb lost one"):
            self.assertIn(part, text)
        quiet = {**results, "scenarios": {name: {**one, "rounds": [{**single, "disturbed": 0} for single in one["rounds"]]}
                                          for name, one in results["scenarios"].items()}, "latencies": [], "saturation": {}}
        self.assertNotIn("rounds were disturbed", report.markdown(quiet))
        quiet["scenarios"]["64 connections"]["rounds"][0]["disturbed"] = 0.5
        self.assertIn(" rounds were disturbed", report.markdown(quiet))

    def test_its_plot_is_an_svg_with_everybody_in_it(self):
        harness.need_command("gnuplot")
        self.assertTrue(plot.draw(self.measured(), self.folder))
        drawn = (self.folder / "versus.svg").read_text()
        for name in ("rr-lb", "uv relay", "64 KiB POST"):
            self.assertIn(name, drawn)

    def test_nobody_is_drawn_in_the_room_of_another_scenario(self):
        found = contenders.contenders(harness.ROOT, {"nginx": "/n", "haproxy": "/h", "envoy": "/e"})[0]
        run = {one.name: {"cpu_us": 1.0} for one in found}
        rounds = [{"disturbed": 0.0, "runs": run}] * 5
        placed = plot.side_by_side({"contenders": run, "scenarios": {"a": {"rounds": rounds}, "none": {"rounds": []}, "b": {"rounds": rounds}}})
        self.assertEqual(list(placed), ["a", "b"])
        for number, rows in enumerate(placed.values()):
            self.assertEqual([row[0] for row in rows], list(run))
            places = [row[1] for row in rows]
            self.assertEqual(places, sorted(set(places)))
            self.assertGreater(places[0], number - 0.5)
            self.assertLess(places[-1], number + 0.5)
        looks = [plot.style(name) for name in run]
        self.assertEqual(len(set(looks)), len(run), looks)

    def test_its_json_is_read_as_what_it_was(self):
        results = {"machine": {"processors": 2}, "date": "2026-11-26", "goals": [{"low": None, "high": 0.5}], "contenders": {},
                   "latencies": [{"part": 0.5, "rate": 10, "rounds": rounds_with([1])}, {"part": 0.8, "rate": 16, "rounds": []}],
                   "scenarios": {"a": {"flags": ("--connections", "1"), "rounds": rounds_with([0.1234567, 2])},
                                 "b": {"flags": (), "rounds": []}}, "saturation": {"c": {"workers": 2, "rounds": rounds_with([3])}}}
        read = json.loads(report.as_json(results))
        self.assertEqual(read["scenarios"]["a"]["rounds"], rounds_with([0.123, 2]))
        self.assertEqual((read["scenarios"]["b"], read["goals"], read["machine"]),
                         ({"flags": [], "rounds": []}, results["goals"], results["machine"]))
        self.assertEqual((read["latencies"], read["saturation"]), (results["latencies"], results["saturation"]))
        empty = {"date": "x", "scenarios": {}, "saturation": {}, "latencies": []}
        self.assertEqual(json.loads(report.as_json(empty)), empty)


class Micro(harness.TestCase):
    """bench_micro, each part for a moment: all come out right, and none on a request's way allocates."""
    PARTS = ("parse_request", "parse_response", "forward_request", "forward_response", "desync", "pick", "pick_under_load",
             "match_rules", "log_line", "count_latency", "metrics_page")

    def test_every_part_comes_out_right_and_does_not_allocate(self):
        program = harness.ROOT / "build" / "release" / "bin" / "bench_micro"
        if not program.exists():
            self.skipTest("bench_micro is not built (tools/build release bench_micro)")
        done = subprocess.run([program, "--benchmark_min_time=0.001", "--benchmark_format=json"], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done)
        read = json.loads(done.stdout)["benchmarks"]
        self.assertEqual({one["name"].split("/")[0] for one in read}, set(self.PARTS))
        for one in read:
            self.assertFalse(one.get("error_occurred"), one)
            self.assertEqual(one["allocations"] > 0, one["name"].startswith("metrics_page"), one)
        sizes = [one["name"].rsplit("/", 1)[1] for one in read if one["name"].startswith("pick/round_robin")]
        self.assertEqual(sizes, ["3", "100", "10000"])


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
            self.skipTest(f"not here: {', '.join(missing)} (tools/peers --for bench fetches them)")
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
        self.check_generated(results)

    def check_generated(self, results):
        """What h2load and wrk saw, where they are."""
        names = [one.name for one in figures.QUICK_SATURATION] if "wrk" in results["generators"] else []
        self.assertEqual(list(results["saturation"]), names)
        for one in results["saturation"].values():
            for who, run in one["rounds"][0]["runs"].items():
                self.assertGreater(run["rate"], 0, who)
        self.assertEqual([one["part"] for one in results["latencies"]], [0.5, 0.8])
        for who, run in results["latencies"][0]["rounds"][0]["runs"].items():
            # What counts from when it was due is never less than what counts from when it was sent.
            self.assertGreaterEqual(run["own"]["p50_us"], run["own"]["sent_p50_us"], who)
            self.assertEqual(run["h2load"] is not None, "h2load" in results["generators"])
            if run["h2load"]:
                self.assertGreater(run["h2load"]["p50_us"], 0, who)

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

    def test_after_a_connection_that_broke_off_requests_are_whole_again(self):
        """The first connection ends in the middle of a large body, so the load was waiting to send the rest of it."""
        size = 8 << 20

        def serve(listener):
            with listener.accept()[0] as broken:
                broken.recv(1)
            with listener.accept()[0] as one, one.makefile("rb") as reader:
                while reader.readline():
                    while reader.readline().strip():
                        pass
                    if len(reader.read(size)) == size:
                        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\nX-Backend: 1\r\n\r\n" + b"x" * 200)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=serve, args=(listener,), daemon=True)
            server.start()
            loaded = running.load(str(self.built / "bench_peer"), None, "127.0.0.1:%d" % listener.getsockname()[1],
                                  ["--seconds", "0.3", "--connections", "1", "--body", str(size)])
            server.join(harness.scaled(30))
        self.assertEqual(loaded["errors"], 1)
        self.assertGreater(loaded["requests"], 0)

    def test_what_does_not_add_up_is_refused(self):
        scenario = figures.Scenario("POST", figures.closed(1, "--body", "10"))
        right = {"requests": 5, "errors": 0, "bytes": 1000}
        stand.Bench.check("one", scenario, right, 5, 50)
        for loaded, asked, received in (({**right, "errors": 1}, 5, 50), (right, 6, 50), (right, 5, 49),
                                        ({**right, "bytes": 999}, 5, 50), ({**right, "requests": 0}, 0, 0)):
            with self.assertRaises(stand.Wrong):
                stand.Bench.check("one", scenario, loaded, asked, received)
