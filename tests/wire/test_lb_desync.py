"""Desync mitigation: each reason of the ALB's table in each of its modes, judged on both sides.

A client sends a request that is not what every server reads alike, and behind it, on the same connection, a plain one. The
judge looks at the status that the client got, at whether its connection took the second request, at the bytes that the
target saw (always one normalised form), at whether the target's connection was kept, and at the access log's class and
reason.
"""

import harness
from balancer import Balancer, LoadBalancerTest, split_log_line

PLAIN = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
KEEP, CLOSE, BLOCK = "keep", "close", "block"


def get(*headers, line=b"GET /x HTTP/1.1"):
    return line + b"\r\nHost: a\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n"


def post(*headers, body=b"", line=b"POST /x HTTP/1.1"):
    return get(*headers, line=line) + body


CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"

# class and reason as the log names them, bytes, what becomes of it by mode (monitor, defensive, strictest),
# what the target sees: (request line, lines that must be in its head, body)
CASES = [
    ("-", "-", get(b"X-Plain: 1"), (KEEP, KEEP, KEEP), (b"GET /x HTTP/1.1", [b"X-Plain: 1"], b"")),
    ("Acceptable", "NonCompliantHeader", get(b"X Y: 1", b"X-Z: 2"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [b"X-Z: 2"], b"")),
    ("Acceptable", "NonCompliantHeader", get(b"X: a\x1bb", b"X-Z: 2"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [b"X-Z: 2"], b"")),
    ("Acceptable", "NonCompliantHeader", get(b"X: 1", b" folded"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [b"X: 1", b"folded: "], b"")),
    ("Acceptable", "SpaceInUri", get(line=b"GET /a b HTTP/1.1"), (KEEP, KEEP, BLOCK), (b"GET /a%20b HTTP/1.1", [], b"")),
    ("Acceptable", "NonCompliantVersion", get(line=b"GET  /x HTTP/1.1"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [], b"")),
    ("Acceptable", "NonCompliantVersion", get(line=b"GET /x HTTP/1.5"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [], b"")),
    ("Acceptable", "GetHeadZeroContentLength", get(b"Content-Length: 0"), (KEEP, KEEP, BLOCK),
     (b"GET /x HTTP/1.1", [b"Content-Length: 0"], b"")),
    ("Ambiguous", "AmbiguousUri", get(line=b"GET /a\tb HTTP/1.1"), (KEEP, CLOSE, BLOCK),
     (b"GET /a%09b HTTP/1.1", [], b"")),
    ("Ambiguous", "UndefinedContentLengthSemantics", get(b"Content-Length: 3") + b"abc", (KEEP, CLOSE, BLOCK),
     (b"GET /x HTTP/1.1", [b"Content-Length: 3"], b"abc")),
    ("Ambiguous", "UndefinedTransferEncodingSemantics", get(b"Transfer-Encoding: chunked") + CHUNKS,
     (CLOSE, CLOSE, BLOCK), (b"GET /x HTTP/1.1", [b"Transfer-Encoding: chunked"], b"abc")),
    ("Ambiguous", "UndefinedTransferEncodingSemantics",
     post(b"Transfer-Encoding: chunked", b"Connection: keep-alive", line=b"POST /x HTTP/1.0", body=CHUNKS),
     (CLOSE, CLOSE, BLOCK), (b"POST /x HTTP/1.1", [b"Transfer-Encoding: chunked"], b"abc")),
    ("Ambiguous", "EmptyHeader", get(b": 1"), (CLOSE, CLOSE, BLOCK), (b"GET /x HTTP/1.1", [], b"")),
    ("Ambiguous", "SuspiciousHeader", post(b"Transfer_Encoding: chunked", b"Content-Length: 3", body=b"abc"),
     (CLOSE, CLOSE, BLOCK), (b"POST /x HTTP/1.1", [b"Content-Length: 3"], b"abc")),
    ("Ambiguous", "DuplicateContentLength", post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
     (CLOSE, CLOSE, BLOCK), (b"POST /x HTTP/1.1", [b"Content-Length: 3"], b"abc")),
    ("Ambiguous", "BothTeClPresent", post(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=CHUNKS),
     (CLOSE, CLOSE, BLOCK), (b"POST /x HTTP/1.1", [b"Transfer-Encoding: chunked"], b"abc")),
    ("Severe", "BadHeader", get(b"X: a\x00b", b"X-Z: 2"), (CLOSE, BLOCK, BLOCK), (b"GET /x HTTP/1.1", [b"X-Z: 2"], b"")),
    ("Severe", "BadHeader", get(b"X: a\rb"), (BLOCK,) * 3, None),
    ("Severe", "BadContentLength", post(b"Content-Length: +3", body=b"abc"), (BLOCK,) * 3, None),
    ("Severe", "MultipleContentLength", post(b"Content-Length: 3", b"Content-Length: 4", body=b"abc"), (BLOCK,) * 3,
     None),
    ("Severe", "MultipleTransferEncodingChunked", post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
     (BLOCK,) * 3, None),
    ("Severe", "BadTransferEncoding", post(b"Transfer-Encoding: xchunked", body=CHUNKS), (BLOCK,) * 3, None),
    ("Severe", "BadMethod", get(line=b"G(T /x HTTP/1.1"), (BLOCK,) * 3, None),
    ("Severe", "BadVersion", get(line=b"GET /x HTTP/2.0"), (BLOCK,) * 3, None),
    ("Severe", "BadUri", get(line=b"GET /\x00 HTTP/1.1"), (BLOCK,) * 3, None),
]

