"""The result as tables, and as JSON with every round."""

import json
import pathlib
import sys

from versus import figures, generators, plot, running


def markdown(results):
    contenders = ", ".join(f"{name} {one['version']}" for name, one in results["contenders"].items() if "workers" not in name)
    tools = "".join(f", {name} {version}" for name, version in results["generators"].items())
    lines = [f"Measured {results['date']} on {running.machine_text(results['machine'])}" +
             (", with `--quick`" if results["quick"] else "") + (f", in {results['seconds']} s" if "seconds" in results else "") +
             f"; {contenders}{tools}.", ""]
    if results["missing"]:
        lines += ["Not here, so not measured: " + ", ".join(results["missing"]) + ".", ""]
    lines += noise(results)
    lines += [f"**Wrong, so not in the tables**: {one}" for one in results["wrong"]] + [""] * bool(results["wrong"])
    for table in (goals_table, costs_table, rates_table, latency_table, saturation_table, rate_verdicts_table, load_table,
                  configurations):
        if rows := table(results):
            lines += rows + [""]
    return "\n".join(lines)


def noise(results):
    """A warning where others used the processors. Each row says for itself whether it can tell."""
    everything = [*results["scenarios"].values(), *results["saturation"].values(), *results["latencies"]]
    rounds = [single for one in everything for single in one["rounds"]]
    disturbed = sum(single["disturbed"] > figures.DISTURBED for single in rounds)
    if not disturbed:
        return []
    return [f"{disturbed} of {len(rounds)} rounds were disturbed: others used more than {figures.DISTURBED:.0%} of a processor, or the "
            "host took it. " + ("The machine was too noisy; repeat this on a quiet one." if 3 * disturbed > len(rounds) else
                               "A row with more than a third of such rounds cannot tell."), ""]


def goals_table(results):
    if not results["goals"]:
        return []
    lines = ["| processor time a request | divided by | median | 90 % interval | gate | target | stretch | verdict |",
             "|---|---|---|---|---|---|---|---|"]
    for row in results["goals"]:
        goal = row["goal"]
        who = goal["scenario"] if goal["who"] == "rr-lb" else f"{goal['scenario']}, {goal['who']}"
        middle = f"{row['median']:.2f}" if "median" in row else "-"
        spread = f"{row['low']:.2f} to {row['high']:.2f}" if row.get("low") is not None else "-"
        noise = f" ({row['disturbed_rounds']} of {row['rounds']} rounds disturbed)" if row.get("disturbed_rounds") else ""
        lines.append(f"| {who} | {goal['against']} | {middle} | {spread} | {goal['gate']:.2f} | {goal['target']:.2f} | "
                     f"{goal['stretch']:.2f} | {row['verdict']}{noise} |")
    return lines


