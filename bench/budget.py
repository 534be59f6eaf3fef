"""What is promised of speed and memory, beside what is measured, as a table and as JSON: virtual time (rr-sim pace), the second start
of the demo, an idle connection."""

import json
import math
import os
import pathlib
import subprocess
import sys

import demo_start
import idle_memory
from versus import running

ROOT = pathlib.Path(__file__).resolve().parent.parent

REQUESTS_A_SECOND = 1_000_000
LARGE = 10_000
LARGE_SECONDS = 20
LARGE_MIB = 2048
DEMO_START_SECONDS = 2
IDLE_BYTES = 1300


def promises(figures):
    """[(what, measured, promised, kept)]; what a short run does not reach is left out."""
    small = figures["two_instances"]["requests_per_cpu_second"]
    rows = [("requests a second of CPU, two instances", f"{small:,.0f}", f"at least {REQUESTS_A_SECOND:,}", small >= REQUESTS_A_SECOND)]
    regions = {one["instances"]: one for one in figures["regions"]}
    if LARGE in regions:
        large = regions[LARGE]
        rows.append((f"CPU seconds of the hour of {LARGE:,}", f"{large['cpu_seconds']:.1f}", f"under {LARGE_SECONDS}",
                     large["cpu_seconds"] < LARGE_SECONDS))
        rows.append(("MiB at most, by the end of it", f"{large['mib_so_far']:.0f}", f"under {LARGE_MIB}", large["mib_so_far"] < LARGE_MIB))
    for smaller, larger in [(100, 1_000), (1_000, LARGE)]:
        if larger not in regions:
            continue
        growth = regions[larger]["microseconds_per_check"] / regions[smaller]["microseconds_per_check"]
        allowed = math.log(larger) / math.log(smaller)
        rows.append((f"cost of a check, {larger:,} instances over {smaller:,}", f"{growth:.2f}", f"at most log n: {allowed:.2f}",
                     growth <= allowed))
    return rows + other_promises(figures)


def other_promises(figures):
    rows = []
    if demo := figures.get("demo"):
        where = ", with no network" if demo["without_network"] else ""
        rows.append((f"second start of ./demo to its first line{where}, s", f"{demo['first_line_seconds']:.2f}",
                     f"under {DEMO_START_SECONDS}", demo["first_line_seconds"] < DEMO_START_SECONDS))
    if idle := figures.get("idle"):
        rows.append((f"bytes of an idle kept connection, {idle['few']:,} to {idle['many']:,} of them", f"{idle['bytes_a_connection']:.0f}",
                     f"at most {IDLE_BYTES:,}", idle["bytes_a_connection"] <= IDLE_BYTES))
    return rows


def table(figures):
    """The report, as Markdown."""
    small = figures["two_instances"]
    lines = [f"Measured on {running.machine_text(figures['machine'])}.", "", f"{small['requests']:,} requests through two instances took {small['cpu_seconds']:.2f} s of CPU: "
             f"{small['requests_per_cpu_second']:,.0f} a second.", "",
             "| instances | groups | checks | launches | events | CPU s | us a check | MiB so far |",
             "|---|---|---|---|---|---|---|---|"]
    for one in figures["regions"]:
        lines.append(f"| {one['instances']:,} | {one['groups']} | {one['checks']:,} | {one['launches']:,} | {one['events']:,} | "
                     f"{one['cpu_seconds']:.2f} | {one['microseconds_per_check']:.2f} | {one['mib_so_far']:.0f} |")
    if demo := figures.get("demo"):
        lines += ["", f"The tier of ./demo answered {demo['tier_answers_seconds']:.1f} s after it was called, as built before (median of "
                      f"{demo['starts']})."]
    lines += ["", "| promise | measured | promised | kept |", "|---|---|---|---|"]
    lines += [f"| {what} | {measured} | {promised} | {'yes' if kept else 'NO'} |" for what, measured, promised, kept in promises(figures)]
    return "\n".join(lines) + "\n"


def wrong(figures):
    return [text for one in [figures["two_instances"], *figures["regions"]] for text in one["wrong"]]


def run(options):
    if not options.no_build:
        for command in (["setup", "--for", "demo"], ["build", "release", "rr-programs"]):
            if subprocess.run([ROOT / "tools" / command[0], *command[1:]], check=False).returncode:
                return 3
    folder = pathlib.Path(os.environ["RR_BIN"]) if options.no_build and "RR_BIN" in os.environ else ROOT / "build" / "release" / "bin"
    machine = running.machine()  # as it was before
    try:
        figures = {**pace(folder / "rr-sim", options.quick), "machine": machine}
        figures["idle"] = idle_memory.measure(folder / "rr-lb", *((100, 500) if options.quick else ()))
        if not options.no_build:  # ./demo builds what is missing, which is not what is to be measured
            figures["demo"] = demo_start.measure(1 if options.quick else 5)
    except (RuntimeError, OSError) as failed:
        print(f"bench/run: {failed}", file=sys.stderr)
        return 3
    return write(figures, options.out)


def pace(program, quick):
    """What `rr-sim pace` says. It ends with 1 where a run did not come out as it should, and says so among its figures."""
    size = ["--requests", "50000", "--most", "100"] if quick else []
    done = subprocess.run([program, "pace", "--json", *size], check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"rr-sim pace ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def write(figures, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "budget.json").write_text(json.dumps(figures, indent=2) + "\n")
    report = table(figures)
    (folder / "budget.md").write_text(report)
    print(report + f"\nwritten to {folder}/budget.md and budget.json")
    for text in wrong(figures):
        print(f"WRONG {text}")
    return 1 if wrong(figures) else 0
