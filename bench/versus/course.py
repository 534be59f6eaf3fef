"""The course of a measurement: all contenders in turn within each round, every request accounted for."""

import contextlib
import datetime
import pathlib
import subprocess
import sys
import tempfile

from versus import contenders, figures, report, running

ROOT = contenders.ROOT
TICKS_A_SECOND = 100


class Wrong(Exception):
    """A proxy lost or changed something: it is not measured, it fails."""


class Bench:
    """The origin and all contenders, started once, and what one run of one of them costs."""

    def __init__(self, programs, found, folder, processors):
        self.load_program = str(programs / "bench_peer")
        self.processors = processors
        self.origin = running.Origin(self.load_program, processors[-1], folder / "origin.log")
        self.processes, self.addresses = {}, {}
        try:
            for one in found:
                own = folder / one.name.replace(" ", "-").replace(",", "")
                own.mkdir()
                self.addresses[one.name] = running.free_address()
                command = one.command(self.addresses[one.name], self.origin.addresses, own)
                self.processes[one.name] = running.Process(command, processors[0], own / "log")
                running.wait_until_answers(self.addresses[one.name], self.processes[one.name])
        except BaseException:
            self.end()
            raise

    def end(self):
        for process in [*self.processes.values(), self.origin.process]:
            process.end()

    def place(self, scenario):
        """Puts everybody where the scenario wants them."""
        everywhere, first, last = set(self.processors), {self.processors[0]}, {self.processors[-1]}
        self.origin.process.pin(everywhere if scenario.free else first if scenario.same else last)
        for process in self.processes.values():
            process.pin(everywhere if scenario.free else first)

    def run(self, name, scenario, seconds, more=()):
        """One run; Wrong when the load, the proxy and the origin do not agree on what happened."""
        process = self.processes[name]
        before, (asked_before, bytes_before) = process.processor_time(), self.origin.counts()
        processor = None if scenario.free else self.processors[0 if scenario.same else -1]
        figures_of_load = running.load(self.load_program, processor, self.addresses[name],
                                       [*scenario.flags, "--seconds", str(seconds), *more])
        cpu = process.processor_time() - before
        asked, received = self.origin.counts()
        self.check(name, scenario, figures_of_load, asked - asked_before, received - bytes_before)
        requests = figures_of_load["requests"]
        return {**figures_of_load, "cpu_us": cpu / 1000 / max(requests, 1), "rate": requests / figures_of_load["seconds"]}

    @staticmethod
    def check(name, scenario, loaded, asked, received):
        body = int(dict(zip(scenario.flags, scenario.flags[1:])).get("--body", 0))
        expect = int(dict(zip(scenario.flags, scenario.flags[1:])).get("--expect", 200))
        requests = loaded["requests"]
        said = f"{name}, {scenario.name}: "
        if loaded["errors"] or not requests:
            raise Wrong(f"{said}{loaded['errors']} of {requests + loaded['errors']} requests were lost or wrong")
        if asked != requests:
            raise Wrong(f"{said}the load counts {requests} answers, the targets answered {asked} requests")
        if loaded["bytes"] != requests * expect or received != requests * body:
            raise Wrong(f"{said}bytes are missing: {loaded['bytes']} of {requests * expect}, {received} of {requests * body}")


def disturbance(before, after, own_ns, seconds):
    """Which part of the processors' time in a round was somebody else's."""
    worked = (after[0] - before[0]) / TICKS_A_SECOND - own_ns / 1e9
    return max(0.0, worked + (after[1] - before[1]) / TICKS_A_SECOND) / max(seconds, 1e-9)


def one_round(bench, scenario, names, number, seconds):
    """Every contender once; who begins moves on by one each round."""
    turn = number % len(names)
    before = running.machine_ticks()
    own = sum(process.processor_time() for process in bench.processes.values()) + bench.origin.process.processor_time()
    runs = {}
    started = datetime.datetime.now()
    for name in [*names[turn:], *names[:turn]]:
        runs[name] = bench.run(name, scenario, seconds)
    took = (datetime.datetime.now() - started).total_seconds()
    own_now = sum(process.processor_time() for process in bench.processes.values()) + bench.origin.process.processor_time()
    # The load's own processes have ended, so what they worked is not known: at most one processor for the time they ran.
    load_ns = sum(run["seconds"] for run in runs.values()) * 1e9
    return {"number": number, "runs": runs,
            "disturbed": disturbance(before, running.machine_ticks(), own_now - own + load_ns, took)}


