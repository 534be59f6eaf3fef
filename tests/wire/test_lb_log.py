"""What the logs say: a line of the access log for each outcome that AWS's table knows, over real sockets, and the two
other logs.

Each row of the table is made to happen (a good answer, nobody to ask, a target that refuses, is silent, dies, a client
that leaves, bytes that are no request), and its line is compared field by field with what an ALB writes: who reads such
lines, with Athena or with `rr-lb explain`, must not see a difference.
"""

import re
import signal
import socket

import harness
from balancer import LoadBalancerTest, raw_exchange, split_log_line

FIELDS = ("type time elb client target request_time target_time response_time status target_status received sent request "
          "user_agent cipher protocol target_group trace_id domain cert rule created actions redirect_url error_reason "
          "target_list status_list classification classification_reason connection transformed_host transformed_uri "
          "transform_status node").split()
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
REQUEST = b"GET /cart?id=7 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: me \"x\"\r\n\r\n"


class AccessLog(LoadBalancerTest):
    def line(self, balancer):
        """The only line, by the names of its fields."""
        line, = self.log_lines(balancer)
        return self.fields(line)

    def fields(self, line):
        values = split_log_line(line)
        self.assertEqual(len(values), len(FIELDS), line)
        named = dict(zip(FIELDS, values))
        # What is true of every line.
        self.assertRegex(named["time"], TIME)
        self.assertRegex(named["created"], r"\.\d{3}000Z$")
        self.assertLessEqual(named["created"], named["time"])
        self.assertRegex(named["elb"], r"^app/app/[0-9a-f]{16}$")
        self.assertRegex(named["client"], r"^127\.0\.0\.1:\d+$")
        self.assertRegex(named["connection"], r"^TID_[0-9a-f]{32}$")
        self.assertEqual([named[key] for key in ("type", "cipher", "protocol", "domain", "cert", "error_reason",
                                                 "transformed_host", "transformed_uri", "transform_status", "node")],
                         ["http", "-", "-", "-", "-", "-", "-", "-", "-", "127.0.0.1"])
        self.assertEqual((named["target_list"], named["status_list"]), (named["target"], named["target_status"]))
        return named

    def assert_line(self, line, **expected):
        for key, value in expected.items():
            if isinstance(value, re.Pattern):
                self.assertRegex(line[key], value, key)
            else:
                self.assertEqual(line[key], value, key)

    def assert_forwarded(self, line, **expected):
        self.assert_line(line, request=re.compile(r"^GET http://shop\.example\.com:\d+/cart\?id=7 HTTP/1\.1$"),
                         user_agent=r"me \x22x\x22", actions="forward", rule="0", redirect_url="-", classification="-",
                         trace_id=re.compile(r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$"),
                         target_group=re.compile(r"targetgroup/targets/[0-9a-f]{16}$"), **expected)

    SPAN = re.compile(r"^\d+\.\d{3}$")
    NONE = {"request_time": "-1", "target_time": "-1", "response_time": "-1", "target_status": "-"}

    def test_ok(self):
        target = self.target(lambda e: e.respond(200, "hello"))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(REQUEST)
            response = client.read_response()
        line = self.line(lb)
        # Everything the client got: the head, then five bytes.
        self.assert_forwarded(line, target=target.text, request_time=self.SPAN, target_time=self.SPAN,
                              response_time=self.SPAN, status="200", target_status="200", received=str(len(REQUEST)),
                              sent=str(len(response.raw_head) + len("hello")))
        self.assertEqual(line["trace_id"], target.requests()[0].header("x-amzn-trace-id"), "as it was sent on")

    def test_no_targets(self):
        lb = self.balancer()
        raw = raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        # 337 bytes with Connection: keep-alive, as an ALB's own line has them; "close" is five shorter.
        self.assert_forwarded(self.line(lb), target="-", status="503", sent="332", **self.NONE)
        self.assertEqual(len(raw), 332)

    def test_malformed(self):
        lb = self.balancer(self.target())
        raw_exchange(lb.address, b"no request\r\n\r\n")
        self.assert_line(self.line(lb), target="-", status="400", received="0", sent="272", user_agent="-", trace_id="-",
                         rule="-", target_group="-", actions="-", **self.NONE,
                         request=re.compile(r"^- http://127\.0\.0\.1:\d+- -$"))

    def test_connect_refused(self):
        lb = self.balancer("127.0.0.1:1", wait=False)
        raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        self.assert_forwarded(self.line(lb), target="127.0.0.1:1", status="502", sent="272", **self.NONE)

    def test_connect_timed_out(self):
        # A queue of connections that is full: the kernel drops what comes.
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            self.addCleanup(one.close)
        address = "%s:%d" % full.getsockname()
        lb = self.balancer(address, wait=False, flags=("--health-interval", "300", "--connect-timeout", "0.3"))
        raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        self.assert_forwarded(self.line(lb), target=address, status="504", **self.NONE)

    def test_no_answer_within_the_idle_timeout(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target, flags=("--idle-timeout", "0.5"))
        raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        self.assert_forwarded(self.line(lb), target=target.text, request_time=self.SPAN, target_time="-1",
                              response_time="-1", status="504", target_status="-")

    def test_a_target_that_closes_in_the_middle_of_a_request(self):
        target = self.target(lambda e: e.close())
        lb = self.balancer(target)
        raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        self.assert_forwarded(self.line(lb), target=target.text, request_time=self.SPAN, target_time=self.SPAN,
                              response_time="-1", status="502", target_status="-")

    def test_the_keep_alive_race(self):
        second = [False]
        target = self.target(lambda e: e.reset() if second[0] else "first")
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(REQUEST)
            self.assertEqual(client.read_response().status, 200)
            second[0] = True
            client.send(REQUEST)
            self.assertEqual(client.read_response().status, 502)
        first, line = [self.fields(one) for one in self.log_lines(lb)]
        self.assert_forwarded(line, target=target.text, request_time=self.SPAN, target_time=self.SPAN,
                              response_time="-1", status="502", target_status="-", sent="277")
        self.assertEqual(first["connection"], line["connection"], "one connection, one id")

    def test_a_client_that_leaves(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target)
        client = self.connect(lb.address)
        client.send(REQUEST)
        target.wait_for_requests(1)
        client.close()
        harness.eventually(lambda: lb.own_responses() == {"460": 1}, "it is counted")
        self.assert_forwarded(self.line(lb), target=target.text, status="460", sent="0", received=str(len(REQUEST)),
                              **self.NONE)

    def answered_by_a_rule(self, action):
        """A balancer whose default action is this one."""
        lb = self.balancer(self.target())
        config = lb.admin("/config")
        config["generation"] = 1
        config["load_balancers"][0]["listeners"][0]["default_action"] = action
        lb.admin("/desired", "PUT", config)
        return lb

    def test_a_redirect(self):
        lb = self.answered_by_a_rule({"type": "redirect", "protocol": "HTTPS", "port": 443, "status": 301})
        raw = raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        location = "https://shop.example.com:443/cart?id=7"
        self.assertIn(f"Location: {location}\r\n".encode(), raw)
        self.assert_line(self.line(lb), target="-", status="301", target_group="-", actions="redirect", rule="0",
                         redirect_url=location, sent=str(len(raw)), **self.NONE)

    def test_a_fixed_response(self):
        lb = self.answered_by_a_rule({"type": "fixed-response", "status": 418, "content_type": "text/plain",
                                      "body": "short and stout"})
        raw = raw_exchange(lb.address, REQUEST[:-2] + b"Connection: close\r\n\r\n")
        self.assert_line(self.line(lb), target="-", status="418", target_group="-", actions="fixed-response", rule="0",
                         sent=str(len(raw)), **self.NONE)

    def test_a_request_that_is_not_compliant_is_classified(self):
        target = self.target()
        lb = self.balancer(target)
        raw_exchange(lb.address, b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
        self.assert_line(self.line(lb), status="200", classification="Ambiguous",
                         classification_reason="UndefinedContentLengthSemantics")


class OtherLogs(LoadBalancerTest):
    def test_a_line_a_connection_with_the_id_of_the_access_log(self):
        log = self.folder / "connections.log"
        lb = self.balancer(self.target(), flags=("--connection-log", log))
        with self.connect(lb.address) as silent, self.connect(lb.address) as client:
            self.assertEqual([client.get().status, client.get().status], [200, 200])
            ports = [silent.local_address[1], client.local_address[1]]
        lines = [split_log_line(line) for line in self.lines_after_stop(lb, log)]
        self.assertEqual(sorted(int(line[2]) for line in lines), sorted(ports), "one a connection, also a silent one")
        line = next(line for line in lines if int(line[2]) == ports[1])
        self.assertRegex(line[0], TIME)
        self.assertEqual(line[1:11], ["127.0.0.1", str(ports[1]), str(lb.port), *"-------"])
        self.assertEqual({split_log_line(one)[29] for one in self.log_lines()}, {line[11]})
        self.assertEqual((line[12], line[14]), ("-", "127.0.0.1"))
        self.assertRegex(line[13], "^app/app/")

    def lines_after_stop(self, lb, log):
        lb.program.stop()
        return log.read_text().splitlines()

    def test_a_line_a_health_check(self):
        good, bad = self.target(), self.target()
        bad.health_status = 503
        refused = "127.0.0.1:1"
        log = self.folder / "checks.log"
        lb = self.balancer(good, bad, refused, wait=False, flags=("--health-check-log", log))
        lb.wait_for_states({good.text: "healthy", bad.text: "unhealthy", refused: "unhealthy"})
        seen = {}
        for line in self.lines_after_stop(lb, log):
            fields = line.split(" ")
            self.assertEqual(len(fields), 10, line)
            self.assertEqual((fields[0], fields[4], fields[8][:8]), ("http", "targets", "app/app/"))
            self.assertRegex(fields[1], TIME)
            self.assertRegex(fields[2], r"^\d+\.\d{9}$")
            seen.setdefault(fields[3], set()).add(" ".join(fields[5:8]))
        self.assertEqual(seen[good.text], {"PASS 200 -"})
        self.assertEqual(seen[bad.text], {"FAIL 503 TargetError"})
        self.assertEqual(seen[refused], {"FAIL - ConnectionReset"})

    def test_all_logs_are_opened_anew(self):
        logs = [self.folder / name for name in ("access.log", "c.log", "h.log")]
        lb = self.balancer(self.target(), flags=("--connection-log", logs[1], "--health-check-log", logs[2]))
        for log in logs:
            log.rename(log.with_suffix(".old"))
        lb.program.send_signal(signal.SIGHUP)
        for log in logs:
            harness.eventually(log.exists, f"{log} is opened anew")
        self.assertEqual(harness.fetch(lb.address).status, 200)
        for log in logs:  # the next check comes by itself, and each log is written once a second
            harness.eventually(lambda: log.read_text() != "", f"{log} has a line")

    def test_each_log_has_a_file_of_its_own(self):
        path = self.folder / "x.log"
        finished = self.run_program("rr-lb", "--listen", "127.0.0.1:0", "--access-log", path, "--connection-log", path)
        self.assertEqual(finished.returncode, 3, finished)
        self.assertIn(f"--connection-log: {path} is the file of --access-log: give each log its own", finished.stderr)
        finished = self.run_program("rr-lb", "--listen", "127.0.0.1:0", "--health-check-log", "/nonexistent/x.log")
        self.assertEqual(finished.returncode, 3, finished)
        self.assertIn("--health-check-log: /nonexistent/x.log", finished.stderr)

    def test_a_file_of_settings_names_them(self):
        config = self.folder / "lb.yaml"
        config.write_text(f"admin: 127.0.0.1:0\nconnection_log: {self.folder}/c.log\nhealth_check_log: {self.folder}/h.log\n")
        self.start("rr-lb", "--config", config).wait_for("^admin on")
        self.assertTrue((self.folder / "c.log").exists() and (self.folder / "h.log").exists())
