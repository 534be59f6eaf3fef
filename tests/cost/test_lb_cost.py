"""What a request costs, counted instead of timed: instructions under callgrind, system calls under strace.

Neither figure moves with the load of the machine, so both can be limits. They hold for the release build, without access log,
health checks on. Sixteen kept connections ask at the same time and then wait for all answers. That is regular, so the loop
wakes for many connections at once: a real load makes a few more epoll_wait of the same requests. To see the figures:

    RR_BIN=build/release/bin tests/harness.py --suite cost
"""

import collections
import pathlib
import re

import harness
from wire.balancer import Balancer, QUICK

CONNECTIONS = 16
SMALL = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BROWSER = (b"GET /cart?id=7 HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
           b"Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0\r\n"
           b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
           b"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
           b"Accept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n")
BODY = b"x" * 198 + b"\r\n"

# Counted are 7,450 and 11,850 (g++ 12, -O2). HAProxy 2.6 takes 32,500 and 43,000 for the same, nginx 1.22 20,100 and 31,700.
MOST_INSTRUCTIONS_SMALL = 10_000
MOST_INSTRUCTIONS_BROWSER = 18_000
MOST_INSTRUCTIONS_LOGGED = 18_000  # counted are 15,600
MOST_SYSTEM_CALLS_NEW = 8.8  # with a connection of its own; counted are 7.0 to 7.8
MOST_SYSTEM_CALLS = 4.6  # counted are 4.15: two reads, two writes, and an epoll_wait for several connections


class Cost(harness.TestCase):
    alone = True

    def setUp(self):
        super().setUp()
        harness.need_command("valgrind")
        harness.need_command("strace")
        if harness.bin_folder().parent.name != "release":
            self.skipTest("the cost of a request is counted on the release build (RR_BIN=build/release/bin)")
        self.origin = self.target(lambda exchange: BODY)

    def balancer(self, *before, flags=()):
        """rr-lb, behind the tool that counts; its one target is healthy and is checked every second."""
        command = [*before, harness.program("rr-lb"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--target",
                   self.origin.text, "--unrestricted", *flags]
        for flag, value in {**QUICK, "--health-interval": "1"}.items():
            command += [flag, value]
        one = Balancer(self.start(*command))
        one.wait_for_states({self.origin.text: "healthy"}, timeout=60)
        return one

    def clients(self, lb):
        kept = []
        for _ in range(CONNECTIONS):
            client = harness.Connection(lb.address, 60)
            self.addCleanup(client.close)
            kept.append(client)
        return kept

    def ask(self, clients, request, rounds):
        """So many requests on each connection; every answer is looked at. Returns how many there were."""
        for _ in range(rounds):
            for client in clients:
                client.send(request)
            for client in clients:
                response = client.read_response()
                self.assertEqual((response.status, response.body), (200, BODY))
        return rounds * len(clients)

    def counted_run(self, request, rounds, flags):
        """(instructions of a whole run, its allocations, requests)."""
        valgrind = harness.need_command("valgrind")
        file = self.folder / f"callgrind.{rounds}"
        lb = self.balancer(valgrind, "--tool=callgrind", f"--callgrind-out-file={file}", "--quiet", flags=flags)
        asked = self.ask(self.clients(lb), request, rounds)
        self.assertEqual(lb.program.stop(timeout=60), 0)
        text = file.read_text()
        total = int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE).group(1))
        return total, calls_of(text, "malloc", "calloc", "realloc"), asked

    def cost_of(self, request, flags=()):
        """(instructions, allocations) that a request adds to a run, so that start and end are not in the figures."""
        (few, few_allocations, fewer), (many, many_allocations, more) = (
            self.counted_run(request, rounds, flags) for rounds in (20, 220))
        self.assertGreater(few_allocations, 100, "its start alone allocates: they were counted")
        return (many - few) / (more - fewer), (many_allocations - few_allocations) / (more - fewer)

    def check_cost(self, name, request, limit, flags=()):
        instructions, allocations = self.cost_of(request, flags)
        self.measured(f"{name}: {instructions:.0f} instructions, {allocations:.3f} allocations")
        self.assertLessEqual(instructions, limit)
        # Health checks go on meanwhile, and they allocate: some a second, not one a request.
        self.assertLess(allocations, 0.1)

    def test_a_small_get(self):
        self.check_cost("a small GET", SMALL, MOST_INSTRUCTIONS_SMALL)

    def test_a_browsers_get(self):
        self.check_cost("a browser's GET", BROWSER, MOST_INSTRUCTIONS_BROWSER)

    def test_a_browsers_get_with_an_access_log(self):
        self.check_cost("a browser's GET with an access log", BROWSER, MOST_INSTRUCTIONS_LOGGED,
                        ["--access-log", str(self.folder / "access.log")])

    def test_system_calls(self):
        strace = harness.need_command("strace")
        lb = self.balancer()
        clients = self.clients(lb)
        self.ask(clients, SMALL, 20)
        file = self.folder / "calls"
        tracer = self.start(strace, "-f", "-p", str(lb.program.pid), "-o", str(file))
        tracer.wait_for(r"attached", stream="stderr")
        asked = self.ask(clients, SMALL, 100)
        tracer.stop()
        calls, refused = counted(file)
        self.measured(f"{sum(calls.values()) / asked:.2f} system calls a request: {dict(calls)}")
        self.assertGreaterEqual(sum(calls.values()), 4 * asked, "strace saw every request")
        self.assertLessEqual(sum(calls.values()) / asked, MOST_SYSTEM_CALLS)
        # A health check may fall into it, which opens a connection of its own: a few, not one a request.
        self.assertLess(calls["epoll_ctl"], asked / 50, calls)
        self.assertLess(refused, asked / 50, "reads and writes that found nothing to do")


    def test_system_calls_of_a_new_connection(self):
        """libuv and epoll need not know of a connection whose request has come with it and that ends with the answer."""
        strace = harness.need_command("strace")
        lb = self.balancer()
        self.ask(self.clients(lb), SMALL, 20)
        file = self.folder / "calls"
        tracer = self.start(strace, "-f", "-p", str(lb.program.pid), "-o", str(file))
        tracer.wait_for(r"attached", stream="stderr")
        asked = 0
        for _ in range(50):
            clients = [harness.Connection(lb.address, 60) for _ in range(CONNECTIONS)]
            asked += self.ask(clients, SMALL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 1)
            for client in clients:
                client.close()
        tracer.stop()
        calls, _ = counted(file)
        self.measured(f"{sum(calls.values()) / asked:.2f} system calls a request with a new connection: {dict(calls)}")
        self.assertGreaterEqual(sum(calls.values()), 6 * asked, "strace saw every request")
        self.assertLessEqual(sum(calls.values()) / asked, MOST_SYSTEM_CALLS_NEW)


def calls_of(text, *names):
    """How often functions of these names were called, of callgrind's output."""
    numbers = {number for number, name in re.findall(r"^c?fn=\((\d+)\) (\S+)$", text, re.MULTILINE) if name.split("@")[0] in names}
    total = 0
    for number, calls in re.findall(r"^cfn=\((\d+)\).*\ncalls=(\d+)", text, re.MULTILINE):
        total += int(calls) if number in numbers else 0
    return total


def counted(file):
    """({system call: how often}, how many ended with EAGAIN) of strace's output."""
    lines = pathlib.Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    names = [re.match(r"(?:\d+ +)?(\w+)\(", line) for line in lines]
    return collections.Counter(name.group(1) for name in names if name), sum("EAGAIN" in line for line in lines)
