"""Attributes of a load balancer and its listeners that change heads.

Each attribute is set in a configuration file, as a user would, and judged by what the target saw and what the client got:
X-Forwarded-For by its modes, the preserved Host, headers that a listener inserts into every response, its own error pages
among them, and the Server header that can be left out. Settings that are known but not followed are refused, with the
line of the file.
"""

import harness
from balancer import Balancer, LoadBalancerTest, raw_exchange


class Attributes(LoadBalancerTest):
    def configured(self, target, balancer="", listener="", group="", expect_exit=None):
        """rr-lb with a configuration file that has these lines in it."""
        path = self.folder / "rr-lb.yaml"
        targets = f"[{target.text}]" if target else "[]"
        path.write_text(f"""admin: 127.0.0.1:0
load_balancers:
  - name: app
{balancer}
    listeners:
      - name: http
        sockets: [127.0.0.1:0]
{listener}
        default_action: {{type: forward, target_groups: [web]}}
    target_groups:
      - name: web
{group}
        health_check: {{path: /healthz, interval: 100ms, timeout: 2s, unrestricted: true}}
        targets: {targets}
""")
        program = self.start("rr-lb", "--config", path)
        if expect_exit is not None:
            self.assertEqual(program.wait(), expect_exit)
            return program
        one = Balancer(program)
        if target:
            one.wait_for_states({target.text: "healthy"})
        return one

    def asked(self, lb, content):
        """The raw answer to a request."""
        return raw_exchange(lb.address, content).decode("latin-1")

    def test_forwarded_for_is_kept_or_removed(self):
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n\r\n"
        for mode, expected in (("append", ["203.0.113.7, 127.0.0.1"]), ("preserve", ["203.0.113.7"]), ("remove", [])):
            with self.subTest(mode=mode):
                target = self.target()
                lb = self.configured(target, balancer=f"    xff_header_processing: {mode}")
                self.asked(lb, request)
                self.assertEqual(target.wait_for_requests(1)[0].all("x-forwarded-for"), expected)

    def test_forwarded_for_with_the_clients_port(self):
        target = self.target()
        lb = self.configured(target, balancer="    xff_client_port: true")
        with harness.Connection(lb.address) as client:
            port = client.socket.getsockname()[1]
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.read_response()
        self.assertEqual(target.wait_for_requests(1)[0].header("x-forwarded-for"), f"127.0.0.1:{port}")

    def test_the_host_is_preserved(self):
        target = self.target()
        lb = self.configured(target, balancer="    preserve_host_header: true")
        self.asked(lb, b"GET / HTTP/1.1\r\nHost: Shop.Example.COM\r\nConnection: close\r\n\r\n")
        self.assertEqual(target.wait_for_requests(1)[0].all("host"), ["Shop.Example.COM"])

    def test_a_listener_inserts_and_overrides_response_headers(self):
        target = self.target(lambda x: x.respond(200, "ok", headers={"X-Frame-Options": "ALLOWALL", "X-Own": "1"}))
        lb = self.configured(target, listener="        inserted_headers: {x_frame_options: DENY}")
        answer = self.asked(lb, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(answer.count("X-Frame-Options"), 1, answer)
        self.assertIn("\r\nX-Frame-Options: DENY\r\n", answer)
        self.assertIn("\r\nX-Own: 1\r\n", answer)
        refused = self.asked(lb, b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertTrue(refused.startswith("HTTP/1.1 405 "), refused)
        self.assertIn("\r\nX-Frame-Options: DENY\r\n", refused, "the balancer's own answers carry it too")

    def test_the_server_header_can_be_left_out(self):
        lb = self.configured(None, listener="        server_header: false")
        answer = self.asked(lb, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.startswith("HTTP/1.1 503 "), answer)
        self.assertNotIn("Server:", answer)

    def test_what_is_known_but_not_followed_is_refused(self):
        for place, line, complaint in (
                ("group", "        stickiness: {enabled: true, type: app_cookie}", "stickiness.app_cookie_name: '' is not"),
                ("listener", '        inserted_headers: {x_frame_options: "a\\nb"}', "inserted_headers.x_frame_options: ")):
            with self.subTest(line=line):
                program = self.configured(None, expect_exit=2, **{place: line})
                self.assertIn(complaint, program.text("stderr"))
