"""Clients and targets that attack, and a witness who must not notice.

Each test lets many peers misbehave in one way: heads and bodies that stop half-way, connections that never say a word,
answers that nobody fetches, clients that vanish, answers that never end. Meanwhile a witness, another client, asks over a
connection that it keeps and over new ones, and every answer must be its own. Then the misbehaving peers must have come
to their end by the limit that is named for them, and nothing may be left of them: no connection, no request in progress, no
memory to speak of.

The idle timeout is one second here, so an attacker that is bounded by it is gone soon; the witness never waits for it.
"""

import contextlib
import socket
import threading
import unittest

import harness
from balancer import Balancer, LoadBalancerTest

MANY = 200
HALF_HEAD = b"GET /half HTTP/1.1\r\nHost: a\r\nX-Half: "
HALF_BODY = b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"
HALF_CHUNK = b"POST /half HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nhalf"


class AttackTest(LoadBalancerTest):
    IDLE = "1"

    def arrange(self, behaviour=None, **options):
        self.origin = self.target(behaviour or (lambda exchange: "for " + exchange.request.path), **options)
        self.lb = self.balancer(self.origin, flags=("--idle-timeout", str(float(self.IDLE) * harness.slowness())))
        self.asked = 0

    def connections(self):
        return self.lb.observed()["load_balancers"][0]["connections"]

    def witness(self, times=10):
        """Asks `times` times over one kept connection and as often over new ones."""
        with self.connect(self.lb.address) as kept:
            for _ in range(times):
                self.asked += 1
                self.assertEqual(kept.get(f"/witness/{self.asked}").text, f"for /witness/{self.asked}")
                self.asked += 1
                self.assertEqual(harness.fetch(self.lb.address, f"/witness/{self.asked}").text, f"for /witness/{self.asked}")

    def assert_nothing_left(self, timeout=20.0):
        harness.eventually(lambda: self.connections() == 0, "no client's connection is left", timeout)
        def idle():
            one = self.lb.targets()[self.origin.text]
            return one["outstanding"] == 0 and one["connections"] == one["idle_connections"]
        harness.eventually(idle, "no request is in progress", timeout)

    def attack(self, content, count=MANY):
        clients = [self.connect(self.lb.address) for _ in range(count)]
        for client in clients:
            client.send(content)
        harness.eventually(lambda: self.connections() >= count // 2, "they are connected")
        return clients


class SlowClients(AttackTest):
    def half_of_something(self, content):
        self.arrange()
        clients = self.attack(content)
        self.witness()
        for client in clients:
            raw = client.read_all()
            self.assertTrue(raw.startswith(b"HTTP/1.1 408 "), raw[:200])
            self.assertEqual(raw.count(b"HTTP/1.1 "), 1)
            client.close()
        self.assert_nothing_left()
        self.witness(1)

    def test_half_a_head_is_408_after_the_idle_timeout(self):
        self.half_of_something(HALF_HEAD)
        self.assertEqual(self.origin.requests(path="/half"), [])

    def test_half_a_body_is_408_after_the_idle_timeout(self):
        self.half_of_something(HALF_BODY)

    def test_half_a_chunk_is_408_after_the_idle_timeout(self):
        self.half_of_something(HALF_CHUNK)

    def test_who_says_nothing_is_let_go_without_a_word(self):
        self.arrange()
        clients = self.attack(b"")
        self.witness()
        for client in clients:
            client.wait_closed()
        self.assert_nothing_left()

    def test_answers_that_nobody_fetches_are_cut_after_the_idle_timeout_and_never_collected(self):
        size, count = 4 << 20, 24
        def behaviour(exchange):
            if exchange.request.path == "/large":
                with contextlib.suppress(OSError):
                    exchange.respond(200, b"x" * size)
                return None
            return "for " + exchange.request.path
        self.arrange(behaviour)
        before = harness.memory_kib(self.lb.program.pid, "VmRSS")
        clients = [self.connect(self.lb.address, receive_buffer=4096) for _ in range(count)]
        for client in clients:
            client.request("GET", "/large")
        self.origin.wait_for(lambda target: len([one for one in target.seen if one.path == "/large"]) == count,
                             "all have asked")
        self.witness()
        self.assert_nothing_left()
        if not harness.sanitizer():
            # 24 answers of 4 MiB would be 96 MiB; what may wait is one read (256 KiB) and a little for each: 8 MiB.
            grown = harness.memory_kib(self.lb.program.pid, "VmHWM") - before
            self.assertLess(grown, 24 * 1024, "answers were collected for those who do not read")
        for client in clients:
            client.close()

    def test_a_refused_client_that_neither_reads_nor_closes_is_left_behind_soon(self):
        # After a last answer the connection lingers for two seconds, so that the answer is not lost; no longer.
        self.arrange()
        clients = self.attack(b"no request\r\n\r\n")
        self.witness()
        self.assert_nothing_left()
        for client in clients:
            self.assertTrue(client.read_all().startswith(b"HTTP/1.1 400 "))


class VanishingClients(AttackTest):
    def test_whoever_vanishes_leaves_nothing(self):
        ways = {"reset": lambda client: client.reset(), "closed": lambda client: client.close()}
        stages = {"nothing sent": b"", "in the head": HALF_HEAD, "in the body": HALF_BODY, "in a chunk": HALF_CHUNK,
                  "waiting for the answer": b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
                  "in the answer": b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"}
        def behaviour(exchange):
            path = exchange.request.path
            if path == "/hold":
                exchange.hold()
                exchange.close()
            elif path == "/endless":
                exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
                exchange.hold()
                exchange.close()
            else:
                return "for " + path
            return None
        # The idle timeout plays no part: what is seen here is that a vanished client is noticed, not waited for.
        self.IDLE = "60"
        self.arrange(behaviour, stream_bodies=True)
        for way, vanish in ways.items():
            for stage, content in stages.items():
                with self.subTest(stage, way=way):
                    clients = self.attack(content, 20)
                    if stage == "in the answer":
                        for client in clients:
                            client.read_head()
                    for client in clients:
                        vanish(client)
                    self.witness(2)
                    self.assert_nothing_left()


    def test_with_requests_in_waiting_it_is_noticed_when_the_target_is_overdue(self):
        # What a client sends ahead is left in the kernel's buffer, and its end lies behind that: it is not read before its
        # turn. So the connection stays until the request in progress is over, by the idle timeout at the latest.
        def behaviour(exchange):
            if exchange.request.path == "/hold":
                exchange.hold()
                exchange.close()
                return None
            return "for " + exchange.request.path
        self.arrange(behaviour)
        for client in self.attack(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" * 3, 20):
            client.reset()
        self.witness(2)
        self.assert_nothing_left()


def endless(head, piece, limit=64 << 20):
    """A behaviour's answer that goes on until it is cut; at most `limit` bytes, so that a failing test ends too."""
    def send(exchange):
        exchange.send(head)
        sent = 0
        with contextlib.suppress(OSError):
            while sent < limit and not exchange.target.stopping.is_set():
                exchange.send(piece)
                sent += len(piece)
        exchange.close()
        return sent
    return send


# what: (the answer that never ends, the status that the client sees, the limit that ends it)
FLOODS = {
    "interim responses": (endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100), 502, "100 interim responses"),
    "a status line": (endless(b"HTTP/1.1 200 ", b"O" * 65536), 502, "16 KiB a line"),
    "one header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), 502, "16 KiB a line"),
    "many headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n" * 1000), 502, "32 KiB a head"),
    "a chunk's extension": (endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536), 200,
                            "1 KiB a chunk line"),
    "trailers": (endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: value\r\n" * 1000), 200,
                 "32 KiB of trailers"),
}


