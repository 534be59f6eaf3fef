"""Statements about the ALB that no other test is about, each made to happen over real sockets.

docs/alb-fidelity.md claims them; what is claimed there as the ALB's is shown by a test. Here are those of the connections
(none is made before a request needs it, one serves many clients in turn, a client's lifetime is frozen when it connects),
of health (a request in progress outlives its target's health, checks are not traffic), of headers, and of the ends that
a request can come to when its client or its target leaves early.
"""

import datetime
import socket

import harness
from balancer import LoadBalancerTest, raw_exchange, split_log_line

ONCE = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class FidelityTest(LoadBalancerTest):
    def change(self, lb, **settings):
        """Puts the configuration again with these settings of the load balancer changed."""
        config = lb.admin("/config")
        config["generation"] += 1
        config["load_balancers"][0].update(settings)
        lb.admin("/desired", "PUT", config)

    def log_of(self, lb):
        """The fields of the only line of the access log."""
        line, = self.log_lines(lb)
        return split_log_line(line)


class Connections(FidelityTest):
    def test_none_is_made_before_a_request_needs_it(self):
        target = self.target()
        lb = self.balancer(target)
        target.wait_for_checks(3)
        one = lb.targets()[target.text]
        self.assertEqual((one["connections"], one["idle_connections"]), (0, 0))
        self.assertEqual(len({check.connection for check in target.health_requests}), len(target.health_requests),
                         "a check has a connection of its own")

    def test_one_serves_the_requests_of_many_clients_in_turn(self):
        target = self.target()
        lb = self.balancer(target)
        for _ in range(5):
            self.assertEqual(harness.fetch(lb.address).status, 200)
        self.assertEqual(len({one.connection for one in target.requests()}), 1)

    def test_as_many_are_made_as_requests_are_in_progress(self):
        target = self.target(lambda e: e.hold() and "done")
        lb = self.balancer(target)
        clients = [self.connect(lb.address) for _ in range(4)]
        for client in clients:
            client.request("GET", "/")
        target.wait_for_requests(4)
        self.assertEqual(len({one.connection for one in target.requests()}), 4)
        target.release()
        self.assertEqual({client.read_response().status for client in clients}, {200})

    def test_a_clients_lifetime_is_the_one_it_connected_under(self):
        lb = self.balancer(self.target())
        with self.connect(lb.address) as before:
            self.assertEqual(before.get().header("connection"), "keep-alive")
            self.change(lb, client_keep_alive=0.01)
            with self.connect(lb.address) as after:
                harness.eventually(lambda: after.get().header("connection") == "close", "a new one has the new lifetime")
            self.assertEqual(before.get().header("connection"), "keep-alive", "the older one keeps its own")

    def test_a_new_idle_timeout_is_for_connections_that_exist_too(self):
        lb = self.balancer(self.target())
        with self.connect(lb.address) as client:
            self.assertEqual(client.get().status, 200)
            self.change(lb, idle_timeout=0.3)
            client.wait_closed()


class Health(FidelityTest):
    def test_a_request_in_progress_outlives_its_targets_health(self):
        sick = self.target(lambda e: e.hold() and "finished", name="sick")
        well = self.target(name="well")
        lb = self.balancer(sick, well)
        clients = [self.connect(lb.address) for _ in range(2)]
        for client in clients:
            client.request("GET", "/")
        sick.wait_for_requests(1)
        sick.health_status = 503
        lb.wait_for_states({sick.text: "unhealthy"})
        self.assertEqual({harness.fetch(lb.address).text for _ in range(4)}, {"well"})
        sick.release()
        self.assertEqual({client.read_response().text for client in clients}, {"finished", "well"})

    def test_a_target_that_fails_requests_stays_until_its_checks_fail(self):
        failing, well = self.target(lambda e: e.respond(500, "failed"), name="failing"), self.target(name="well")
        lb = self.balancer(failing, well)
        self.assertEqual([harness.fetch(lb.address).status for _ in range(20)].count(500), 10)
        self.assertEqual(lb.targets()[failing.text]["state"], "healthy")

    def test_checks_are_no_traffic(self):
        target = self.target()
        lb = self.balancer(target)
        target.stop_listening()
        lb.wait_for_states({target.text: "unhealthy"})
        self.assertEqual(lb.targets()[target.text]["connection_errors"], 0)
        self.assertEqual(lb.observed()["load_balancers"][0]["counters"]["requests"], 0)
        self.assertEqual(self.log_lines(lb), [])


