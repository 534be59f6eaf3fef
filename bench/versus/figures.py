"""From rounds to a ratio with its spread, and what it is compared with."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What the load does. `same`: proxy, load and targets share one processor, so that nothing wakes another one up.
    `free`: nothing is pinned; those with two workers are measured too, and here only."""
    name: str
    flags: tuple
    same: bool = False
    free: bool = False

    def flag(self, name, otherwise):
        """The value of a flag, of the type of what it is without."""
        return type(otherwise)(dict(zip(self.flags, self.flags[1:])).get(name, otherwise))

    def goals(self):
        return [goal for goal in GOALS if goal.scenario == self.name]

    def rounds(self):
        """Fewer where no gate hangs on it."""
        return 11 if self.goals() else 5

    def contenders(self, found):
        """Who takes part. A variant of rr-lb does where a goal is about it."""
        asked = {goal.who for goal in self.goals()} | {"rr-lb"}
        if self.free:
            return [one.name for one in found if one.is_proxy and (one.workers > 1 or one.name in PLAIN)]
        return [one.name for one in found if one.workers == 1 and (one.name in asked or not one.name.startswith("rr-lb"))]

    def placement(self):
        if self.free:
            return "nothing is pinned"
        return "all on one processor" if self.same else "proxy on one processor, load and targets on the other"


@dataclasses.dataclass(frozen=True)
class Saturation(Scenario):
    """As many requests as wrk gets answered, by those with so many workers."""
    workers: int = 1

    def rounds(self):
        return 5

    def contenders(self, found):
        names = {name if self.workers == 1 else f"{name}, {self.workers} workers" for name in PLAIN}
        return [one.name for one in found if one.name in names]


@dataclasses.dataclass(frozen=True)
class Goal:
    """rr-lb's processor time of a request (or that of `who`) divided by another's, in one scenario."""
    scenario: str
    against: str
    gate: float
    target: float
    stretch: float
    who: str = "rr-lb"


# rr-lb as it is and what people would put in its place; the rest are variants and floors.
PLAIN = ("rr-lb", "nginx", "haproxy", "envoy")


def closed(connections, *more):
    return ("--connections", str(connections), *more)


SCENARIOS = [
    Scenario("64 connections", closed(64)),
    Scenario("1 connection, one core", closed(1), same=True),
    Scenario("64 connections, one core", closed(64), same=True),
    Scenario("browser's GET, 64 connections", closed(64, "--browser")),
    Scenario("new connection a request", closed(16, "--close")),
    Scenario("64 KiB response", closed(16, "--path", "/65536", "--expect", "65536")),
    Scenario("1 MiB response", closed(16, "--path", "/1048576", "--expect", "1048576")),
    Scenario("64 KiB POST", closed(16, "--body", "65536")),
    Scenario("16 connections", closed(16)),
    Scenario("256 connections", closed(256)),
    Scenario("1000 connections", closed(1000)),
    Scenario("64 connections, nothing pinned", closed(64), free=True),
    Scenario("1000 connections, nothing pinned", closed(1000), free=True),  # neither worker has time to sleep
]

OPEN_LOOP = Scenario("open loop, 64 connections", closed(64))
PARTS = (0.5, 0.8)  # of what the slowest does at 64 connections


def saturation(workers):
    """wrk's scenarios for so many workers. Two workers have both processors, so nothing is pinned."""
    sizes = [(connections, 200) for connections in (1, 16, 64, 256, 1000)] + [(64, 65536), (16, 1048576)]
    kinds = {200: "", 65536: ", 64 KiB", 1048576: ", 1 MiB"}
    return [Saturation(f"saturation, {connections} connection{'s' * (connections > 1)}{kinds[size]}, {workers} worker{'s' * (workers > 1)}",
                       closed(connections, "--path", f"/{size}", "--expect", str(size)), free=workers > 1, workers=workers)
            for connections, size in sizes]


SATURATION = [*saturation(1), *saturation(2)]
QUICK_SATURATION = [one for one in SATURATION if "64 connections" in one.name]