class FloodingTargets(AttackTest):
    def test_each_flood_is_cut_by_its_limit(self):
        sent = {}
        def behaviour(exchange):
            what = exchange.request.path.removeprefix("/flood/").replace("-", " ")
            if what not in FLOODS:
                return "for " + exchange.request.path
            sent[what] = FLOODS[what][0](exchange)
            return None
        self.IDLE = "60"  # not the idle timeout but the limit ends it
        self.arrange(behaviour)
        for what, (_, status, limit) in FLOODS.items():
            with self.subTest(what, limit=limit):
                with self.connect(self.lb.address) as client:
                    client.request("GET", "/flood/" + what.replace(" ", "-"), {"Connection": "close"})
                    self.witness(2)
                    raw = client.read_all()
                    # A flood that comes with its head is told before anything of it was passed on: 502 then, too.
                    begun = raw.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.1 502 "))
                    self.assertTrue(begun or b"\r\n\r\nHTTP/1.1 502 " in raw, raw[:200])
                    if raw.startswith(b"HTTP/1.1 200 "):
                        self.assertFalse(raw.endswith(b"0\r\n\r\n"), "a cut answer does not look whole")
                    self.assertLess(len(raw), 1 << 20)
                harness.eventually(lambda what=what: what in sent, "the target notices that nobody listens")
                # A read buffer of ours and the kernel's buffers on both sides, of which the larger may have 6 MiB.
                self.assertLess(sent[what], 32 << 20)
        self.assert_nothing_left()

    def test_more_body_than_a_client_takes_is_not_read(self):
        def behaviour(exchange):
            if exchange.request.path != "/endless":
                return "for " + exchange.request.path
            endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", 1 << 30)(exchange)
            return None
        self.arrange(behaviour)
        before = harness.memory_kib(self.lb.program.pid)
        clients = [self.connect(self.lb.address, receive_buffer=4096) for _ in range(8)]
        for client in clients:
            client.request("GET", "/endless")
        self.witness()
        self.assert_nothing_left()
        if not harness.sanitizer():
            self.assertLess(harness.memory_kib(self.lb.program.pid, "VmHWM") - before, 16 * 1024)


