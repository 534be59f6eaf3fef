"""What a message looks like on the other side.

The target records every byte that it gets, the client every byte that comes back: forwarding headers, hop-by-hop
headers, framings in both directions, HTTP/1.0, HEAD, pipelining, interim responses.
"""

import re
import time

import harness
from balancer import LoadBalancerTest, raw_exchange, split_log_line


class Requests(LoadBalancerTest):
    def seen(self, content, **flags):
        """The one request that the target saw after these bytes."""
        target = self.target(**flags)
        self.lb = self.balancer(target)
        self.response = raw_exchange(self.lb.address, content)
        return target.wait_for_requests(1)[0]

    def test_forwarding_headers_are_added(self):
        before = int(time.time())
        seen = self.seen(b"GET /a/../b?q=%20 HTTP/1.1\r\nHost: Shop.Example.COM:99\r\nX-Own: Kept As Is\r\n"
                         b"Connection: close\r\n\r\n")
        self.assertEqual((seen.method, seen.path, seen.version), ("GET", "/a/../b?q=%20", "HTTP/1.1"))
        self.assertEqual(seen.header("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(seen.header("x-forwarded-proto"), "http")
        self.assertEqual(seen.header("x-forwarded-port"), str(self.lb.port))
        trace = re.fullmatch(r"Root=1-([0-9a-f]{8})-[0-9a-f]{24}", seen.header("x-amzn-trace-id"))
        self.assertTrue(before <= int(trace.group(1), 16) <= time.time() + 1)
        self.assertEqual(seen.header("x-own"), "Kept As Is")
        self.assertEqual(seen.header("host"), "shop.example.com:99")
        self.assertEqual(seen.header("connection"), None, "connections to targets are kept")
        fields = split_log_line(self.log_lines(self.lb)[0])
        self.assertEqual(fields[17], seen.header("x-amzn-trace-id"))
        self.assertEqual(fields[12], "GET http://Shop.Example.COM:99/a/../b?q=%20 HTTP/1.1")

    def test_forwarding_headers_that_came_in(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
                         b"X-Forwarded-Port: 443\r\nX-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;x=y\r\n"
                         b"Connection: close\r\n\r\n")
        self.assertEqual(seen.all("x-forwarded-for"), ["203.0.113.7, 127.0.0.1"])
        self.assertEqual(seen.all("x-forwarded-proto"), ["http"], "a client cannot claim to have come by TLS")
        self.assertEqual(seen.all("x-forwarded-port"), [str(self.lb.port)])
        self.assertRegex(seen.header("x-amzn-trace-id"),
                         r"^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-5759e988-bd862e3fe1be46a994272793;x=y$")

    def test_hop_by_hop_headers_stay_on_their_hop(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n"
                         b"Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Kept: 2\r\n\r\n")
        names = {name.lower() for name, _ in seen.headers}
        self.assertFalse(names & {"connection", "x-secret", "keep-alive", "proxy-connection", "te", "upgrade"}, names)
        self.assertEqual(seen.header("x-kept"), "2")

    def test_an_absolute_target_overrides_the_host(self):
        seen = self.seen(b"GET http://Other.example.com/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(seen.path, "/x")
        self.assertTrue(seen.header("host").startswith("other.example.com"), seen.header("host"))

    def test_http_1_0_becomes_1_1(self):
        seen = self.seen(b"GET /old HTTP/1.0\r\n\r\n")
        self.assertEqual((seen.version, seen.header("host").split(":")[0]), ("HTTP/1.1", "127.0.0.1"))
        self.assertTrue(self.response.startswith(b"HTTP/1.1 200"))
        self.assertIn(b"\r\nConnection: close\r\n", self.response)

    def test_a_body_with_a_length(self):
        seen = self.seen(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        self.assertEqual((seen.body, seen.all("content-length"), seen.header("transfer-encoding")),
                         (b"hello", ["5"], None))

    def test_a_body_in_chunks(self):
        seen = self.seen(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                         b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual((seen.body, seen.all("transfer-encoding"), seen.header("content-length")),
                         (b"hello!", ["chunked"], None))

    def test_expect_100_is_answered_here_and_not_forwarded(self):
        target = self.target(lambda e: e.request.body)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(client.read_head().raw_head, b"HTTP/1.1 100 Continue\r\n\r\n")
            client.send(b"hello")
            self.assertEqual(client.read_response().body, b"hello")
        self.assertEqual(target.requests()[0].header("expect"), None)
        curl = harness.curl(f"http://{lb.address}/", "-H", "Expect: 100-continue", "-d", "by curl")
        self.assertEqual(curl.text, "by curl")

    def test_bytes_that_come_one_by_one(self):
        target = self.target(lambda e: e.request.body)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            for byte in b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
                client.send(bytes([byte]))
            self.assertEqual(client.read_response().body, b"abc")


    def test_a_trace_id_without_root_or_beside_too_many_headers_is_written_anew(self):
        target = self.target()
        lb = self.balancer(target)
        root = "Root=1-5759e988-bd862e3fe1be46a994272793"
        harness.fetch(lb.address, headers={"X-Amzn-Trace-Id": root, "X-Long": "x" * 8000})
        self.assertRegex(target.requests()[0].header("x-amzn-trace-id"), r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$")
        self.assertNotEqual(target.requests()[0].header("x-amzn-trace-id"), root)


class Responses(LoadBalancerTest):
    def test_a_response_passes_as_it_is(self):
        target = self.target(lambda e: e.respond(404, "nothing", [("X-A", "1"), ("x-a", "2"), ("Server", "mine")],
                                                 reason="Not Here"))
        response = harness.fetch(self.balancer(target).address)
        self.assertEqual((response.status, response.text, response.all("x-a"), response.header("server")),
                         (404, "nothing", ["1", "2"], "mine"))
        self.assertEqual(response.all("connection"), ["keep-alive"])

    def test_chunks_pass_and_1_0_gets_the_plain_body(self):
        target = self.target(lambda e: e.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            for _ in range(2):
                response = client.get()
                self.assertEqual((response.framing, response.body), ("chunked", b"hello!"))
        raw = raw_exchange(lb.address, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        self.assertTrue(raw.endswith(b"\r\n\r\nhello!"), raw)
        self.assertNotIn(b"chunked", raw)

    def test_hop_by_hop_headers_of_a_target(self):
        target = self.target(lambda e: e.respond(200, "x", [("Connection", "X-Secret"), ("X-Secret", "1"),
                                                            ("Keep-Alive", "timeout=5"), ("Upgrade", "h2c")]))
        response = harness.fetch(self.balancer(target).address)
        self.assertEqual([response.header(n) for n in ("x-secret", "keep-alive", "upgrade")], [None] * 3)

    def test_responses_without_a_body(self):
        lb = None
        def behaviour(exchange):
            status = int(exchange.request.path[1:])
            length = [("Content-Length", "5")] if exchange.request.method == "HEAD" or status == 304 else []
            exchange.send(f"HTTP/1.1 {status} X\r\n" + "".join(f"{n}: {v}\r\n" for n, v in length) + "\r\n")
        lb = self.balancer(self.target(behaviour))
        with self.connect(lb.address) as client:
            for method, status, length in (("HEAD", 200, "5"), ("GET", 204, None), ("GET", 304, "5")):
                client.request(method, f"/{status}")
                response = client.read_response(method)
                self.assertEqual((response.status, response.header("content-length")), (status, length))
            self.assertEqual(client.buffer, b"")

    def test_interim_responses_pass_but_100_and_not_to_1_0(self):
        target = self.target(lambda e: e.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
                                              b"Connection: x-hop\r\nX-Hop: 1\r\nTransfer_Encoding: chunked\r\n\r\n")
                             or e.respond(200, "final"))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            response = client.get()
            # What is of one connection, or only looks like framing, stays behind as it does in a final response.
            self.assertEqual([(one.status, one.headers) for one in response.interim], [(103, [("Link", "</a>")])])
            self.assertEqual(response.text, "final")
            self.assertEqual(client.get().text, "final")
        raw = raw_exchange(lb.address, b"GET / HTTP/1.0\r\n\r\n")
        self.assertTrue(raw.startswith(b"HTTP/1.1 200 "), raw)

    def test_connection_close_of_the_target_ends_only_its_own_connection(self):
        target = self.target(lambda e: e.respond(200, "x", [("Connection", "close")]) or e.close())
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            for _ in range(3):
                self.assertEqual(client.get().header("connection"), "keep-alive")
        self.assertEqual(len({one.connection for one in target.requests()}), 3)

    def test_connection_close_of_the_client_is_honoured(self):
        target = self.target()
        lb = self.balancer(target)
        for _ in range(2):
            raw = raw_exchange(lb.address, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            self.assertIn(b"\r\nConnection: close\r\n", raw)
        self.assertEqual({one.connection for one in target.requests()}.__len__(), 1)


class KeptConnections(LoadBalancerTest):
    def test_after_its_lifetime_a_connection_takes_one_more_request(self):
        lb = self.balancer(self.target(), flags=("--client-keep-alive", "0.3"))
        with self.connect(lb.address) as client:
            began = time.monotonic()
            while client.get().header("connection") == "keep-alive":
                pass
            self.assertGreaterEqual(time.monotonic() - began, 0.29)
            client.wait_closed()

    def test_nothing_is_left_of_connections_and_requests(self):
        a, b = self.target(name="a"), self.target(name="b")
        lb = self.balancer(a, b)
        def quiet():
            return harness.open_descriptors(lb.program.pid) if all(
                one["idle_connections"] == one["connections"] for one in lb.targets().values()) else None
        harness.fetch(lb.address), harness.fetch(lb.address)
        before = harness.eventually(quiet, "it is quiet")
        a.behaviour = lambda e: e.reset() if len(e.request.path) % 2 else e.respond(200, "x", [("Connection", "close")])
        for i in range(200):
            client = self.connect(lb.address)
            client.request("GET", "/" + "x" * (i % 5))
            if i % 3:
                client.read_response()
            client.close()
        lb.admin("/targets", "PUT", {"targets": [b.text]})
        def as_before():
            observed = lb.observed()["load_balancers"][0]
            idle = sum(one["idle_connections"] for one in observed["target_groups"][0]["targets"])
            return observed["connections"] == 0 and len(harness.open_descriptors(lb.program.pid)) - idle <= len(before)
        harness.eventually(as_before, "no descriptor is left but those of kept connections")


class Pipelining(LoadBalancerTest):
    def test_answers_come_in_order_and_the_target_sees_one_at_a_time(self):
        target = self.target(lambda e: e.request.path)
        lb = self.balancer(target)
        count = 50
        with self.connect(lb.address) as client:
            client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(count)))
            self.assertEqual([client.read_response().text for _ in range(count)], [f"/{i}" for i in range(count)])
        self.assertEqual([one.path for one in target.requests()], [f"/{i}" for i in range(count)])
        # A connection rests a moment after its answer, so a request that waited already takes another one.
        self.assertLessEqual(len({one.connection for one in target.requests()}), 2)

    def test_a_request_behind_a_body_is_not_part_of_it(self):
        target = self.target(lambda e: e.request.path.encode() + e.request.body)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                        b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
                        b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual([client.read_response().text for _ in range(3)], ["/1abc", "/2x", "/3"])

    def test_what_waits_behind_a_slow_answer_is_bounded(self):
        target = self.target(lambda e: e.hold() and "done")
        lb = self.balancer(target)
        client = self.connect(lb.address)
        client.get_one = client.request("GET", "/")
        target.wait_for_requests(1)
        client.socket.settimeout(0.5)
        sent = 0
        block = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 4000 + b"\r\n\r\n"
        try:
            while sent < (64 << 20):
                sent += client.socket.send(block * 16)
        except TimeoutError:
            pass
        self.assertLess(sent, 64 << 20, "the client was stopped by back-pressure")
        self.assertEqual(len(target.requests()), 1)

    def test_pipelined_requests_without_a_target_are_each_answered(self):
        lb = self.balancer()
        with self.connect(lb.address) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            self.assertEqual([client.read_response().status for _ in range(20)], [503] * 20)
