#!/usr/bin/env python3
"""Runs the soak: rr-lb, six targets and a load of requests, with churn; ./soak calls it after the build.

  tests/soak/soak.py [--requests N] [--connections N]       RR_BIN names the folder of rr-lb and soak_peer

Prints a line every few seconds and last the verdict. What must hold:

  no wrong answer          every 200 carries the text of its own request
  nothing unaccounted      answers by status, cut answers: what the clients counted is what the load balancer counted
  nothing unanswered       no connection ended instead of an answer, none was refused
  flat memory              resident memory at the end within MOST_GROWTH of what it was after a tenth of the requests
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kit.http_client import fetch                  # noqa: E402
from kit.process_table import MARK_VARIABLE, memory_kib  # noqa: E402
from kit.program import Program                    # noqa: E402
from kit.surroundings import bin_folder, sanitizer  # noqa: E402

MOST_GROWTH = 8 * 1024  # KiB
REPORT_EVERY = 5.0      # seconds
CHURN_EVERY = 0.4       # seconds

# How slow every fourth answer is (ms), and after how many answers a target closes a connection (0: never).
TARGETS = [(0, 0), (0, 0), (0, 1000), (0, 97), (5, 0), (20, 500)]


class Interrupted(Exception):
    pass


class Soak:
    def __init__(self, requests, connections, seed):
        self.requests, self.connections = requests, connections
        self.random = random.Random(seed)
        self.programs = []
        self.peer = bin_folder() / "soak_peer"
        self.churned = {"deregistered": 0, "killed": 0}

    # -- what runs

    def start(self, *command):
        program = Program(command, mark=os.environ.get(MARK_VARIABLE))  # a test that runs this finds what it started
        self.programs.append(program)
        return program

    def start_target(self, number, port=0):
        slow, close_every = TARGETS[number]
        program = self.start(self.peer, "target", port, slow, close_every)
        port = int(program.wait_for(r"listening on 127\.0\.0\.1:(\d+)").group(1))
        return program, port

    def start_balancer(self):
        check = {"path": "/healthz", "interval": 0.2, "timeout": 2, "unrestricted": True, "healthy_threshold": 2,
                 "unhealthy_threshold": 2}
        config = {"load_balancers": [{
            "name": "soak",
            "listeners": [{"name": "http", "sockets": ["127.0.0.1:0"],
                           "default_action": {"type": "forward", "target_groups": [{"target_group": "web"}]}}],
            "target_groups": [{"name": "web", "health_check": check, "deregistration_delay": 1,
                               "targets": [f"127.0.0.1:{port}" for _, port in self.targets]}]}]}
        path = pathlib.Path(self.folder, "lb.yaml")
        path.write_text(json.dumps(config))  # JSON is YAML
        self.balancer = self.start(bin_folder() / "rr-lb", "--config", path, "--admin", "127.0.0.1:0",
                                   "--access-log", "/dev/null")
        address = self.balancer.wait_for(r"^listening on (\S+)$").group(1)
        self.port = int(address.rpartition(":")[2])
        self.admin = self.balancer.wait_for(r"^admin on (\S+)$").group(1)

    def observed(self):
        return fetch(self.admin, "/observed").json()["load_balancers"][0]

    def healthy(self):
        return sum(one["state"] == "healthy" for one in self.observed()["target_groups"][0]["targets"])

    # -- churn: never more than two of six are away at a time

    def register(self, numbers):
        body = {"targets": [f"127.0.0.1:{self.targets[number][1]}" for number in sorted(numbers)]}
        response = fetch(self.admin, "/targets", "PUT", body=json.dumps(body).encode())
        if response.status != 200:
            raise AssertionError(f"PUT /targets: {response}")

    def churn(self):
        if self.away:
            self.register(range(len(TARGETS)))
            self.away = False
            return
        number = self.random.randrange(len(TARGETS))
        if self.random.random() < 0.7:
            self.register(set(range(len(TARGETS))) - {number})
            self.away = True
            self.churned["deregistered"] += 1
        else:
            program, port = self.targets[number]
            program.kill()
            program.close()
            self.programs.remove(program)
            self.targets[number] = self.start_target(number, port)
            self.churned["killed"] += 1

    # -- the run

    def run(self):
        with tempfile.TemporaryDirectory(prefix="rr-soak-") as self.folder:
            self.away = False
            self.targets = [self.start_target(number) for number in range(len(TARGETS))]
            self.start_balancer()
            while self.healthy() < len(TARGETS):
                time.sleep(0.05)
            load = self.start(self.peer, "load", self.port, self.requests, self.connections)
            memory = self.watch(load)
            counts = self.counts(load)
            return self.verdict(counts, memory, load)

    def counts(self, load):
        lines = [line for line in load.lines("stdout")[-3:] if line.startswith("sent=")]
        if not lines:
            return {"sent": 0}
        return {name: int(value) for name, value in re.findall(r"([\w.]+)=(\d+)", lines[-1])}

    def watch(self, load):
        """Until the load is over; returns the memory after a tenth of it and the most since."""
        began = last = time.monotonic()
        reported, first, most = 0, None, 0
        next_churn = began
        while load.running:
            time.sleep(0.05)
            if interrupted:
                raise Interrupted
            if not self.balancer.running:
                raise AssertionError("rr-lb ended\n" + self.balancer.tail())
            now = time.monotonic()
            if now >= next_churn:
                self.churn()
                next_churn = now + CHURN_EVERY
            if now - last >= REPORT_EVERY:
                sent, memory = self.counts(load)["sent"], memory_kib(self.balancer.pid)
                print(f"{now - began:6.0f} s  {sent:>10} requests  {(sent - reported) / (now - last):>7.0f}/s  "
                      f"rr-lb {memory:>6} KiB  {self.churned['deregistered']} deregistered, {self.churned['killed']} killed",
                      flush=True)
                reported, last = sent, now
                if sent >= self.requests / 10:
                    first = memory if first is None else first
                    most = max(most, memory)
        if interrupted:
            raise Interrupted
        load.wait()
        memory = memory_kib(self.balancer.pid)
        took = time.monotonic() - began
        print(f"{took:6.0f} s  {self.requests} requests, {self.requests / took:.0f}/s on average", flush=True)
        return (memory if first is None else first), max(most, memory)

    def verdict(self, counts, memory, load):
        end = time.monotonic() + 20
        while self.observed()["connections"] > 0 and time.monotonic() < end:
            time.sleep(0.05)
        counters = self.observed()["counters"]
        own = {f"status.{status}": count for status, count in counters["own_responses"].items()}
        clients = {name: count for name, count in counts.items() if name.startswith("status.")}
        answered = counts["ok"] + counts["wrong"] + sum(clients.values())
        print(f"clients: {' '.join(f'{name}={count}' for name, count in counts.items())}")
        print(f"rr-lb:   requests={counters['requests']} cut={counters['responses_truncated']} "
              + " ".join(f"{name}={count}" for name, count in own.items()))
        failures = []
        def must(holds, text):
            if not holds:
                failures.append(text)
        must(counts["wrong"] == 0, f"{counts['wrong']} wrong answers: {load.text('stdout')[:2000]}")
        must(counts["sent"] == self.requests, f"{counts['sent']} of {self.requests} requests were sent")
        must(counts["refused"] == 0, f"{counts['refused']} connections were refused")
        must(counts["unanswered"] == 0, f"{counts['unanswered']} requests got no answer")
        must(answered + counts["cut"] + counts["unanswered"] == counts["sent"], "a client lost count")
        must(counters["requests"] == counts["sent"], f"rr-lb counted {counters['requests']} requests")
        must(own == clients, f"own answers: the clients got {clients}, rr-lb counted {own}")
        must(counters["responses_truncated"] == counts["cut"],
             f"the clients saw {counts['cut']} cut answers, rr-lb counted {counters['responses_truncated']}")
        growth = memory[1] - memory[0]
        if sanitizer():
            print(f"memory: not judged on a sanitizer build ({memory[0]} KiB, then {memory[1]} KiB at most)")
        else:
            must(growth <= MOST_GROWTH, f"memory grew by {growth} KiB after the first tenth (at most {MOST_GROWTH})")
            print(f"memory: {memory[0]} KiB after a tenth, {memory[1]} KiB at most since (bound: +{MOST_GROWTH} KiB)")
        if self.balancer.stop(signal.SIGTERM) != 0:
            failures.append("rr-lb did not stop in order\n" + self.balancer.tail())
        for failure in failures:
            print(f"FAILED: {failure}")
        print("soak: failed" if failures else f"soak: all {counts['sent']} requests answered or accounted for, no wrong answer")
        return 1 if failures else 0

    def close(self):
        for program in reversed(self.programs):
            program.close()


interrupted = False


def on_interrupt(*_):
    global interrupted
    interrupted = True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1, help="of the churn")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_interrupt)
    soak = Soak(arguments.requests, arguments.connections, arguments.seed)
    try:
        return soak.run()
    except Interrupted:
        print("interrupted: everything is ended, there is no verdict")
        return 130
    finally:
        soak.close()


if __name__ == "__main__":
    sys.exit(main())