def by_scenario(measured, names, title, value):
    """A row a scenario, a column a contender; only those that were in one of them."""
    names = [name for name in names if any(name in single["runs"] for one in measured.values() for single in one["rounds"])]
    if not names:
        return []
    lines = [f"| {title} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for scenario, one in measured.items():
        runs = {name: [single["runs"][name] for single in one["rounds"] if name in single["runs"]] for name in names}
        cells = [value(runs[name]) if runs[name] else "-" for name in names]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return lines


def costs_table(results):
    return by_scenario(results["scenarios"], results["contenders"], "us of processor time a request, median",
                       lambda runs: f"{figures.median([run['cpu_us'] for run in runs]):.1f}")


def rates_table(results):
    return by_scenario(results["scenarios"], results["contenders"], "requests a second, median (MB/s)",
                       lambda runs: "{:.0f} ({:.0f})".format(
                           figures.median([run["rate"] for run in runs]),
                           figures.median([(run["bytes"] / 1e6) / run["seconds"] for run in runs])))


PERCENTILES = ("p50", "p90", "p99", "p999", "max")


def latency_table(results):
    """What our own load says, from when a request was due and from when it was sent, beside h2load's."""
    if not results["latencies"]:
        return []
    lines = ["| open loop, 64 connections, us (medians of the rounds) | from when it was due: p50, p90, p99, p99.9, longest | "
             "from when it was sent: the same | h2load, from when it was sent: the same | |", "|---|---|---|---|---|"]
    for one in results["latencies"]:
        disturbed = sum(single["disturbed"] > figures.DISTURBED for single in one["rounds"])
        for name in sorted(one["rounds"][0]["runs"], key=list(results["contenders"]).index):
            runs = [single["runs"][name] for single in one["rounds"]]
            cells = [percentile_cell([run["own"] for run in runs], ""), percentile_cell([run["own"] for run in runs], "sent_"),
                     percentile_cell([run["h2load"] for run in runs if run["h2load"]], "")]
            remark = "too noisy to tell" if figures.noisy(one["rounds"]) else f"{disturbed} disturbed" if disturbed else ""
            lines.append(f"| {one['rate']} a second ({one['part']:.0%} of the slowest), {name} | " + " | ".join(cells) + f" | {remark} |")
    return [*lines, "", generators.H2LOAD_DIFFERS]


def percentile_cell(runs, prefix):
    if not runs:
        return "-"
    return ", ".join(f"{figures.median([run[f'{prefix}{which}_us'] for run in runs]):.0f}" for which in PERCENTILES)


def saturation_table(results):
    found = by_scenario(results["saturation"], results["contenders"], "wrk: requests a second, median (MB/s of bodies), errors",
                        lambda runs: "{:.0f} ({:.0f}), {}".format(figures.median([run["rate"] for run in runs]),
                                                                  figures.median([run["megabytes"] for run in runs]),
                                                                  sum(run["errors"] for run in runs)))
    return [*found, "", generators.WRK_DIFFERS] if found else []


def rate_verdicts_table(results):
    """Whether rr-lb answers as many as each peer with as many workers."""
    lines = []
    for scenario, one in results["saturation"].items():
        who = "rr-lb" if one["workers"] == 1 else f"rr-lb, {one['workers']} workers"
        for against in (name for name in results["contenders"] if name != who):
            row = figures.rate_verdict(one["rounds"], who, against)
            if row:
                spread = f"{row['low']:.2f} to {row['high']:.2f}" if row["low"] is not None else "-"
                lines.append(f"| {scenario} | {against} | {row['median']:.2f} | {spread} | {row['verdict']} |")
    header = ["| requests a second of rr-lb | divided by | median | interval | verdict |", "|---|---|---|---|---|"]
    return header + lines if lines else []


def load_table(results):
    """The flags of the load, and where everybody ran."""
    lines = [f"| {name} | `bench_peer load ADDRESS {' '.join(one['flags'])}` | {one['placement']} |"
             for name, one in results["scenarios"].items()]
    if results["latencies"]:
        flags = figures.OPEN_LOOP.flags
        lines.append(f"| {figures.OPEN_LOOP.name} | `bench_peer load ADDRESS {' '.join(flags)} --rate RATE` | {figures.OPEN_LOOP.placement()} |")
        if "h2load" in results["generators"]:
            shown = generators.h2load_arguments("ADDRESS", 64, 64, 1, "LOG")
            lines.append(f"| the same | `h2load {' '.join(shown)}`, --rps being RATE / 64 | the same |")
    for name, one in results["saturation"].items():
        flags = dict(zip(one["flags"], one["flags"][1:]))
        shown = generators.wrk_arguments("ADDRESS", flags["--connections"], flags["--path"], 1)
        shown = [pathlib.Path(word).name if word.endswith(".lua") else word for word in shown]
        lines.append(f"| {name} | `wrk {' '.join(shown)}` | {one['placement']} |")
    return ["| scenario | load | where |", "|---|---|---|", *lines] if lines else []


def configurations(results):
    """How everybody was started. Of a second one with other workers, the lines in which it differs."""
    lines, shown = ["## Commands and configurations"], {}
    for name, one in results["contenders"].items():
        kind, text = name.split(",")[0], one["configuration"].strip("\n").split("\n")
        lines += ["", f"**{name}**, {one['version']}: `{' '.join(one['command'])}`", *([one["fair"]] if kind not in shown else [])]
        differs = [line for line in text if line not in shown.get(kind, [])]
        if differs and text != [""]:
            lines += ["", *(["The same configuration but for:", ""] if kind in shown else []), "```text", *differs, "```"]
        shown.setdefault(kind, text)
    return lines


def as_json(results):
    """One line a round, figures to three places: small enough to be kept in the repository."""
    def rounded(value):
        if isinstance(value, float):
            return round(value, 3)
        if isinstance(value, dict):
            return {key: rounded(one) for key, one in value.items()}
        return [rounded(one) for one in value] if isinstance(value, (list, tuple)) else value
    def with_rounds(one):
        lines = ",\n  ".join(json.dumps(rounded(single), separators=(",", ":")) for single in one["rounds"])
        return json.dumps(rounded({**one, "rounds": []})).replace('"rounds": []', f'"rounds": [\n  {lines}]')
    parts = {key: ",\n ".join(f"{json.dumps(name)}: {with_rounds(one)}" for name, one in results[key].items())
             for key in ("scenarios", "saturation")}
    open_loop = ",\n ".join(with_rounds(one) for one in results["latencies"])
    rest = {key: rounded(value) for key, value in results.items() if key not in (*parts, "latencies")}
    return (json.dumps(rest, indent=1)[:-2] + f',\n "latencies": [\n {open_loop}]' +
            "".join(f',\n "{key}": {{\n {text}}}' for key, text in parts.items()) + "\n}\n")


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "versus.json").write_text(as_json(results))
    text = markdown(results)
    (folder / "versus.md").write_text(text)
    print(text)
    drawn = plot.draw(results, folder)
    print(f"written: {folder}/versus.md, versus.json" + (", versus.svg" if drawn else " (no plot: it needs gnuplot, HAProxy and five rounds)"),
          file=sys.stderr)