GOALS = [
    Goal("64 connections", "haproxy", 0.85, 0.78, 0.72),
    Goal("1 connection, one core", "nginx", 0.95, 0.87, 0.80),
    Goal("64 connections, one core", "nginx", 0.95, 0.87, 0.80),
    Goal("1 connection, one core", "uv relay", 1.20, 1.12, 1.05),
    Goal("64 connections, one core", "uv relay", 1.20, 1.12, 1.05),
    Goal("new connection a request", "haproxy", 0.95, 0.88, 0.80),
    Goal("64 KiB response", "haproxy", 0.85, 0.75, 0.70),
    Goal("1 MiB response", "haproxy", 0.95, 0.80, 0.65),
    Goal("64 KiB POST", "haproxy", 0.75, 0.65, 0.60),
    Goal("64 connections", "rr-lb", 1.10, 1.06, 1.04, who="rr-lb, access log"),
    Goal("64 connections, nothing pinned", "rr-lb", 1.00, 0.98, 0.95, who="rr-lb, 2 workers"),
    Goal("1000 connections, nothing pinned", "rr-lb", 1.00, 0.98, 0.95, who="rr-lb, 2 workers"),
]

# What wider interval than this says nothing about gates that are 5 to 10 % apart.
WIDEST = 0.12
# Processor time of others, or taken by the host, above this part of one processor makes a round a disturbed one. On a quiet machine
# 0.00 to 0.03 is seen, with large bodies 0.05: what the kernel does in no thread's name.
DISTURBED = 0.10


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def interval(values):
    """The narrowest pair of order statistics that holds the true median with at least 90 %: of 11 rounds the third smallest
    and the third largest (93 %), of 5 all of them (94 %). Fewer than 5 cannot say it: (None, None)."""
    ordered = sorted(values)
    count = len(ordered)
    cut, outside = None, 0.0
    for rank in range(count // 2):
        outside += 2 * math.comb(count, rank) / 2 ** count
        if outside > 0.10:
            break
        cut = rank
    return (None, None) if cut is None else (ordered[cut], ordered[count - 1 - cut])


def ratios(rounds, who, against):
    """Of each round that has both: who's processor time of a request divided by the other's."""
    return [one["runs"][who]["cpu_us"] / one["runs"][against]["cpu_us"] for one in rounds
            if who in one["runs"] and against in one["runs"]]


def rate_verdict(rounds, who, against):
    """Whether rr-lb answers at least as many requests as another: {"against", "median", "low", "high", "verdict"}."""
    values = [one["runs"][who]["rate"] / one["runs"][against]["rate"] for one in rounds
              if who in one["runs"] and against in one["runs"]]
    if not values:
        return None
    low, high = interval(values)
    row = {"against": against, "median": median(values), "low": low, "high": high}
    if low is None:
        row["verdict"] = "too few rounds"
    elif noisy(rounds):
        row["verdict"] = "too noisy to tell"
    elif low >= 1:
        row["verdict"] = "at least as many"
    else:
        row["verdict"] = "fewer" if high < 1 else "too close to tell"
    return row


def noisy(rounds):
    """Whether others used the processors in more than a third of the rounds."""
    return 3 * sum(one["disturbed"] > DISTURBED for one in rounds) > len(rounds)


def verdict(goal, rounds):
    """A row of the table."""
    values = ratios(rounds, goal.who, goal.against)
    if not values:
        return {"goal": dataclasses.asdict(goal), "verdict": "not measured"}
    low, high = interval(values)
    middle = median(values)
    disturbed = sum(one["disturbed"] > DISTURBED for one in rounds)
    row = {"goal": dataclasses.asdict(goal), "rounds": len(values), "median": middle, "low": low, "high": high,
           "disturbed_rounds": disturbed}
    reached = next((name for name, limit in (("stretch", goal.stretch), ("target", goal.target), ("gate", goal.gate))
                    if high is not None and high <= limit), None)
    if low is None:
        row["verdict"] = "too few rounds"
    elif noisy(rounds):
        row["verdict"] = "too noisy to tell" + (f"; the interval would meet the {reached}" if reached else "")
    elif reached:
        row["verdict"] = f"meets the {reached}"
    elif (high - low) / middle > WIDEST:
        row["verdict"] = "too noisy to tell"
    else:
        row["verdict"] = "misses the gate"
    return row