class Heads(FidelityTest):
    def test_a_response_carries_nothing_of_what_a_request_was_given(self):
        lb = self.balancer(self.target())
        response = harness.fetch(lb.address)
        self.assertEqual([name for name, _ in response.headers], ["Content-Length", "Connection"])

    def test_a_request_is_given_four_headers_and_no_more(self):
        target = self.target()
        lb = self.balancer(target)
        raw_exchange(lb.address, ONCE)
        self.assertEqual([name for name, _ in target.requests()[0].headers],
                         ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "Host", "X-Amzn-Trace-Id"])

    def test_preserve_and_remove_win_over_the_clients_port(self):
        for mode, came, expected in (("append", "", [r"^127\.0\.0\.1:\d+$"]), ("preserve", "", []),
                                     ("preserve", "X-Forwarded-For: 192.0.2.1\r\n", [r"^192\.0\.2\.1$"]),
                                     ("remove", "X-Forwarded-For: 192.0.2.1\r\n", [])):
            with self.subTest(mode=mode, came=came):
                target = self.target()
                lb = self.balancer(target)
                self.change(lb, xff_header_processing=mode, xff_client_port=True)
                raw_exchange(lb.address, ONCE[:-2] + came.encode() + b"\r\n")
                seen = target.wait_for_requests(1)[0].all("x-forwarded-for")
                self.assertEqual(len(seen), len(expected))
                for value, pattern in zip(seen, expected):
                    self.assertRegex(value, pattern)

    def test_methods_of_every_name_pass_but_trace_and_connect(self):
        target = self.target(lambda e: e.request.method)
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "VERSION-CONTROL"):
                client.request(method, "/")
                self.assertEqual(client.read_response().text, method)
            client.request("TRACE", "/")
            self.assertEqual(client.read_response().status, 405)
        self.assertEqual(target.requests(method="TRACE"), [])

    def test_two_hosts_are_refused(self):
        target = self.target()
        lb = self.balancer(target)
        raw = raw_exchange(lb.address, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
        self.assert_error_page(raw, 400, "Bad Request", "close")
        self.assertEqual(target.requests(), [])


class Endings(FidelityTest):
    def test_a_client_that_leaves_before_the_end_of_its_body_is_logged_as_400(self):
        target = self.target(stream_bodies=True, behaviour=lambda e: e.hold() and None)
        lb = self.balancer(target)
        client = self.connect(lb.address)
        client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        target.wait_for_requests(1)
        client.close()
        harness.eventually(lambda: lb.own_responses() == {"400": 1}, "it is counted")
        fields = self.log_of(lb)
        self.assertEqual((fields[4], fields[8:10], fields[11]), (target.text, ["400", "-"], "0"))

    def test_a_draining_target_that_closes_first_is_502(self):
        leaving, staying = self.target(lambda e: e.hold() and e.close(), name="leaving"), self.target(name="staying")
        lb = self.balancer(leaving, staying)
        clients = [self.connect(lb.address) for _ in range(2)]
        for client in clients:
            client.request("GET", "/")
        leaving.wait_for_requests(1)
        lb.admin("/targets", "PUT", {"targets": [staying.text]})
        self.assertEqual(lb.targets()[leaving.text]["state"], "draining")
        leaving.release()
        self.assertEqual({client.read_response().status for client in clients}, {200, 502})
        harness.eventually(lambda: lb.observed()["drains"], "the drain has ended")
        self.assertEqual(lb.observed()["drains"][0]["requests_cut"], 0, "the delay cut nothing")

    def test_an_unreachable_target_is_502_at_once(self):
        # A network of its own without a way out; the client comes over a Unix socket.
        front, log = self.folder / "front.sock", self.folder / "access.log"
        lb = self.start(*harness.in_private_network(harness.program("rr-lb"), "--listen", f"unix:{front}", "--access-log", log,
                                                    "--target", "192.0.2.1:80"), name="rr-lb")
        lb.wait_for("^listening on unix:")
        self.assertEqual(harness.curl("--unix-socket", front, "http://a/x").status, 502)
        lb.stop()
        self.assertEqual(split_log_line(log.read_text())[4:10], ["192.0.2.1:80", "-1", "-1", "-1", "502", "-"])

    def test_the_line_of_a_connection_that_was_not_made_is_written_when_the_time_is_over(self):
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):  # its queue is full then: the kernel drops what comes
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            self.addCleanup(one.close)
        lb = self.balancer("%s:%d" % full.getsockname(), wait=False,
                           flags=("--health-interval", "300", "--connect-timeout", "0.3"))
        self.assert_error_page(raw_exchange(lb.address, ONCE), 504, "Gateway Time-out", "close")
        fields = self.log_of(lb)
        ended, created = (datetime.datetime.fromisoformat(fields[number].rstrip("Z")) for number in (1, 21))
        self.assertGreaterEqual((ended - created).total_seconds(), 0.3)

    def test_a_response_that_is_cut_is_logged_with_the_targets_status(self):
        target = self.target(lambda e: e.send(b"HTTP/1.1 201 Made\r\nContent-Length: 10\r\n\r\nabc") or e.close())
        lb = self.balancer(target)
        self.assertTrue(raw_exchange(lb.address, ONCE).endswith(b"\r\n\r\nabc"))
        fields = self.log_of(lb)
        self.assertEqual((fields[8:10], fields[24]), (["201", "201"], "-"))

    def test_errors_of_the_balancer_leave_the_error_reason_empty_and_the_connection_open(self):
        target = self.target(lambda e: e.reset())
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            for _ in range(3):
                self.assertEqual((client.get().status), 502)
        self.assertEqual({split_log_line(line)[24] for line in self.log_lines(lb)}, {"-"})


