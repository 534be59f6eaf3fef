"""What stands still while the contenders take turns: the targets, all contenders, and the account of every request."""

import datetime
import resource
import sys
import time

from versus import contenders, generators, running


class Wrong(Exception):
    """A proxy lost or changed something: it is not measured, it fails."""


class Bench:
    """The origin and all contenders, started once, and what one run of one of them costs."""

    def __init__(self, programs, found, folder, processors):
        self.load_program = str(programs / "bench_peer")
        self.processors = processors
        self.folder = folder
        self.deliverers = running.kernel_deliverers()
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

    def load_processor(self, scenario):
        return None if scenario.free else self.processors[0 if scenario.same else -1]

    def own_time(self):
        """Nanoseconds that the contenders, the targets, the load so far, this program, and the kernel for them have run."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]  # of children: those that ended
        return (sum(process.processor_time() for process in [*self.processes.values(), self.origin.process]) +
                sum(running.run_time(task) for task in self.deliverers) +
                round(sum(one.ru_utime + one.ru_stime for one in used) * 1e9))

    def run(self, name, scenario, seconds, more=()):
        """One run of the load of this repository; Wrong when it, the proxy and the targets do not agree on what happened."""
        process = self.processes[name]
        before, (asked_before, bytes_before) = process.processor_time(), self.origin.counts()
        loaded = running.load(self.load_program, self.load_processor(scenario), self.addresses[name],
                              [*scenario.flags, "--seconds", str(seconds), *more])
        cpu = process.processor_time() - before
        asked, received = self.origin.counts()
        self.check(name, scenario, loaded, asked - asked_before, received - bytes_before)
        requests = loaded["requests"]
        return {**loaded, "cpu_us": cpu / 1000 / max(requests, 1), "rate": requests / loaded["seconds"]}

    @staticmethod
    def check(name, scenario, loaded, asked, received):
        body, expect, requests = scenario.flag("--body", 0), scenario.flag("--expect", 200), loaded["requests"]
        said = f"{name}, {scenario.name}: "
        if loaded["errors"] or not requests:
            raise Wrong(f"{said}{loaded['errors']} of {requests + loaded['errors']} requests were lost or wrong")
        if asked != requests:
            raise Wrong(f"{said}the load counts {requests} answers, the targets answered {asked} requests")
        if loaded["bytes"] != requests * expect or received != requests * body:
            raise Wrong(f"{said}bytes are missing: {loaded['bytes']} of {requests * expect}, {received} of {requests * body}")

    def generate(self, tool, name, scenario, arguments):
        """(what another load generator printed, how many requests the targets answered meanwhile)."""
        before = self.origin.counts()[0]
        done = running.tool(contenders.find_program(tool), self.load_processor(scenario), arguments)
        return done, self.origin.counts()[0] - before

    def h2load(self, name, scenario, seconds, rate):
        """One run of h2load, with the same account as far as it can be had."""
        log = self.folder / "h2load.log"
        log.write_text("")
        text, asked = self.generate("h2load", name, scenario, generators.h2load_arguments(
            self.addresses[name], scenario.flag("--connections", 1), rate, seconds, log))
        loaded = generators.read_h2load(text, log.read_text())
        self.check(f"h2load through {name}", scenario, loaded, asked, 0)
        return loaded

    def wrk(self, name, scenario, seconds):
        """One run of wrk: the same account, answers a second and MB of bodies a second."""
        expect = scenario.flag("--expect", 200)
        process = self.processes[name]
        before = process.processor_time()
        text, asked = self.generate("wrk", name, scenario, generators.wrk_arguments(
            self.addresses[name], scenario.flag("--connections", 1), scenario.flag("--path", "/200"), seconds))
        cpu = process.processor_time() - before
        self.settle()
        loaded = generators.read_wrk(text)
        self.check_wrk(name, scenario, loaded, asked)
        if loaded["read"] < loaded["requests"] * expect:
            raise Wrong(f"{name}, {scenario.name}: bytes are missing: {loaded['read']} read for {loaded['requests']} answers")
        rate = loaded["requests"] / loaded["seconds"]
        return {**loaded, "rate": rate, "megabytes": rate * expect / 1e6, "cpu_us": cpu / 1000 / asked}

    def warm(self, name, scenario, seconds):
        """Connections, caches and memory for runs of wrk. Nothing is counted: some requests of its last run may still come."""
        running.load(self.load_program, self.load_processor(scenario), self.addresses[name], [*scenario.flags, "--seconds", str(seconds)])

    def settle(self):
        """Until the targets get no more of the requests that wrk left, for a second at most."""
        end, counts = time.monotonic() + 1, None
        while time.monotonic() < end and counts != (counts := self.origin.counts()):
            time.sleep(0.02)

    @staticmethod
    def check_wrk(name, scenario, loaded, asked):
        """It stops with requests under way. The targets may have answered those of this run, and of the run before after that was
        counted: one a connection at most, twice."""
        said, requests = f"{name}, {scenario.name}, wrk: ", loaded["requests"]
        if loaded["errors"] or not requests:
            raise Wrong(f"{said}{loaded['errors']} of {requests + loaded['errors']} requests were lost or wrong")
        if not requests <= asked <= requests + 2 * scenario.flag("--connections", 1):
            raise Wrong(f"{said}it counts {requests} answers, the targets answered {asked} requests")


def disturbance(before, after, own_seconds, seconds):
    """Which part of a processor's time in a round was somebody else's: others worked, or the host took it away."""
    worked, stolen = (later - earlier for earlier, later in zip(before, after))
    return (max(0.0, worked - own_seconds) + stolen) / max(seconds, 1e-9)


def one_round(bench, names, number, run):
    """`run(name)` for every contender once; who begins moves on by one each round."""
    turn = number % len(names)
    before, own = running.machine_seconds(), bench.own_time()
    started = datetime.datetime.now()
    runs = {name: run(name) for name in [*names[turn:], *names[:turn]]}
    took = (datetime.datetime.now() - started).total_seconds()
    disturbed = disturbance(before, running.machine_seconds(), (bench.own_time() - own) / 1e9, took)
    return {"number": number, "runs": runs, "disturbed": disturbed}


def rounds_of(bench, title, names, rounds, run, warm):
    """So many rounds, after `warm(name)` for each: connections, caches, memory."""
    for name in names:
        warm(name)
    done = []
    for number in range(rounds):
        done.append(one_round(bench, names, number, run))
        print(f"\r{title}: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return done
