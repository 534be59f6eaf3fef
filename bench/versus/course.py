"""The course of a measurement: all contenders in turn within each round, every request accounted for."""

import contextlib
import datetime
import pathlib
import subprocess
import sys
import tempfile

from versus import contenders, figures, generators, report, running
from versus.stand import Bench, Wrong, rounds_of

ROOT = contenders.ROOT
MOST_SECONDS = 600


def processor_times(bench, found, options, results):
    """Every scenario that is asked for. Who is wrong in one does not take the others with it."""
    seconds = options.seconds or (0.3 if options.quick else 1.0)
    for scenario in figures.SCENARIOS:
        if options.only not in scenario.name:
            continue
        bench.place(scenario)
        rounds = options.rounds or (5 if options.quick else scenario.rounds())
        try:
            done = rounds_of(bench, scenario.name, scenario.contenders(found), rounds,
                             lambda name, scenario=scenario: bench.run(name, scenario, seconds),
                             lambda name, scenario=scenario: bench.run(name, scenario, min(seconds, 0.3)))
        except Wrong as wrong:
            note_wrong(results, wrong)
            continue
        results["scenarios"][scenario.name] = {"flags": scenario.flags, "one_core": scenario.same, "pinned": not scenario.free,
                                               "placement": scenario.placement(), "rounds": done}


def note_wrong(results, wrong):
    print(f"\nbench/run: {wrong}", file=sys.stderr)
    results["wrong"].append(str(wrong))


def slowest(results, names):
    """What the slowest does at 64 connections, in requests a second; 0 when that was not measured."""
    rounds = results["scenarios"].get("64 connections", {}).get("rounds", [])
    return min((figures.median([one["runs"][name]["rate"] for one in rounds]) for name in names), default=0) if rounds else 0


def latencies(bench, found, options, results):
    """Open loop: at half and four fifths of what the slowest does, by our own load and by h2load, one after the other."""
    scenario = figures.OPEN_LOOP
    names = scenario.contenders(found)
    capacity = slowest(results, names)
    if not capacity:
        return
    bench.place(scenario)
    seconds, rounds = options.seconds or 1.0, min(options.rounds or 3, 1 if options.quick else 3)
    for part in figures.PARTS:
        rate = int(capacity * part)

        def both(name, rate=rate):
            own = bench.run(name, scenario, seconds, ["--rate", str(rate)])
            second = bench.h2load(name, scenario, seconds, rate) if "h2load" in results["generators"] else None
            return {"seconds": own["seconds"], "own": own, "h2load": second}
        try:
            done = rounds_of(bench, f"open loop, {rate} requests a second", names, rounds, both,
                             lambda name, rate=rate: bench.run(name, scenario, 0.3, ["--rate", str(rate)]))
        except (Wrong, generators.Misread) as wrong:
            note_wrong(results, wrong)
            continue
        results["latencies"].append({"part": part, "rate": rate, "rounds": done})


def saturation(bench, found, options, results):
    """As many requests as there can be, by wrk. It takes whole seconds, so --seconds below one is one."""
    if "wrk" not in results["generators"]:
        return
    for scenario in figures.QUICK_SATURATION if options.quick else figures.SATURATION:
        if options.only not in scenario.name:
            continue
        bench.place(scenario)
        rounds = min(options.rounds or scenario.rounds(), 1 if options.quick else scenario.rounds())
        try:
            done = rounds_of(bench, scenario.name, scenario.contenders(found), rounds,
                             lambda name, scenario=scenario: bench.wrk(name, scenario, options.seconds or 1.0),
                             lambda name, scenario=scenario: bench.warm(name, scenario, 0.2))
        except (Wrong, generators.Misread) as wrong:
            note_wrong(results, wrong)
            continue
        results["saturation"][scenario.name] = {"flags": scenario.flags, "workers": scenario.workers,
                                                "placement": scenario.placement(), "rounds": done}


