"""Large bodies go through in a stream: what one side does not take, the other side does not send.

64 MiB up to a target that reads slowly, 64 MiB down to a client that reads slowly; meanwhile the proxy's memory is
looked at. It may grow by less than 4 MiB.
"""

import hashlib
import threading

import harness
from balancer import LoadBalancerTest

SIZE = 64 << 20
BLOCK = bytes(range(256)) * 256  # 64 KiB
LIMIT_KIB = 4 << 10


class SlowReaders(LoadBalancerTest):
    alone = True

    def setUp(self):
        super().setUp()
        self.expected = hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).hexdigest()

    def watched(self, lb, what):
        """Runs what() and returns by how many KiB the proxy's memory grew at most, looked at after each block."""
        pid = lb.program.pid
        before = harness.memory_kib(pid)
        highest = [before]
        what(lambda: highest.__setitem__(0, max(highest[0], harness.memory_kib(pid))))
        return highest[0] - before

    def check(self, growth):
        if not harness.sanitizer():
            self.assertLess(growth, LIMIT_KIB)

    def warm_up(self, lb):
        for _ in range(20):
            harness.fetch(lb.address, "/small", "POST", body=b"x" * 100_000)

    def download(self, framing):
        def behaviour(exchange):
            if exchange.request.path == "/small":
                return "small"
            exchange.send(b"HTTP/1.1 200 OK\r\n" + framing[0] + b"\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                exchange.send(framing[1] + BLOCK + framing[2])
            exchange.send(framing[3])
            return None
        lb = self.balancer(self.target(behaviour))
        self.warm_up(lb)
        def read(look):
            client = self.connect(lb.address, receive_buffer=16 << 10)
            client.request("GET", "/big")
            response = client.read_head()
            digest = hashlib.sha256()
            rest = SIZE
            while rest > 0:
                if framing[1]:
                    self.assertEqual(response.header("transfer-encoding"), "chunked")
                    size = int(client._take_line(), 16)
                else:
                    size = min(rest, 65536)
                digest.update(client._take(size))
                if framing[1]:
                    self.assertEqual(client._take(2), b"\r\n")
                rest -= size
                look()
            self.assertEqual(digest.hexdigest(), self.expected)
        self.check(self.watched(lb, read))

    def test_down_with_a_length(self):
        self.download((b"Content-Length: %d" % SIZE, b"", b"", b""))

    def test_down_in_chunks(self):
        self.download((b"Transfer-Encoding: chunked", b"%x\r\n" % len(BLOCK), b"\r\n", b"0\r\n\r\n"))

    def upload(self, chunked):
        look_at = {}
        def behaviour(exchange):
            if exchange.request.path == "/small":
                exchange.read_body()
                return "small"
            digest = hashlib.sha256()
            rest = SIZE
            while rest > 0:
                size = int(exchange.connection._take_line(), 16) if chunked else min(rest, 65536)
                digest.update(exchange.connection._take(size))
                if chunked:
                    exchange.connection._take(2)
                rest -= size
                look_at["look"]()
            if chunked:
                exchange.connection._take(5)
            return digest.hexdigest()
        target = self.target(behaviour, stream_bodies=True, receive_buffer=16 << 10)
        lb = self.balancer(target)
        self.warm_up(lb)
        def send(look):
            look_at["look"] = look
            client = self.connect(lb.address, timeout=60)
            framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % SIZE
            client.send(b"POST /big HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                client.send(b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n" if chunked else BLOCK)
            if chunked:
                client.send(b"0\r\n\r\n")
            response = client.read_response()
            self.assertEqual(response.text, self.expected)
        self.check(self.watched(lb, send))

    def test_up_with_a_length(self):
        self.upload(False)

    def test_up_in_chunks(self):
        self.upload(True)

    def test_both_ways_at_once(self):
        # The target sends back what it gets while it still comes.
        def behaviour(exchange):
            if exchange.request.path == "/small":
                exchange.read_body()
                return "small"
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
            rest = SIZE
            while rest > 0:
                piece = exchange.connection._take(min(rest, 65536))
                exchange.send(piece)
                rest -= len(piece)
            return None
        lb = self.balancer(self.target(behaviour, stream_bodies=True))
        self.warm_up(lb)
        def both(look):
            client = self.connect(lb.address, timeout=60)
            def send():
                client.send(b"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE)
                for _ in range(SIZE // len(BLOCK)):
                    client.send(BLOCK)
            sender = threading.Thread(target=send)
            sender.start()
            client.read_head()
            digest = hashlib.sha256()
            rest = SIZE
            while rest > 0:
                piece = client.read_some(min(rest, 65536))
                digest.update(piece)
                rest -= len(piece)
                look()
            sender.join()
            self.assertEqual(digest.hexdigest(), self.expected)
        self.check(self.watched(lb, both))