class Crowds(AttackTest):
    IDLE = "10"  # the witness shares two cores with the crowd, and must not be let go for being slow

    def test_connections_that_come_and_go_at_once_leave_nothing(self):
        self.arrange()
        self.witness(1)
        stop = threading.Event()
        made = [0] * 4
        def run(number):
            while not stop.is_set():
                with contextlib.suppress(OSError, AssertionError):
                    with harness.Connection(self.lb.address) as client:
                        made[number] += 1
                        if made[number] % 3 == 0:
                            client.reset()
                        elif made[number] % 3 == 1:
                            client.send(HALF_HEAD)
        crowd = [threading.Thread(target=run, args=(number,)) for number in range(len(made))]
        for one in crowd:
            one.start()
        try:
            harness.eventually(lambda: sum(made) > 500, "the crowd is there")
            settled = harness.memory_kib(self.lb.program.pid)
            self.witness()
            harness.eventually(lambda: sum(made) > 3000, "thousands have come and gone", 60)
        finally:
            stop.set()
            for one in crowd:
                one.join()
        self.assert_nothing_left()
        if not harness.sanitizer():
            self.assertLess(harness.memory_kib(self.lb.program.pid) - settled, 4 * 1024)

    def test_after_descriptors_ran_out_new_clients_are_served_again(self):
        self.origin = self.target(lambda exchange: "for " + exchange.request.path)
        script = self.folder / "start"
        script.write_text('#!/bin/sh\nulimit -n 64\nexec "$@"\n')
        script.chmod(0o755)
        command = ["sh", script, harness.bin_folder() / "rr-lb", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                   "--unrestricted", "--health-path", "/healthz", "--health-interval", "0.1", "--healthy-threshold", "2",
                   "--target", self.origin.text]
        self.lb, self.asked = Balancer(self.start(*command, name="rr-lb")), 0
        self.lb.wait_for_states({self.origin.text: "healthy"})
        with self.connect(self.lb.address) as kept:
            self.assertEqual(kept.get("/before").text, "for /before")
            clients = [self.connect(self.lb.address) for _ in range(100)]  # more than 64: most wait in the kernel's queue
            harness.eventually(lambda: self.connections() > 20, "as many as there may be are taken")
            self.assertEqual(kept.get("/meanwhile").text, "for /meanwhile")
            for client in clients:
                client.close()
        self.witness(3)
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
