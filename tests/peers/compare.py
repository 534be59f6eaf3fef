#!/usr/bin/env python3
"""Sends the same bytes through rr-lb, nginx and HAProxy and compares what each lets through; ./peers calls it.

  tests/peers/compare.py [--proxies rr-lb,nginx,haproxy] [--cases REGEX] [--write FILE]

RR_BIN names the folder of rr-lb. Each proxy stands in front of a target that records every byte. For a request the judge
looks at what the client got and at what the target saw; for an answer at what its own client got and at what the clients
after it got. The table goes to standard output, or into FILE. Exit status 1: a peer was stricter and no reason is known
(reasons.py), or a client got something that was not its own from rr-lb.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import re
import select
import signal
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "wire"), str(pathlib.Path(__file__).resolve().parent)]

import cases                                          # noqa: E402
import proxies                                        # noqa: E402
import reading                                        # noqa: E402
import verdicts                                       # noqa: E402
from kit.http_client import Connection, ConnectionEnded, fetch  # noqa: E402

NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
PATIENCE = 4 * proxies.IDLE  # by then every one of them has given an idle connection up
VICTIMS = 3
OTHERS = re.compile(rb" /(victim/\d+|healthz) ")  # requests that belong to no case


@dataclasses.dataclass
class Observation:
    """What one case came to, through one proxy."""

    answers: list                 # what the client got
    kept: bool = False            # the connection took the next request
    seen: list = dataclasses.field(default_factory=list)  # requests on the target's connections, without /next
    poisoned: bool = False        # a later client got something that was not its own
    leaked: bool = False          # its own client got bytes that belong to no answer


def hear(connection):
    """Everything until the end, or until the next request was answered: (bytes, whether the end was an orderly close)."""
    content, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end and not content.endswith(b"for /next"):
        connection.timeout = max(0.05, end - time.monotonic())
        connection.socket.settimeout(connection.timeout)
        try:
            connection._fill()
        except ConnectionEnded as ended:
            return content + connection.buffer, str(ended).startswith("closed")
        except (AssertionError, OSError):
            break
        content, connection.buffer = content + connection.buffer, b""
    return content, False


def send_all(connection, content):
    with contextlib.suppress(OSError):  # whoever refuses early closes before everything was sent
        connection.send(content)


interrupted = threading.Event()  # a signal only says so: whoever starts a program must come to know it first


class Trial:
    """One proxy, all cases, one after the other."""

    def __init__(self, proxy_class, folder):
        self.answer = None
        self.proxy = proxy_class(self.behave, folder)
        self.victims = 0
        self.observations = {}

    def behave(self, exchange):
        path = exchange.request.path
        if path == "/early":  # answers first, then takes what is still to come
            exchange.respond(413, "too much")
            exchange.read_body()
            return None
        exchange.read_body()
        if path == "/attack":
            exchange.send(self.answer.content) if self.answer.content else None
            if self.answer.then == "close" or not self.answer.content:
                exchange.close()
            return None
        return "for " + path

    def witness(self):
        """Later clients, over connections of their own. True when one of them got what was not its own."""
        wrong = False
        for _ in range(VICTIMS):
            self.victims += 1
            path = f"/victim/{self.victims}"
            with contextlib.suppress(OSError, AssertionError):
                response = fetch(self.proxy.address, path, timeout=PATIENCE)
                wrong = wrong or (response.status == 200 and response.text != "for " + path) or b"POISON" in response.body
        return wrong

    def ask(self, content, methods, later=b""):
        with Connection(self.proxy.address, PATIENCE) as connection:
            if later:
                send_all(connection, content)
                select.select([connection.socket], [], [], proxies.IDLE / 3)
                content = later
            send_all(connection, content + NEXT)
            heard, closed = hear(connection)
        answers = reading.read_answers(heard, methods, closed)
        return answers, heard

    def play_request(self, case):
        before = self.proxy.target.bytes_so_far()
        methods = [case.method] + ["GET"] * 10
        answers, heard = self.ask(case.content, methods, case.later)
        poisoned = self.witness()
        seen = []
        for number, content in self.proxy.target.bytes_so_far().items():
            seen += reading.read_requests(content[len(before.get(number, b"")):])
        seen = [one for one in seen if not OTHERS.search(one.start)]
        kept = heard.endswith(b"for /next")
        if kept:
            answers = answers[:-1]
        return Observation(answers, kept, [one for one in seen if b" /next " not in one.start], poisoned)

    def play_answer(self, case):
        self.answer = case
        content = f"{case.method} /attack HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        answers, heard = self.ask(content, [case.method, "GET"])
        kept = heard.endswith(b"for /next")
        # An answer of the proxy's own to /next, or none, is no harm; somebody else's text is.
        leaked = b"POISON" in heard or any(not one.status for one in answers)
        return Observation(answers[:-1] if kept else answers, kept, [], self.witness(), leaked)

    def run(self, requests, answers, report):
        for group, play_one in ((requests, self.play_request), (answers, self.play_answer)):
            for case in group:
                if interrupted.is_set():
                    return
                self.observations[case.group, case.name] = play_one(case)
                report()


def play(names, requests, answers):
    """{proxy: {case: observation}} and {proxy: version}; the proxies run at the same time."""
    with tempfile.TemporaryDirectory(prefix="rr-peers-") as folder, contextlib.ExitStack() as ended:
        pathlib.Path(folder).chmod(0o755)
        trials = []
        for name in names:
            trial = Trial(proxies.PROXIES[name], folder)
            ended.callback(trial.proxy.close)
            trial.proxy.start()
            trials.append(trial)
        done, failures = [0], []
        def report():
            done[0] += 1
            if done[0] % 50 == 0:
                print(f"{done[0]} of {len(names) * (len(requests) + len(answers))} exchanges", file=sys.stderr, flush=True)
        def run(trial):
            try:
                trial.run(requests, answers, report)
            except Exception as problem:  # told by the main thread
                failures.append(f"{trial.proxy.name}: {problem!r}\n{trial.proxy.program.tail()}")
        threads = [threading.Thread(target=run, args=(trial,)) for trial in trials]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        if failures:
            raise SystemExit("\n".join(failures))
        return ({trial.proxy.name: trial.observations for trial in trials},
                {trial.proxy.name: trial.proxy.version() for trial in trials})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxies", default=",".join(proxies.PROXIES))
    parser.add_argument("--cases", default="", help="regular expression that a case's name must contain")
    parser.add_argument("--write", help="write the table to this file")
    arguments = parser.parse_args()
    names = arguments.proxies.split(",")
    if unknown := set(names) - set(proxies.PROXIES):
        parser.error(f"--proxies {unknown.pop()}: must be of {', '.join(proxies.PROXIES)}")
    chosen = re.compile(arguments.cases)
    requests, answers = ([one for one in found if chosen.search(one.name)]
                         for found in (cases.request_cases(), cases.answer_cases()))
    if not requests and not answers:
        parser.error(f"--cases {arguments.cases}: no case has that in its name")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    observed, versions = play(names, requests, answers)
    if interrupted.is_set():
        print("interrupted: everything is ended, nothing is written")
        return 130
    judged = verdicts.judge(requests, answers, observed)
    page = verdicts.page(judged, versions)
    if arguments.write:
        pathlib.Path(arguments.write).write_text(page, encoding="utf-8")
    else:
        print(page)
    return verdicts.conclude(judged)


if __name__ == "__main__":
    sys.exit(main())