class Assumptions(FidelityTest):
    """Where AWS does not say how it is, or says two things, a setting decides; its default is tested where it belongs."""

    def test_the_status_of_an_oversized_head(self):
        lb = self.balancer(self.target())
        long_header = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17000 + b"\r\n\r\n"
        many_headers = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 501 + b"\r\n"
        self.change(lb, oversized_head_status=413)
        for content in (long_header, many_headers):
            self.assert_error_page(raw_exchange(lb.address, content), 413, "Request Entity Too Large", "close")

    def test_the_status_of_an_unknown_transfer_coding(self):
        lb = self.balancer(self.target())
        content = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"
        self.assert_error_page(raw_exchange(lb.address, content), 501, "Not Implemented", "close")
        self.change(lb, unknown_coding_status=400)
        self.assert_error_page(raw_exchange(lb.address, content), 400, "Bad Request", "close")

    def test_what_a_silent_client_is_told(self):
        lb = self.balancer(self.target(), flags=("--idle-timeout", "0.3"))
        with self.connect(lb.address) as client:
            client.request("HEAD", "/")
            self.assertEqual(client.read_response("HEAD").status, 200)
            self.assertEqual(client.read_all(), b"", "nothing, by default")
        self.change(lb, answer_silent_clients=True)
        self.assert_error_page(raw_exchange(lb.address, b""), 408, "Request Time-out", "close")
        with self.connect(lb.address) as client:
            client.request("HEAD", "/")
            self.assertEqual(client.read_response("HEAD").status, 200)
            self.assert_error_page(client.read_all(), 408, "Request Time-out", "close")

    def test_the_scheme_that_a_client_claims(self):
        target = self.target()
        lb = self.balancer(target)
        claim = {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
        for replaced, expected in ((True, ("http", str(lb.port))), (False, ("https", "443"))):
            self.change(lb, replace_forwarded_proto=replaced)
            harness.fetch(lb.address, headers=claim)
            seen = target.requests()[-1]
            self.assertEqual((seen.header("x-forwarded-proto"), seen.header("x-forwarded-port")), expected)

    def test_how_many_idle_connections_are_kept(self):
        target = self.target(lambda e: e.hold() and "done")
        lb = self.balancer(target)
        self.change(lb, maximum_idle_connections=2)
        clients = [self.connect(lb.address) for _ in range(5)]
        for client in clients:
            client.request("GET", "/")
        target.wait_for_requests(5)
        target.release()
        self.assertEqual({client.read_response().status for client in clients}, {200})
        harness.eventually(lambda: lb.targets()[target.text]["connections"] == 2, "the surplus is closed")

    def test_how_many_failures_make_a_new_target_unhealthy(self):
        failing = self.target()
        failing.health_status = 503
        lb = self.balancer(wait=False)
        config = lb.admin("/config")
        config["generation"] += 1
        group = config["load_balancers"][0]["target_groups"][0]
        group["health_check"].update(unhealthy_threshold=10, initial_unhealthy_threshold=1)
        group["targets"] = [failing.text]
        lb.admin("/desired", "PUT", config)
        lb.wait_for_states({failing.text: "unhealthy"})
        self.assertLess(len(failing.health_requests), 10)
        check = lb.admin("/config")["load_balancers"][0]["target_groups"][0]["health_check"]
        self.assertEqual(check["initial_unhealthy_threshold"], 1, "what was put can be read back")
