"""The result as a table, as JSON with every round, and as a plot by gnuplot where that is."""

import json
import shutil
import subprocess
import sys

from versus import figures


def markdown(results):
    lines = [f"Measured {results['date']} on {results['machine']['processor']}, {results['machine']['processors']} processors, "
             f"kernel {results['machine']['kernel']}" + (", with `--quick`" if results["quick"] else "") + "; " +
             ", ".join(f"{name} {one['version']}" for name, one in results["contenders"].items()) + ".", ""]
    if results["missing"]:
        lines += ["Not here, so not measured: " + ", ".join(results["missing"]) + ".", ""]
    lines += [f"**Wrong, so not in the tables**: {one}" for one in results["wrong"]] + [""] * bool(results["wrong"])
    lines += goals_table(results) + [""] + costs_table(results) + [""] + rates_table(results)
    if results["latencies"]:
        lines += [""] + latency_table(results)
    return "\n".join(lines) + "\n"


def goals_table(results):
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


def by_scenario(results, title, value):
    names = list(results["contenders"])
    lines = [f"| {title} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for scenario, one in results["scenarios"].items():
        runs = {name: [single["runs"][name] for single in one["rounds"] if name in single["runs"]] for name in names}
        cells = [value(runs[name]) if runs[name] else "-" for name in names]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return lines


def costs_table(results):
    return by_scenario(results, "us of processor time a request, median",
                       lambda runs: f"{figures.median([run['cpu_us'] for run in runs]):.1f}")


def rates_table(results):
    return by_scenario(results, "requests a second, median (MB/s)", lambda runs: "{:.0f} ({:.0f})".format(
        figures.median([run["rate"] for run in runs]),
        figures.median([(run["bytes"] / 1e6) / run["seconds"] for run in runs])))


def latency_table(results):
    lines = ["| open loop, requests a second | who | p50 us | p90 us | p99 us | p99.9 us | longest us |", "|---|---|---|---|---|---|---|"]
    for row in results["latencies"]:
        lines.append(f"| {row['rate']} ({row['part']:.0%} of the slowest) | {row['name']} | {row['p50_us']} | {row['p90_us']} | "
                     f"{row['p99_us']} | {row['p999_us']} | {row['max_us']} |")
    return lines


def plot(results, folder):
    """Processor time beside HAProxy's by scenario, with the interval. False: there is no gnuplot."""
    rows = []
    for number, (scenario, one) in enumerate(results["scenarios"].items()):
        for column, name in enumerate(results["contenders"]):
            values = figures.ratios(one["rounds"], name, "haproxy")
            low, high = figures.interval(values) if values else (None, None)
            if low is not None:
                rows.append((name, number + 0.12 * column - 0.3, figures.median(values), low, high, scenario))
    program = shutil.which("gnuplot")
    if not rows or program is None:
        return False
    blocks = []
    for name in results["contenders"]:
        lines = [f"{x} {middle} {low} {high}" for who, x, middle, low, high, _ in rows if who == name]
        if lines:
            blocks.append((name, "\n".join(lines)))
    tics = ", ".join(f'"{scenario}" {number}' for number, scenario in enumerate(results["scenarios"]))
    script = ["set terminal svg size 1000,520 font 'sans,11'", f"set output '{folder / 'versus.svg'}'",
              "set ylabel 'processor time a request / HAProxy (lower is better)'", "set key top right", "set grid ytics",
              f"set xtics ({tics}) rotate by -25", "set yrange [0:*]"]
    for index, (_, lines) in enumerate(blocks):
        script += [f"$d{index} << END", lines, "END"]
    script.append("plot " + ", ".join(f"$d{index} using 1:2:3:4 with yerrorbars pt 7 ps 0.6 title '{name}'"
                                      for index, (name, _) in enumerate(blocks)))
    return subprocess.run([program], input="\n".join(script), text=True, check=False).returncode == 0


def as_json(results):
    """One line a round, figures to three places: small enough to be kept in the repository."""
    def rounded(value):
        if isinstance(value, float):
            return round(value, 3)
        if isinstance(value, dict):
            return {key: rounded(one) for key, one in value.items()}
        return [rounded(one) for one in value] if isinstance(value, (list, tuple)) else value
    text = {}
    for name, one in results["scenarios"].items():
        lines = ",\n  ".join(json.dumps(rounded(single), separators=(",", ":")) for single in one["rounds"])
        text[name] = json.dumps({**one, "rounds": []}).replace('"rounds": []', f'"rounds": [\n  {lines}]')
    scenarios = ",\n ".join(f"{json.dumps(name)}: {one}" for name, one in text.items())
    rest = {key: rounded(value) for key, value in results.items() if key != "scenarios"}
    return json.dumps(rest, indent=1)[:-2] + f',\n "scenarios": {{\n {scenarios}}}\n}}\n'


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "versus.json").write_text(as_json(results))
    text = markdown(results)
    (folder / "versus.md").write_text(text)
    print(text)
    drawn = plot(results, folder)
    print(f"written: {folder}/versus.md, versus.json" + (", versus.svg" if drawn else " (no plot: gnuplot or HAProxy is not here)"),
          file=sys.stderr)
