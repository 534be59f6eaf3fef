"""Processor time beside HAProxy's as a picture, by gnuplot where that is."""

import shutil
import subprocess

from versus import figures

# Of one program one colour, of its variants other points. They can be told apart by those who do not see all colours.
COLOURS = {"rr-lb": "#0072b2", "nginx": "#009e73", "haproxy": "#000000", "envoy": "#cc79a7", "epoll relay": "#e69f00", "uv relay": "#d55e00"}
POINTS = {"": 7, "2 workers": 6, "access log": 9}
WIDTH = 0.8  # of the room that a scenario has, for all its contenders side by side


def side_by_side(results):
    """{scenario: [(contender, x, median, low, high)]} of what was in at least one round with HAProxy; x counts scenarios from 0."""
    found = {}
    for scenario, one in results["scenarios"].items():
        rows = []
        for name in results["contenders"]:
            values = figures.ratios(one["rounds"], name, "haproxy")
            low, high = figures.interval(values) if values else (None, None)
            if low is not None:
                rows.append((name, figures.median(values), low, high))
        if not rows:
            continue
        step = WIDTH / len(rows)
        found[scenario] = [(name, len(found) + step * (place - (len(rows) - 1) / 2), *row) for place, (name, *row) in enumerate(rows)]
    return found


def style(name):
    program, _, variant = name.partition(", ")
    return f"lc rgb '{COLOURS[program]}' pt {POINTS[variant]} ps 0.7"


def script(placed, names, file):
    """What gnuplot is told."""
    tics = ", ".join(f'"{scenario}" {number}' for number, scenario in enumerate(placed))
    lines = ["set terminal svg size 1000,520 font 'sans,11' background rgb 'white'", f"set output '{file}'",
             "set ylabel 'processor time a request / HAProxy (lower is better)'", "set grid ytics lc rgb '#d0d0d0'",
             "set key outside center top horizontal maxcols 5", f"set xtics ({tics}) rotate by 30 right nomirror",
             "set yrange [0:*]", f"set xrange [-0.5:{len(placed) - 0.5}]", "set lmargin 9", "set rmargin 2", "set bmargin 8"]
    lines += [f"set arrow from {number + 0.5}, graph 0 to {number + 0.5}, graph 1 nohead lc rgb '#d0d0d0'" for number in range(len(placed) - 1)]
    shown = [name for name in names if any(row[0] == name for rows in placed.values() for row in rows)]
    for index, name in enumerate(shown):
        lines += [f"$d{index} << END", *(" ".join(map(str, row[1:])) for rows in placed.values() for row in rows if row[0] == name), "END"]
    lines.append("plot " + ", ".join(f"$d{index} using 1:2:3:4 with yerrorbars {style(name)} title '{name}'"
                                     for index, name in enumerate(shown)))
    return "\n".join(lines)


def draw(results, folder):
    """versus.svg with the median and the interval of everybody in every scenario. False: there is no gnuplot, or nothing to draw."""
    program, placed = shutil.which("gnuplot"), side_by_side(results)
    if not placed or program is None:
        return False
    return subprocess.run([program], input=script(placed, results["contenders"], folder / "versus.svg"), text=True,
                          check=False).returncode == 0
