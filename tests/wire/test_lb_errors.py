"""Answers of the load balancer's own: for each cause the ALB's status, its bytes, and what becomes of the connection.

The targets are scripted to fail in every way a target can: refusing, silent, closing, resetting, talking nonsense,
dying in the middle of a response. The client looks at the raw bytes; counters and the access log must tell the same.
"""

import re
import socket

import harness
from balancer import LoadBalancerTest, raw_exchange, split_log_line

GET = b"GET /x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"


def forwarded(count):
    return b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + b", ".join([b"10.0.0.1"] * count) + b"\r\n\r\n"


class Refusals(LoadBalancerTest):
    """The request never reaches a target."""

    CASES = [
        # what, bytes, status, text, connection afterwards
        ("no HTTP at all", b"hello\r\n\r\n", 400, "Bad Request", "close"),
        ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400,
         "Bad Request", "close"),
        ("a length that is none", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\na", 400, "Bad Request",
         "close"),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400, "Bad Request", "close"),
        ("a header above 16 KiB", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17000 + b"\r\n\r\n", 400, "Bad Request",
         "close"),
        ("headers above 64 KiB", b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X: " + b"x" * 10000 + b"\r\n") * 7 + b"\r\n", 400,
         "Bad Request", "close"),
        ("a URL above 16 KiB", b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "Request-URI Too Large",
         "close"),
        ("TRACE", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Not Allowed", "keep-alive"),
        ("an unknown transfer coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
         "Not Implemented", "close"),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP Version Not Supported", "close"),
    ]

    def test_each_refusal(self):
        target = self.target()
        lb = self.balancer(target)
        for what, content, status, text, connection in self.CASES:
            with self.subTest(what), self.connect(lb.address) as client:
                client.send(content)
                raw = client.read_head().raw_head
                raw += client._take(int(re.search(rb"Content-Length: (\d+)", raw).group(1)))
                self.assert_error_page(raw, status, text, connection)
                if connection == "close":
                    client.wait_closed()
                else:
                    self.assertEqual(client.get().status, 200)
        self.assertEqual(len(target.requests()), sum(case[4] == "keep-alive" for case in self.CASES))

    def test_more_than_thirty_forwarded_addresses(self):
        lb = self.balancer(self.target())
        with self.connect(lb.address) as client:
            client.send(forwarded(30))
            self.assertEqual(client.read_response().status, 200)
            client.send(forwarded(31))
            self.assertEqual(client.read_response().status, 463)
            self.assertEqual(client.get().status, 200)

    def test_no_target_is_503_and_the_connection_goes_on(self):
        lb = self.balancer()
        with self.connect(lb.address) as client:
            for _ in range(3):
                client.send(GET)
                head = client.read_head().raw_head
                self.assert_error_page(head + client._take(162), 503, "Service Temporarily Unavailable", "keep-alive")
            client.request("HEAD", "/")
            self.assertEqual(client.read_response("HEAD").status, 503)
            client.request("POST", "/", body=b"abc")
            self.assertEqual(client.read_response().header("connection"), "close")
            client.wait_closed()
        self.assertEqual(lb.own_responses(), {"503": 5})

    def test_a_client_that_stops_in_the_middle_gets_408(self):
        target = self.target()
        lb = self.balancer(target, flags=("--idle-timeout", "0.5"))
        self.assert_error_page(raw_exchange(lb.address, b"GET / HTT"), 408, "Request Time-out", "close")
        partial = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
        self.assert_error_page(raw_exchange(lb.address, partial), 408, "Request Time-out", "close")

    def test_an_idle_connection_is_closed_without_a_word(self):
        lb = self.balancer(self.target(), flags=("--idle-timeout", "0.3"))
        self.assertEqual(raw_exchange(lb.address, b""), b"")
        with self.connect(lb.address) as client:
            self.assertEqual(client.get().status, 200)
            client.wait_closed()


