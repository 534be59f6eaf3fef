"""No request is read in two ways, and no client gets another client's answer.

First the clients attack: framings that two servers could read differently. The judge looks at what the client got and
at what the target saw. Then a target attacks: extra bytes behind its response, two lengths, broken chunks. Another
client, who asks on the next connection or at the same time, must get nothing of it.
"""

import threading

import harness
from balancer import LoadBalancerTest, raw_exchange

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED_SMUGGLE = b"0\r\n\r\n" + SMUGGLED


def post(*headers, body=CHUNKED_SMUGGLE):
    return b"POST /outer HTTP/1.1\r\nHost: a\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


AMBIGUOUS = {
    "two lengths": post(b"Content-Length: 5", b"Content-Length: 0"),
    "a list of lengths": post(b"Content-Length: 5, 0"),
    "a signed length": post(b"Content-Length: +5"),
    "a hexadecimal length": post(b"Content-Length: 0x5"),
    "a length with a space inside": post(b"Content-Length: 1 0"),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999999"),
    "TE with a vertical tab": post(b"Transfer-Encoding: \x0bchunked"),
    "TE xchunked": post(b"Transfer-Encoding: xchunked"),
    "TE twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "TE chunked not last": post(b"Transfer-Encoding: chunked, identity"),
    "a folded TE": post(b"Transfer-Encoding:", b" chunked"),
    "a bare CR in a header": post(b"X: 1\rTransfer-Encoding: chunked"),
    "NUL in a header": post(b"X: \x00", b"Content-Length: 0"),
    "no colon": post(b"Content-Length"),
    "an underscore look-alike with a real one": post(b"Content-Length: 5", b"Content-Length: 6"),
    "a chunk size that is none": post(b"Transfer-Encoding: chunked", body=b"g\r\n" + SMUGGLED),
    "a chunk size with a sign": post(b"Transfer-Encoding: chunked", body=b"-1\r\n" + SMUGGLED),
    "a chunk size beyond 64 bits": post(b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n" + SMUGGLED),
    "a chunk longer than it says": post(b"Transfer-Encoding: chunked", body=b"1\r\nabc\r\n0\r\n\r\n" + SMUGGLED),
    "a bare LF behind a chunk size": post(b"Transfer-Encoding: chunked", body=b"1\nx\r\n0\r\n\r\n" + SMUGGLED),
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED,
}


# These have one reading that is safe once it is written anew: (bytes, the framing that the target must see). What follows
# the message in that reading is never read, because somebody in front of the balancer may have read another end.
DOUBTFUL = {
    "CL.TE": (post(b"Content-Length: %d" % len(CHUNKED_SMUGGLE), b"Transfer-Encoding: chunked"), "chunked"),
    "TE.CL": (post(b"Transfer-Encoding: chunked", b"Content-Length: 4"), "chunked"),
    "space before the colon": (post(b"Content-Length : 5"), None),
    "tab before the colon": (post(b"Transfer-Encoding\t: chunked"), None),
    "TE in HTTP/1.0": (post(b"Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0", 1), "chunked"),
    "a folded header": (post(b"X: 1", b" Transfer-Encoding: chunked"), None),
    "an empty header name": (post(b": 5"), None),
    "an underscore for a hyphen": (post(b"Transfer_Encoding: chunked"), None),
    "an underscore beside the real one": (post(b"Content-Length: 0", b"Content_Length: 40"), None),
}


class AmbiguousRequests(LoadBalancerTest):
    def test_what_is_doubtful_goes_on_in_one_reading_and_nothing_behind_it_is_read(self):
        target = self.target(lambda e: "answer")
        lb = self.balancer(target)
        for what, (content, framing) in DOUBTFUL.items():
            with self.subTest(what):
                before = len(target.requests())
                raw = raw_exchange(lb.address, content)
                self.assertEqual(raw.count(b"HTTP/1.1 "), 1, "one answer, then the end")
                seen = target.requests()[before:]
                if what == "an underscore beside the real one":  # two lengths, as AWS counts
                    self.assertTrue(raw.startswith(b"HTTP/1.1 400 "), raw)
                    self.assertEqual(seen, [])
                    continue
                self.assertTrue(raw.startswith(b"HTTP/1.1 200 "), raw)
                self.assertIn(b"\r\nConnection: close\r\n", raw)
                self.assertEqual([(one.path, one.body) for one in seen], [("/outer", b"")])
                self.assertEqual((seen[0].header("transfer-encoding"), seen[0].header("content-length")),
                                 (framing, None))
                self.assertNotRegex(seen[0].raw_head, rb"(?i)content.length|transfer_encoding|\n[ \t:]")
        self.assertEqual(len({one.connection for one in target.requests()}), len(target.requests()),
                         "nor does the target's connection take another request")

    def test_each_is_refused_and_nothing_behind_it_is_read(self):
        target = self.target(lambda e: "answer")
        lb = self.balancer(target)
        for what, content in AMBIGUOUS.items():
            with self.subTest(what):
                before = len(target.requests())
                raw = raw_exchange(lb.address, content)
                status = int(raw.split(b" ", 2)[1])
                self.assertIn(status, (400, 501), raw[:300])
                self.assertEqual(raw.count(b"HTTP/1.1 "), 1, "one answer, then the end")
                self.assertIn(b"\r\nConnection: close\r\n", raw)
                # What the target may have seen is the beginning of the request, with a body that never ended.
                self.assertEqual([one.path for one in target.requests()[before:] if one.path == "/smuggled"], [])
        self.assertEqual(harness.fetch(lb.address).text, "answer")

    def test_what_a_get_with_a_body_carries_is_a_body(self):
        target = self.target(lambda e: e.request.path.encode() + b":" + e.request.body)
        lb = self.balancer(target)
        content = b"GET /outer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
        with self.connect(lb.address) as client:
            client.send(content)
            self.assertEqual(client.read_response().body, b"/outer:" + SMUGGLED)
        self.assertEqual([one.path for one in target.requests()], ["/outer"])

    def test_connect_is_no_tunnel(self):
        target = self.target()
        lb = self.balancer(target)
        raw = raw_exchange(lb.address, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + SMUGGLED)
        self.assertTrue(raw.startswith(b"HTTP/1.1 400 "), raw)
        self.assertEqual(target.requests(), [])


POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

POISONED = {
    "a second response in the same write": GOOD + POISON,
    "bytes behind the length": GOOD + b"POISON",
    "a body with 204": b"HTTP/1.1 204 No Content\r\n\r\n" + POISON,
    "a body with 304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n" + POISON,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\ngood" + POISON,
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"4\r\ngood\r\n0\r\n\r\n" + POISON,
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngoodX\r\n0\r\n\r\n" + POISON,
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + POISON,
    "interim responses and more": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + GOOD + POISON,
    "a flood of interim responses": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000 + POISON,
    "33 KiB of header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * (33 << 10) + b"\r\nContent-Length: 0\r\n\r\n" + POISON,
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + POISON,
    "no HTTP": b"220 ready\r\n" + POISON,
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n" + POISON,
}


class PoisonedTargets(LoadBalancerTest):
    def test_nothing_of_it_reaches_another_client(self):
        victim_says = {}
        def behaviour(exchange):
            path = exchange.request.path
            if path.startswith("/attack"):
                exchange.send(POISONED[victim_says["what"]])
                return
            exchange.respond(200, "for " + path)
        target = self.target(behaviour)
        lb = self.balancer(target)
        with self.connect(lb.address) as victim:
            for number, what in enumerate(POISONED):
                with self.subTest(what):
                    victim_says["what"] = what
                    with self.connect(lb.address) as attacker:
                        attacker.request("GET", "/attack")
                        attacker.read_head()
                        for n in range(3):
                            path = f"/{number}/{n}"
                            self.assertEqual(victim.get(path).text, "for " + path)

    def test_bytes_that_come_late_on_an_idle_connection_close_it(self):
        late = threading.Event()
        def behaviour(exchange):
            exchange.respond(200, "for " + exchange.request.path)
            if exchange.request.path == "/first":
                late.wait(harness.scaled(10))
                exchange.send(POISON)
        target = self.target(behaviour)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            self.assertEqual(client.get("/first").text, "for /first")
            harness.eventually(lambda: lb.targets()[target.text]["idle_connections"] == 1, "it is kept")
            late.set()
            harness.eventually(lambda: lb.targets()[target.text]["idle_connections"] == 0, "it is dropped")
            self.assertEqual(client.get("/second").text, "for /second")

    def test_many_clients_at_once_get_their_own_answers(self):
        # Two targets, of which one appends poison to every tenth answer; twenty clients check every answer they get.
        # (Poison that comes later than the next request on the same connection cannot be told from an answer, by no
        # proxy: the target lies then to whoever asks it.)
        def honest(exchange):
            exchange.respond(200, exchange.request.path)
        def poisoner(exchange):
            path = exchange.request.path
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path.encode()
            exchange.send(answer + (POISON if path.endswith("7") else b""))
        a, b = self.target(honest), self.target(poisoner)
        lb = self.balancer(a, b)
        wrong, done = [], []
        def run(name):
            with harness.Connection(lb.address) as client:
                for i in range(100):
                    response = client.get(f"/{name}/{i}")
                    if response.status == 200 and response.text != f"/{name}/{i}":
                        wrong.append((name, i, response))
                    done.append(response.status)
        threads = [threading.Thread(target=run, args=(n,)) for n in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(done), 2000)
        self.assertEqual(set(done), {200})
