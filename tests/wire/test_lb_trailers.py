"""Fields behind a chunked body.

A client sends a checksum behind its upload, a target one behind its answer: they arrive. A trailer that would say where
a message ends, where it goes or who sends it does not; nor does one reach an HTTP/1.0 client, which has no chunks.
"""

import harness
from balancer import LoadBalancerTest, raw_exchange

CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def chunked_answer(trailers, head="", end="\r\n"):
    return (CHUNKED + head + "\r\n5\r\nhello\r\n0\r\n" + trailers + end).encode("latin-1")


class Responses(LoadBalancerTest):
    def answer(self, content, request=b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", flags=()):
        self.scripted = self.target(lambda e: e.send(content))
        self.lb = self.balancer(self.scripted, flags=flags)
        return raw_exchange(self.lb.address, request)

    def test_trailers_arrive_behind_the_last_chunk(self):
        raw = self.answer(chunked_answer("X-Checksum: abc\r\nContent-Digest: sha-256=:x:\r\n",
                                         "Trailer: X-Checksum, Content-Digest\r\n"))
        head, _, rest = raw.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nTrailer: X-Checksum, Content-Digest", head)
        self.assertEqual(rest, b"5\r\nhello\r\n0\r\nX-Checksum: abc\r\nContent-Digest: sha-256=:x:\r\n\r\n")

    def test_what_decides_something_does_not(self):
        raw = self.answer(chunked_answer("Set-Cookie: a=b\r\nLocation: /evil\r\nX-Hop: 1\r\nX-Kept: 1\r\nConnection: x\r\n",
                                         "Trailer: Set-Cookie, X-Kept\r\nConnection: X-Hop\r\n"))
        head, _, rest = raw.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nTrailer: X-Kept\r\n", head)
        self.assertEqual(rest, b"5\r\nhello\r\n0\r\nX-Kept: 1\r\n\r\n")

    def test_a_trailer_that_frames_is_a_broken_response(self):
        raw = self.answer(chunked_answer("Content-Length: 7\r\n"))
        self.assertNotIn(b"\r\n0\r\n", raw, "the client can tell that the body did not come to its end")
        self.assertNotIn(b"Content-Length: 7", raw)

    def test_an_http_1_0_client_gets_the_body_only(self):
        raw = self.answer(chunked_answer("X-Checksum: abc\r\n", "Trailer: X-Checksum\r\n"), b"GET / HTTP/1.0\r\n\r\n")
        head, _, rest = raw.partition(b"\r\n\r\n")
        self.assertEqual(rest, b"hello")
        self.assertNotIn(b"Trailer", head)

    def test_both_connections_are_kept_and_the_next_answer_has_no_trailers_of_the_last(self):
        answers = iter([chunked_answer("X-One: 1\r\n"), chunked_answer("")])
        target = self.target(lambda e: e.send(next(answers)))
        lb = self.balancer(target)
        client = self.connect(lb.address)
        self.assertEqual(client.get("/").trailers, [("X-One", "1")])
        self.assertEqual(client.get("/").trailers, [])
        self.assertEqual({one.connection for one in target.requests()}, {target.requests()[0].connection})

    def test_curl_and_a_client_that_reads_trailers_are_content(self):
        self.scripted = self.target(lambda e: e.send(chunked_answer("X-Checksum: abc\r\n")))
        lb = self.balancer(self.scripted)
        finished = harness.curl("-i", f"http://{lb.address}/")
        self.assertIn("hello", finished.text)
        self.assertEqual(harness.fetch(lb.address).trailers, [("X-Checksum", "abc")])


class Requests(LoadBalancerTest):
    def seen(self, trailers, head=b"", flags=()):
        target = self.target()
        lb = self.balancer(target, flags=flags)
        raw = raw_exchange(lb.address, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                           + head + b"\r\n5\r\nhello\r\n0\r\n" + trailers + b"\r\n")
        self.assertTrue(raw.startswith(b"HTTP/1.1 200"), raw)
        request = target.wait_for_requests(1)[0]
        self.assertEqual(request.body, b"hello")
        return request

    def test_trailers_arrive(self):
        request = self.seen(b"X-Checksum: abc\r\nx_odd: 1\r\n", b"Trailer: X-Checksum\r\n")
        self.assertEqual(request.trailers, [("X-Checksum", "abc"), ("x_odd", "1")])
        self.assertEqual(request.header("trailer"), "X-Checksum")

    def test_nobody_is_impersonated_by_a_trailer(self):
        request = self.seen(b"Authorization: Basic x\r\nCookie: a=b\r\nHost: evil\r\nX-Forwarded-For: 1.2.3.4\r\n"
                            b"x_forwarded_proto: https\r\nX-Amzn-Trace-Id: Root=x\r\nX-Kept: 1\r\n")
        self.assertEqual(request.trailers, [("X-Kept", "1")])

    def test_a_trailer_that_frames_is_refused(self):
        target = self.target()
        lb = self.balancer(target)
        for name in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
            with self.subTest(name):
                raw = raw_exchange(lb.address, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   b"5\r\nhello\r\n0\r\n" + name + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertTrue(raw.startswith(b"HTTP/1.1 400"), raw)
                self.assertEqual(raw.count(b"HTTP/1.1"), 1, "what is behind it is no request")
        self.assertEqual(target.requests(path="/smuggled"), [])

    def test_the_limits_hold_for_trailers(self):
        # A header line may have 16 K: "A: " and the value.
        fits = self.seen(b"A: " + b"x" * (16 * 1024 - 3) + b"\r\n")
        self.assertEqual(len(fits.trailers[0][1]), 16 * 1024 - 3)
        target = self.target()
        lb = self.balancer(target)
        raw = raw_exchange(lb.address, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           b"5\r\nhello\r\n0\r\nA: " + b"x" * (16 * 1024 - 2) + b"\r\n\r\n")
        self.assertTrue(raw.startswith(b"HTTP/1.1 400"), raw)