def measure(bench, found, options, results):
    """When a program of the measurement fails, what was measured until then stays."""
    try:
        processor_times(bench, found, options, results)
        latencies(bench, found, options, results)
        saturation(bench, found, options, results)
    except (OSError, subprocess.CalledProcessError) as failed:
        note_wrong(results, f"a program of the measurement failed, and what comes after is not measured: {failed}")
    results["goals"] = [figures.verdict(goal, results["scenarios"][goal.scenario]["rounds"])
                        for goal in figures.GOALS if goal.scenario in results["scenarios"]]


def wrong_flag(options):
    """What is wrong with the flags, in one line; None: nothing."""
    if options.rounds is not None and options.rounds < 1:
        return f"--rounds {options.rounds}: 1 or more is right"
    if options.seconds is not None and not 0 < options.seconds <= MOST_SECONDS:
        return f"--seconds {options.seconds:g}: more than 0 and at most {MOST_SECONDS} is right"
    names = [scenario.name for scenario in [*figures.SCENARIOS, *(figures.QUICK_SATURATION if options.quick else figures.SATURATION)]]
    if not any(options.only in name for name in names):
        return f"--only {options.only}: is in the name of no scenario; there are: {'; '.join(names)}"
    return None


def prepare(options):
    """What is missing is built and fetched. Returns an exit status, 0 when all is there."""
    if options.no_build:
        return 0
    if status := subprocess.run([ROOT / "tools" / "setup", "--for", "bench"], check=False).returncode:
        return status
    subprocess.run([ROOT / "tools" / "peers", "--for", "bench"], check=False)  # says itself what it could not get
    return 3 if subprocess.run([ROOT / "tools" / "build", "release", "rr-lb", "bench_peer"], check=False).returncode else 0


def described(found):
    """{name: what it is and how it is started}, with words in place of addresses and folders."""
    place = ("ADDRESS:PORT", ["TARGET1:PORT1", "TARGET2:PORT2"], "FOLDER")
    return {one.name: {"version": one.version(), "command": [pathlib.Path(one.program).name, *one.arguments(*place)],
                       "configuration": one.configuration(*place), "fair": one.fair} for one in found}


def begin(found, missing, options):
    """The results, with nothing measured yet."""
    versions = generators.versions()
    missing = [*missing, *(name for name in ("h2load", "wrk") if name not in versions)]
    for name in missing:
        print(f"bench/run: {name} is not here (tools/peers --for bench fetches it): what it is for is left out", file=sys.stderr)
    return {"machine": running.machine(), "date": datetime.date.today().isoformat(), "quick": options.quick, "missing": missing,
            "wrong": [], "scenarios": {}, "latencies": [], "saturation": {}, "goals": [], "generators": versions, "contenders": described(found)}


def run(options):
    replaced = contenders.replacements(options.peer)
    if wrong := replaced if isinstance(replaced, str) else wrong_flag(options):
        print(f"bench/run: {wrong}", file=sys.stderr)
        return 2
    if status := prepare(options):
        return status
    programs = ROOT / "build" / "release" / "bin"
    for name in ("rr-lb", "bench_peer"):
        if not (programs / name).exists():
            print(f"bench/run: {programs / name} is not built (tools/build release rr-lb bench_peer)", file=sys.stderr)
            return 3
    found, missing = contenders.contenders(programs, replaced)
    results = begin(found, missing, options)
    started = datetime.datetime.now()
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder, contextlib.ExitStack() as stack:
        try:
            bench = Bench(programs, found, pathlib.Path(folder), [0, 1] if results["machine"]["processors"] > 1 else [0])
        except RuntimeError as failed:  # who did not start, and what it printed
            print(f"bench/run: {failed}", file=sys.stderr)
            return 3
        stack.callback(bench.end)
        measure(bench, found, options, results)
    results["seconds"] = round((datetime.datetime.now() - started).total_seconds())
    report.write(results, options.out)
    return 1 if results["wrong"] else 0
