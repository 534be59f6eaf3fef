"""What a connection costs that does nothing.

Thousands of clients make one request each and keep their connection. The balancer's resident memory is looked at between
groups of them, so that what it needs once is not in the figure: bytes per connection are the slope. (The kernel's memory
for a socket is not the process's and is not counted.) To see the figures, on the build that counts:

    RR_BIN=build/release/bin PYTHONPATH=tests python3 tests/wire/test_lb_memory.py
"""

import resource
import socket
import unittest

import harness
from balancer import LoadBalancerTest

# Promised are 4,096 bytes. Measured are 830; what comes near the limit here has lost something on the way.
MOST_BYTES = 1300

SMALL = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BROWSER = (b"GET /cart?id=7 HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
           b"Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0\r\n"
           b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
           b"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
           b"Accept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n")


def allow_descriptors(count):
    """Raises this process's own soft limit of open files; skips the test where the hard one is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise unittest.SkipTest(f"needs {count} open files, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


class IdleConnections(LoadBalancerTest):
    alone = True

    def setUp(self):
        super().setUp()
        if harness.sanitizer():
            self.skipTest("memory is measured on builds without a sanitizer")

    def resident(self):
        return harness.memory_kib(self.lb.program.pid) * 1024

    def client(self, receive_buffer=None):
        one = socket.socket()
        self.addCleanup(one.close)
        if receive_buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        one.settimeout(harness.scaled(30))
        one.connect(("127.0.0.1", self.lb.port))
        return one

    def ask(self, client, request):
        client.sendall(request)
        got = b""
        while not got.endswith(b"target"):
            got += client.recv(4096)

    def slopes(self, request, steps):
        """Bytes per connection from each number of kept connections to the next."""
        allow_descriptors(steps[-1] + 500)
        self.lb, seen, kept = self.balancer(self.target()), [], 0
        for step in steps:
            while kept < step:
                self.ask(self.client(), request)
                kept += 1
            seen.append((kept, self.resident()))
        return [(memory - before) / (count - fewer) for (fewer, before), (count, memory) in zip(seen, seen[1:])]

    def assert_small(self, what, slopes):
        self.measured(f"{what}: an idle kept connection costs {', '.join(f'{one:.0f}' for one in slopes)} bytes")
        for one in slopes:
            self.assertLess(one, MOST_BYTES)

    def test_after_a_small_request(self):
        self.assert_small("a small GET", self.slopes(SMALL, [1000, 3000, 6000, 10000]))

    def test_after_a_browsers_request(self):
        self.assert_small("a browser's GET", self.slopes(BROWSER, [1000, 4000]))

    def test_connections_that_never_asked(self):
        allow_descriptors(5000)
        self.lb = self.balancer(self.target())
        def connect_until(count):
            for _ in range(count - self.lb.observed()["load_balancers"][0]["connections"]):
                self.client()
            harness.eventually(lambda: self.lb.observed()["load_balancers"][0]["connections"] == count, "all are there")
            return self.resident()
        before = connect_until(1000)
        self.assert_small("no request", [(connect_until(4000) - before) / 3000])

    def test_what_a_slow_reader_needed_is_given_back(self):
        size, count = 4 << 20, 32
        origin = self.target(lambda exchange: b"x" * size)
        self.lb = self.balancer(origin)
        def fetch_slowly():
            client, got = self.client(receive_buffer=4096), b""
            client.sendall(SMALL)
            while b"\r\n\r\n" not in got:
                got += client.recv(4096)
            left = size - len(got.partition(b"\r\n\r\n")[2])
            while left > 0:  # the balancer is always ahead of us
                left -= len(client.recv(16384))
        for _ in range(4):
            fetch_slowly()
        before = self.resident()
        for _ in range(count):
            fetch_slowly()
        # A buffer of 64 KiB kept for each would be 2 MiB.
        self.assertLess(self.resident() - before, 1 << 20)
        self.assertEqual(self.lb.observed()["load_balancers"][0]["connections"], count + 4, "they are all kept")


if __name__ == "__main__":
    unittest.main()