class TargetFailures(LoadBalancerTest):
    def page(self, client, status, text, connection="keep-alive"):
        head = client.read_head().raw_head
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        self.assert_error_page(head + client._take(length), status, text, connection)

    def test_bad_gateway_by_every_cause(self):
        big = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: " % i + b"x" * 1000 + b"\r\n" for i in range(33)) + b"\r\n"
        causes = {
            "close": lambda e: e.close(),
            "reset": lambda e: e.reset(),
            "nonsense": lambda e: e.send(b"nonsense\r\n\r\n"),
            "half a head": lambda e: e.send(b"HTTP/1.1 200 OK\r\nContent-Le") or e.close(),
            "two lengths": lambda e: e.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            "length and chunks": lambda e: e.send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "33 KiB of headers": lambda e: e.send(big),
            "101 unasked": lambda e: e.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
            "too many 1xx": lambda e: e.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40),
        }
        target = self.target()
        lb = self.balancer(target)
        for what, behaviour in causes.items():
            with self.subTest(what), self.connect(lb.address) as client:
                target.behaviour = behaviour
                client.send(GET)
                while True:
                    head = client.read_head()
                    if head.status != 103:
                        break
                self.assertEqual((head.status, head.header("content-length"), head.header("connection")),
                                 (502, "122", "keep-alive"))
                client._take(122)
                target.behaviour = lambda e: "fine"
                self.assertEqual(client.get().text, "fine", "the client's connection is as good as before")
        self.assertEqual(lb.own_responses(), {"502": len(causes)})

    def test_the_bytes_of_502(self):
        target = self.target(lambda e: e.reset())
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(GET)
            self.page(client, 502, "Bad Gateway")
        # HEAD gets the head alone.
        with self.connect(lb.address) as client:
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            raw = client.read_all()
        self.assertTrue(raw.endswith(b"Content-Length: 122\r\nConnection: close\r\n\r\n"), raw)

    def test_a_refused_connection_is_502_at_once_and_counted(self):
        target = self.target()
        lb = self.balancer(target, flags=("--health-interval", "300"))
        target.stop_listening()
        with self.connect(lb.address) as client:
            client.send(GET)
            self.page(client, 502, "Bad Gateway")
        self.assertEqual(lb.targets()[target.text]["connection_errors"], 1)
        fields = split_log_line(self.log_lines(lb)[0])
        self.assertEqual(fields[4:10], [target.text, "-1", "-1", "-1", "502", "-"])

    def test_a_connection_that_is_not_established_is_504(self):
        # A listening socket whose queue is full: the kernel drops further SYNs.
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = []
            for _ in range(8):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(full.getsockname())
                fillers.append(one)
            self.addCleanup(lambda: [one.close() for one in fillers])
            address = "%s:%d" % full.getsockname()
            lb = self.balancer(address, wait=False,
                               flags=("--health-interval", "300", "--connect-timeout", "0.3"))
            with self.connect(lb.address) as client:
                client.send(GET)
                self.page(client, 504, "Gateway Time-out")
            fields = split_log_line(self.log_lines(lb)[0])
            self.assertEqual(fields[4:10], [address, "-1", "-1", "-1", "504", "-"])

    def test_a_silent_target_is_504_after_the_idle_timeout(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target, flags=("--idle-timeout", "0.5"))
        with self.connect(lb.address) as client:
            client.send(GET)
            self.page(client, 504, "Gateway Time-out")
            target.wait_for(lambda t: t.open_connections == 0, "its connection is closed, not kept")
        fields = split_log_line(self.log_lines(lb)[0])
        self.assertEqual((fields[4], fields[6:10]), (target.text, ["-1", "-1", "504", "-"]))

    def test_silence_is_measured_not_duration(self):
        # Ten pieces, each well within the idle timeout, together well beyond it.
        def drip(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in range(10):
                exchange.target.released.wait(0.2)
                exchange.send(b"x")
        lb = self.balancer(self.target(drip), flags=("--idle-timeout", "1"))
        self.assertEqual(harness.fetch(lb.address).body, b"x" * 10)

    def test_a_length_that_is_too_long_ends_by_the_idle_timeout_cut(self):
        target = self.target(lambda e: e.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
        lb = self.balancer(target, flags=("--idle-timeout", "0.5"))
        raw = raw_exchange(lb.address, GET)
        self.assertTrue(raw.endswith(b"\r\n\r\nabc"), raw)
        self.assertIn(b"Content-Length: 10\r\n", raw)

    def test_a_response_that_has_begun_is_cut_so_that_the_client_can_tell(self):
        endings = {
            "length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "until close": b"HTTP/1.1 200 OK\r\n\r\nabc",
        }
        target = self.target()
        lb = self.balancer(target)
        for what, content in endings.items():
            for version in (b"1.1", b"1.0"):
                with self.subTest(what, version=version), self.connect(lb.address) as client:
                    target.behaviour = lambda e, content=content: (e.send(content), e.hold(), e.reset())
                    client.send(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
                    head = client.read_head()
                    self.assertEqual(head.status, 200)
                    harness.eventually(lambda: self.seen_abc(client), "the first bytes came")
                    target.release()
                    with self.assertRaises(harness.ConnectionEnded) as ended:
                        while True:
                            client._fill()
                    visible = head.header("content-length") or head.header("transfer-encoding")
                    if not visible:
                        self.assertIn("reset", str(ended.exception), "only a reset tells such a cut from an end")
                    self.assertNotIn(b"0\r\n\r\n", client.buffer)
                    target.released.clear()
        observed = lb.observed()["load_balancers"][0]["counters"]
        self.assertEqual(observed["responses_truncated"], 6)
        self.assertEqual(observed["own_responses"], {})

    @staticmethod
    def seen_abc(client):
        if b"abc" not in client.buffer:
            client._fill()
        return b"abc" in client.buffer

    def test_a_body_that_is_broken_from_its_first_bytes_is_502(self):
        # It comes with its head: nothing of either has gone to the client when the chunk turns out to be none.
        target = self.target(lambda e: e.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngoodX\r\n"))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(GET)
            self.page(client, 502, "Bad Gateway")
            target.behaviour = lambda e: "fine"
            self.assertEqual(client.get().text, "fine", "the client's connection is as good as before")
        self.assertEqual(lb.own_responses(), {"502": 1})
        fields = split_log_line(self.log_lines(lb)[0])
        self.assertEqual((fields[4], fields[7:10]), (target.text, ["-1", "502", "-"]))

    def test_a_body_that_is_broken_later_is_cut(self):
        target = self.target(lambda e: (e.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n"), e.hold(),
                                        e.send(b"zz\r\n")))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(GET)
            self.assertEqual(client.read_head().status, 200)
            target.release()
            self.assertEqual(client.read_all(), b"4\r\ngood\r\n")
        self.assertEqual(lb.own_responses(), {})

    def test_a_body_until_close_that_ends_properly_is_whole(self):
        target = self.target(lambda e: e.send(b"HTTP/1.0 200 OK\r\n\r\nabc") or e.close())
        lb = self.balancer(target)
        response = harness.fetch(lb.address)
        self.assertEqual((response.framing, response.body), ("chunked", b"abc"))
        raw = raw_exchange(lb.address, b"GET / HTTP/1.0\r\n\r\n")
        self.assertTrue(raw.endswith(b"\r\n\r\nabc"), raw)

    def test_the_keep_alive_race_is_502_and_nothing_is_retried(self):
        # The target keeps the connection, and closes it just when the next head arrives on it.
        second = [False]
        def behaviour(exchange):
            if second[0]:
                exchange.reset()
            else:
                exchange.respond(200, "first")
        target = self.target(behaviour)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            self.assertEqual(client.get().text, "first")
            second[0] = True
            self.assertEqual(client.get("/second").status, 502)
        self.assertEqual(len(target.requests("/second")), 1, "no retry")
        fields = split_log_line(self.log_lines(lb)[1])
        self.assertEqual((fields[4], fields[7:10]), (target.text, ["-1", "502", "-"]))
        self.assertRegex(fields[6], r"^0\.\d{3}$")

    def test_an_idle_connection_that_the_target_closes_is_dropped_and_counted(self):
        target = self.target()
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            self.assertEqual(client.get().status, 200)
            target.close_connections()
            harness.eventually(lambda: lb.targets()[target.text]["closed_while_idle"] == 1, "it was seen")
            self.assertEqual(client.get().status, 200)

    def test_a_client_that_leaves_is_logged_as_460(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target)
        client = self.connect(lb.address)
        client.send(GET)
        target.wait_for_requests(1)
        client.close()
        target.wait_for(lambda t: t.open_connections == 0, "the target's connection is closed: it is not reused")
        harness.eventually(lambda: lb.own_responses() == {"460": 1}, "it is counted")
        fields = split_log_line(self.log_lines(lb)[0])
        self.assertEqual(fields[4:12], [target.text, "-1", "-1", "-1", "460", "-", str(len(GET)), "0"])

    def test_an_early_answer_closes_both_connections(self):
        # The target refuses without reading the body: what is still on its way must not become the next request.
        target = self.target(lambda e: e.respond(413, "too much"), stream_bodies=True)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nGET /smuggled HTTP/1.1\r\n")
            response = client.read_response()
            self.assertEqual((response.status, response.header("connection")), (413, "close"))
            client.wait_closed()
        self.assertEqual(lb.targets()[target.text]["idle_connections"], 0)
        self.assertEqual(harness.fetch(lb.address).status, 413)
        self.assertEqual(target.requests("/smuggled"), [])