def latencies(bench, names, results, seconds):
    """Open loop: at half and four fifths of what the slowest peer does at 64 connections."""
    rounds = results["scenarios"].get("64 connections", {}).get("rounds", [])
    rates = [figures.median([one["runs"][name]["rate"] for one in rounds]) for name in names if rounds]
    if not rates:
        return []
    rows = []
    for part in (0.5, 0.8):
        scenario = figures.Scenario(f"open loop, {part:.0%} of the slowest", figures.closed(64))
        for name in names:
            run = bench.run(name, scenario, seconds, ["--rate", str(int(min(rates) * part))])
            rows.append({"rate": int(min(rates) * part), "part": part, "name": name,
                         **{key: value for key, value in run.items() if key.endswith("_us")}})
    return rows


def rounds_of(bench, scenario, names, rounds, seconds):
    for name in names:  # warm: connections, caches, memory
        bench.run(name, scenario, min(seconds, 0.3))
    done = []
    for number in range(rounds):
        done.append(one_round(bench, scenario, names, number, seconds))
        print(f"\r{scenario.name}: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return done


def measure(bench, found, options, results):
    rounds = options.rounds or (5 if options.quick else 11)
    seconds = options.seconds or (0.3 if options.quick else 1.0)
    for scenario in figures.SCENARIOS:
        if options.only not in scenario.name:
            continue
        bench.place(scenario)
        try:
            done = rounds_of(bench, scenario, scenario.contenders(found), rounds, seconds)
        except Wrong as wrong:
            print(f"\nbench/run: {wrong}", file=sys.stderr)
            results["wrong"].append(str(wrong))
            continue
        results["scenarios"][scenario.name] = {"flags": scenario.flags, "one_core": scenario.same, "pinned": not scenario.free,
                                               "rounds": done}
    bench.place(figures.SCENARIOS[0])
    try:
        names = figures.SCENARIOS[0].contenders(found)
        results["latencies"] = latencies(bench, names, results, max(seconds, 1.0))
    except Wrong as wrong:
        results["latencies"] = []
        results["wrong"].append(str(wrong))
    results["goals"] = [figures.verdict(goal, results["scenarios"][goal.scenario]["rounds"])
                        for goal in figures.GOALS if goal.scenario in results["scenarios"]]


def prepare(options):
    """What is missing is built and fetched. Returns an exit status, 0 when all is there."""
    if options.no_build:
        return 0
    if status := subprocess.run([ROOT / "tools" / "setup", "--for", "bench"], check=False).returncode:
        return status
    subprocess.run([ROOT / "tools" / "peers"], check=False)  # says itself what it could not get
    return subprocess.run([ROOT / "tools" / "build", "release", "rr-lb", "bench_peer"], check=False).returncode


def run(options):
    if status := prepare(options):
        return status
    programs = ROOT / "build" / "release" / "bin"
    for name in ("rr-lb", "bench_peer"):
        if not (programs / name).exists():
            print(f"bench/run: {programs / name} is not built (tools/build release rr-lb bench_peer)", file=sys.stderr)
            return 3
    replaced = dict(one.split("=", 1) for one in options.peer if "=" in one)
    if len(replaced) != len(options.peer) or set(replaced) - {"nginx", "haproxy"}:
        print("bench/run: --peer is nginx=BINARY or haproxy=BINARY", file=sys.stderr)
        return 2
    found, missing = contenders.contenders(programs, replaced)
    for name in missing:
        print(f"bench/run: {name} is not here (tools/peers fetches it): its rows are left out", file=sys.stderr)
    processors = [0, 1] if running.machine()["processors"] > 1 else [0]
    results = {"machine": running.machine(), "date": datetime.date.today().isoformat(), "quick": options.quick,
               "missing": missing, "wrong": [], "scenarios": {},
               "contenders": {one.name: {"version": one.version(),
                                         "configuration": one.configuration("ADDRESS", ["TARGET1", "TARGET2"], "FOLDER")}
                              for one in found}}
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder:
        bench = Bench(programs, found, pathlib.Path(folder), processors)
        with contextlib.closing(contextlib.ExitStack()) as stack:
            stack.callback(bench.end)
            measure(bench, found, options, results)
    report.write(results, options.out)
    return 1 if results["wrong"] else 0