# A refusal has the status of its cause where there is no reading at all, else 400 for the mode.
STATUS = {"BadTransferEncoding": 501, "BadVersion": 505}


class Modes(LoadBalancerTest):
    def configured(self, target, *lines):
        path = self.folder / "rr-lb.yaml"
        settings = "\n".join(f"    {line}" for line in lines)
        path.write_text(f"""admin: 127.0.0.1:0
access_log: {self.folder / "access.log"}
load_balancers:
  - name: app
{settings}
    listeners:
      - name: http
        sockets: [127.0.0.1:0]
        default_action: {{type: forward, target_groups: [web]}}
    target_groups:
      - name: web
        health_check: {{path: /healthz, interval: 100ms, timeout: 2s, unrestricted: true}}
        targets: [{target.text}]
""")
        lb = Balancer(self.start("rr-lb", "--config", path))
        lb.wait_for_states({target.text: "healthy"})
        return lb

    def counters(self, lb):
        return lb.observed()["load_balancers"][0]["counters"]

    def judge(self, lb, target, case, outcome):
        _, reason, content, _, seen_form = case
        before = len(target.requests())
        with self.connect(lb.address) as client:
            client.send(content + PLAIN)
            response = client.read_response()
            if outcome == BLOCK:
                self.assertEqual((response.status, response.header("connection")), (STATUS.get(reason, 400), "close"))
                client.wait_closed()
                self.assertEqual(target.requests()[before:], [], "the target saw nothing")
                return
            self.assertEqual(response.status, 200)
            if outcome == CLOSE:
                self.assertEqual(response.header("connection"), "close")
                client.wait_closed()
            else:
                self.assertEqual(client.read_response().text, "/next")
        seen = target.requests()[before:]
        line, lines, body = seen_form
        self.assertEqual(len(seen), 2 if outcome == KEEP else 1)
        sent = seen[0].raw_head.split(b"\r\n")
        self.assertEqual((sent[0], seen[0].body), (line, body))
        for one in lines:
            self.assertIn(one, sent)
        # The normalised form: tokens for names, one framing at most, no control byte.
        for one in sent[1:-2]:
            self.assertRegex(one, rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$")
        framings = [one for one in sent if one.lower().startswith((b"content-length:", b"transfer-encoding:"))]
        self.assertLessEqual(len(framings), 1, framings)
        self.assertNotIn(b"transfer_encoding", seen[0].raw_head.lower())
        if outcome == CLOSE:
            connection = seen[0].connection
            harness.fetch(lb.address)
            self.assertNotEqual(target.requests()[-1].connection, connection, "the target's connection was closed")

    def play(self, mode):
        target = self.target(lambda e: e.request.path)
        lb = self.configured(target, f"desync_mitigation_mode: {mode}")
        column = ("monitor", "defensive", "strictest").index(mode)
        for case in CASES:
            with self.subTest(reason=case[1], bytes=case[2]):
                self.judge(lb, target, case, case[3][column])
        unclean = sum(case[0] != "-" for case in CASES)
        self.assertEqual(self.counters(lb)["desync_non_compliant"], unclean)
        lines = [split_log_line(line) for line in self.log_lines(lb)]
        marked = [tuple(fields[27:29]) for fields in lines if fields[27] != "-"]
        self.assertEqual(marked, [case[:2] for case in CASES if case[0] != "-"])

    def test_monitor(self):
        self.play("monitor")

    def test_defensive(self):
        self.play("defensive")

    def test_strictest(self):
        self.play("strictest")

    def test_defensive_is_the_default(self):
        target = self.target()
        lb = self.configured(target)
        with self.connect(lb.address) as client:
            client.send(get(b"Content-Length: 3") + b"abc")
            self.assertEqual(client.read_response().header("connection"), "close")

    def test_invalid_header_fields_are_dropped_where_asked_and_counted(self):
        for drop, names in (("false", ["X_Y", "X!"]), ("true", [])):
            with self.subTest(drop=drop):
                target = self.target()
                lb = self.configured(target, f"drop_invalid_header_fields: {drop}")
                with self.connect(lb.address) as client:
                    client.send(get(b"X_Y: 1", b"X!: 2", b"X-Z9: 3") + get(b"X-Z: 1"))
                    self.assertEqual([client.read_response().status for _ in range(2)], [200, 200])
                first = target.requests()[0]
                self.assertEqual([name for name, _ in first.headers if name.startswith("X") and len(name) < 4], names)
                self.assertEqual(first.header("x-z9"), "3")
                counters = self.counters(lb)
                # Requests are counted, not fields: one of the two had such names.
                self.assertEqual((counters["dropped_invalid_header"], counters["forwarded_invalid_header"]),
                                 (1, 0) if drop == "true" else (0, 1))
