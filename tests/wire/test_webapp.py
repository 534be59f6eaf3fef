"""rr-webapp as a load balancer, a person with curl and systemd meet it.

The real program is started on a port of the kernel's choice and spoken to over raw sockets (for what must be right to
the byte, or wrong on purpose) and with the real curl. It is stopped with signals while requests are in flight, because
that is what a release does to it all day.
"""

import contextlib
import json
import os
import signal
import socket
import unittest

import harness

COMMIT = "814d1293e6b73a8810435611c49a52a6033c3545"
PAGE = ("<HTML><BODY><P>Hi there! I'm being served from ip-172-31-9-166</P><P>AMI built from commit "
        + COMMIT + "</P><P>Build number 28</P></BODY></HTML>").encode()
# Nothing of the caller's own environment may leak into the program under test.
NOTHING = dict.fromkeys(("APP_COMMIT", "APP_BUILD", "RR_HOST_NAME", "RR_INSTANCE_ID", "RR_ZONE", "RR_IMAGE_ID", "HOST",
                         "PORT", "KEEP_ALIVE_TIMEOUT", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))


class WebappTest(harness.TestCase):
    def webapp(self, *flags, environment=None, listen=True, **options):
        """Starts one and returns (program, "address:port")."""
        where = ("--listen", "127.0.0.1:0") if listen else ()
        one = self.start("rr-webapp", *where, *flags, environment={**NOTHING, **(environment or {})}, **options)
        return one, one.wait_for(r"listening on (\S+)", stream="stderr").group(1)

    def logged(self, program, count):
        """The first `count` log lines, parsed."""
        harness.eventually(lambda: len(program.lines("stdout")) >= count, f"{count} log lines are there")
        return [json.loads(line) for line in program.lines("stdout")[:count]]


class Identity(WebappTest):
    def test_the_page_is_exact_by_flags(self):
        _, address = self.webapp("--host-name", "ip-172-31-9-166", "--commit", COMMIT, "--build", "28")
        answer = harness.curl(f"http://{address}/")
        self.assertEqual((answer.status, answer.body), (200, PAGE))
        self.assertEqual(answer.header("Content-Type"), "text/html")
        self.assertEqual(answer.header("Content-Length"), str(len(PAGE)))

    def test_the_page_is_exact_by_environment(self):
        _, address = self.webapp(listen=False, environment={
            "HOST": "127.0.0.1", "PORT": "0", "RR_HOST_NAME": "ip-172-31-9-166", "APP_COMMIT": COMMIT,
            "APP_BUILD": "28"})
        self.assertEqual(harness.curl(f"http://{address}/").body, PAGE)

    def test_without_a_name_the_page_shows_the_machines(self):
        _, address = self.webapp()
        self.assertIn(f"served from {socket.gethostname()}</P>", harness.fetch(address).text)

    def test_version_tells_who_answers(self):
        _, address = self.webapp("--zone", "eu-west-1a", environment={
            "APP_COMMIT": COMMIT, "APP_BUILD": "28", "RR_INSTANCE_ID": "i-0123456789abcdef0", "RR_ZONE": "not this one",
            "RR_HOST_NAME": "ip-172-31-9-166"})
        answer = harness.fetch(address, "/version")
        document = answer.json()
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertGreaterEqual(document.pop("uptime"), 0)
        self.assertEqual(document, {"commit": COMMIT, "build": "28", "instance": "i-0123456789abcdef0",
                                    "zone": "eu-west-1a", "image": None, "host": "ip-172-31-9-166"})


class Messages(WebappTest):
    def test_head_has_the_head_of_get_and_no_body(self):
        _, address = self.webapp()
        connection = self.connect(address)
        whole = connection.get("/")
        connection.request("HEAD", "/")
        head = connection.read_response("HEAD")
        self.assertEqual(head.status, 200)
        self.assertEqual(head.header("content-length"), str(len(whole.body)))
        self.assertEqual(connection.get("/healthz").body, b"ok\n")  # nothing of a body is between them
        self.assertEqual(harness.curl("--head", f"http://{address}/").status, 200)

    def test_unknown_paths_and_methods(self):
        _, address = self.webapp()
        connection = self.connect(address)
        self.assertEqual(connection.get("/nothing").status, 404)
        connection.request("POST", "/", body="form=1")
        answer = connection.read_response()
        self.assertEqual((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"))
        connection.request("BREW", "/")
        self.assertEqual(connection.read_response().status, 405)
        connection.request("OPTIONS", "*")
        self.assertEqual(connection.read_response("OPTIONS").status, 204)

    def test_what_is_no_request_is_refused_and_the_connection_closed(self):
        _, address = self.webapp("--max-start-line", "100", "--max-header", "100", "--max-head", "400",
                                 "--max-headers", "5")
        host = "Host: a\r\n"
        for sent, status in (
                ("GET /\r\n\r\n", 400),
                ("GET / HTTP/1.1\r\n\r\n", 400),
                ("GET / HTTP/1.1\nHost: a\n\n", 400),
                (f"GET / HTTP/1.1\r\n{host}{host}\r\n", 400),
                (f"GET / HTTP/1.1\r\n{host}X : y\r\n\r\n", 400),
                (f"GET / HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n", 400),
                (f"POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
                (f"POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                (f"POST /echo HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0x5\r\n", 400),
                ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
                (f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: gzip\r\n\r\n", 501),
                ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                ("\x16\x03\x01", 400),
                (f"GET /{'x' * 100} HTTP/1.1\r\n{host}\r\n", 414),
                (f"GET / HTTP/1.1\r\n{host}X: {'y' * 98}\r\n\r\n", 431),
                (f"GET / HTTP/1.1\r\n{host}" + f"X: {'y' * 90}\r\n" * 4 + "\r\n", 431),
                (f"GET / HTTP/1.1\r\n{host}" + "X: y\r\n" * 5 + "\r\n", 431)):
            with self.subTest(sent=sent), harness.Connection(address) as connection:
                connection.send(sent)
                answer = connection.read_response()
                self.assertEqual((answer.status, answer.header("connection")), (status, "close"))
                connection.wait_closed()

    def test_limits_are_allowed_to_be_reached(self):
        _, address = self.webapp("--max-start-line", "100", "--max-header", "100", "--max-headers", "5")
        connection = self.connect(address)
        target = "/?" + "x" * (100 - len("GET /? HTTP/1.1"))
        connection.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nX: {'y' * 97}\r\n" + "X: y\r\n" * 3 + "\r\n")
        self.assertEqual(connection.read_response().status, 200)

    def test_a_slow_request_gets_408(self):
        _, address = self.webapp("--request-timeout", "0.2")
        for begun in ("G", "GET / HTTP/1.1\r\nHost: a\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"):
            with self.subTest(begun=begun), harness.Connection(address) as connection:
                connection.send(begun)
                answer = connection.read_response()
                self.assertEqual((answer.status, answer.header("connection")), (408, "close"))
                connection.wait_closed()

    def test_echo_gives_a_body_back_up_to_the_limit(self):
        _, address = self.webapp("--max-body", "100000")
        path = self.folder / "body"
        path.write_bytes(bytes(range(256)) * 390 + b"x" * 160)
        answer = harness.curl("--data-binary", f"@{path}", "-H", "Content-Type: x/y", f"http://{address}/echo")
        self.assertEqual((answer.status, answer.body), (200, path.read_bytes()))
        self.assertEqual(answer.header("Content-Type"), "x/y")
        chunked = harness.curl("--data-binary", f"@{path}", "-H", "Transfer-Encoding: chunked", f"http://{address}/echo")
        self.assertEqual((chunked.status, chunked.body), (200, path.read_bytes()))
        path.write_bytes(b"x" * 100001)
        for how in ((), ("-H", "Transfer-Encoding: chunked")):
            self.assertEqual(harness.curl("--data-binary", f"@{path}", *how, f"http://{address}/echo").status, 413)

    def test_expect_continue_is_answered_before_the_body(self):
        _, address = self.webapp()
        connection = self.connect(address)
        connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(connection.read_head().status, 100)
        connection.send("hello")
        self.assertEqual(connection.read_response().body, b"hello")

    def test_bytes_and_delay(self):
        _, address = self.webapp()
        alphabet = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        size = 5_000_000
        expected = (alphabet * (size // len(alphabet) + 1))[:size]
        answer = harness.fetch(address, f"/bytes?n={size}")
        self.assertTrue(answer.body == expected)
        late = harness.fetch(address, "/delay?ms=50")
        self.assertEqual((late.status, late.body), (200, b"waited 50 ms\n"))
        self.assertEqual(harness.fetch(address, "/delay?ms=soon").status, 400)


class Connections(WebappTest):
    def test_a_connection_is_kept_and_says_for_how_long(self):
        _, address = self.webapp()
        connection = self.connect(address)
        for _ in range(100):
            answer = connection.get("/healthz")
            self.assertEqual((answer.status, answer.header("keep-alive")), (200, "timeout=75"))
        self.assertTrue(connection.is_open())

    def test_an_idle_connection_is_closed_after_its_time(self):
        _, address = self.webapp("--keep-alive", "0.2")
        connection = self.connect(address)
        self.assertEqual(connection.get("/").status, 200)
        connection.wait_closed()

    def test_pipelined_requests_are_answered_in_order(self):
        _, address = self.webapp()
        connection = self.connect(address)
        connection.send("".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"
                                for path in ("/delay?ms=100", "/bytes?n=3", "/healthz", "/nothing")))
        self.assertEqual([connection.read_response().status for _ in range(4)], [200, 200, 200, 404])

    def test_http_1_0(self):
        _, address = self.webapp()
        connection = self.connect(address)
        connection.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = connection.read_response()
        self.assertEqual((answer.body, answer.header("connection")), (b"ok\n", "keep-alive"))
        connection.send("GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual(connection.read_response().body, b"ok\n")
        connection.wait_closed()
        self.assertEqual(harness.curl("--http1.0", f"http://{address}/healthz").text, "ok\n")

    def test_connection_close_is_honoured(self):
        _, address = self.webapp()
        connection = self.connect(address)
        self.assertEqual(connection.get("/", {"Connection": "close"}).header("connection"), "close")
        connection.wait_closed()

    def test_an_inherited_socket_is_served(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            number = listener.fileno()
            one = self.start("rr-webapp", "--listen", f"fd:{number}", environment=NOTHING, pass_fds=(number,))
            one.wait_for("listening on", stream="stderr")
            self.assertEqual(harness.fetch(listener.getsockname(), "/healthz").status, 200)


class Stopping(WebappTest):
    def test_sigterm_turns_health_serves_on_finishes_and_exits_0(self):
        one, address = self.webapp("--lame-duck", "1")
        idle, busy = self.connect(address), self.connect(address)
        self.assertEqual(idle.get("/healthz").status, 200)
        busy.request("GET", "/delay?ms=2500")
        self.assertEqual(harness.fetch(address, "/healthz").status, 200)  # so the one before has been taken too
        one.send_signal(signal.SIGTERM)
        one.wait_for("SIGTERM", stream="stderr")
        kept = idle.get("/healthz")  # on a connection from before
        self.assertEqual((kept.status, kept.header("connection")), (503, "close"))
        idle.wait_closed()
        idle.close()
        page = harness.fetch(address, "/")  # and on a new one
        self.assertEqual((page.status, page.header("connection")), (200, "close"))
        one.wait_for("accepting no more", stream="stderr")
        with self.assertRaises(ConnectionRefusedError):
            harness.Connection(address)
        answer = busy.read_response()
        self.assertEqual((answer.status, answer.header("connection")), (200, "close"))
        busy.wait_closed()
        busy.close()
        self.assertEqual(one.wait(), 0)

    def test_with_no_lame_duck_time_idle_connections_are_closed_at_once(self):
        one, address = self.webapp("--lame-duck", "0")
        idle = self.connect(address)
        self.assertEqual(idle.get("/").status, 200)
        one.send_signal(signal.SIGTERM)
        idle.wait_closed()
        idle.close()
        self.assertEqual(one.wait(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        for second, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            one, address = self.webapp("--lame-duck", "1h")
            one.send_signal(signal.SIGTERM)
            one.wait_for("SIGTERM", stream="stderr")
            self.assertEqual(harness.fetch(address, "/healthz").status, 503)
            self.assertEqual(one.stop(second), code)

    def test_ctrl_c_stops_without_a_lame_duck_time(self):
        one, address = self.webapp("--lame-duck", "1h")
        self.assertEqual(harness.fetch(address, "/").status, 200)
        self.assertEqual(one.stop(signal.SIGINT), 0)

    def test_a_hanging_request_does_not_hold_it_up(self):
        one, address = self.webapp("--lame-duck", "0", "--faults", "on")
        self.assertEqual(harness.fetch(address, "/fault?hang=on").status, 200)
        hanging = self.connect(address)
        hanging.request("GET", "/")
        self.assertEqual(harness.fetch(address, "/fault").status, 200)
        self.assertEqual(one.stop(signal.SIGTERM), 0)
        self.assertEqual(hanging.read_all(), b"")


class Log(WebappTest):
    def test_one_line_of_json_a_request(self):
        one, address = self.webapp("--instance", "i-0123456789abcdef0")
        connection = self.connect(address)
        answer = connection.get("/version?x", {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"})
        with harness.Connection(address) as bad:
            bad.send("BAD\r\n\r\n")
            bad.read_response()
        good_line, bad_line = self.logged(one, 2)
        self.assertRegex(good_line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertGreaterEqual(good_line.pop("duration"), 0)
        self.assertEqual(good_line, {
            "method": "GET", "path": "/version?x", "status": 200, "bytes": len(answer.raw_head) + len(answer.body),
            "peer": harness.text_address(connection.local_address), "instance": "i-0123456789abcdef0",
            "trace_id": "Root=1-67891233-abcdef012345678912345678"})
        self.assertEqual((bad_line["status"], bad_line["method"], bad_line["trace_id"]), (400, None, None))

    def test_a_line_is_there_before_the_next_request(self):
        """Lines are not held back in a buffer: a supervisor follows them."""
        one, address = self.webapp()
        harness.fetch(address, "/healthz")
        self.assertEqual(self.logged(one, 1)[0]["path"], "/healthz")
        self.assertTrue(one.running)


    def test_with_json_messages_are_lines_among_them_and_all_have_a_level(self):
        one = self.start("rr-webapp", "--listen", "127.0.0.1:0", "--log", "json", "--faults", "on", "--lame-duck", "0",
                         environment=NOTHING)
        address = one.wait_for(r'"message":"listening on ([^"]+)"', stream="stdout").group(1)
        harness.fetch(address, "/fault?error=100")
        harness.fetch(address, "/")
        one.send_signal(signal.SIGTERM)
        self.assertEqual(one.wait(), 0)
        lines = [json.loads(line) for line in one.lines("stdout")]
        self.assertEqual([(line["level"], line.get("status")) for line in lines[:3]],
                         [("info", None), ("info", 200), ("error", 500)])
        self.assertRegex(lines[3]["message"], "^SIGTERM: /healthz says 503 now")
        self.assertRegex(lines[4]["message"], "^accepting no more")
        self.assertEqual(one.lines("stderr"), [])

    def test_with_json_a_start_that_fails_is_a_line_too(self):
        _, address = self.webapp()
        finished = self.run_program("rr-webapp", "--log", "json", "--listen", address, environment=NOTHING)
        self.assertEqual((finished.returncode, finished.stderr), (3, ""))
        [line] = [json.loads(line) for line in finished.stdout.splitlines()]
        self.assertEqual((line["level"], line["message"]), ("error", f"--listen: {address} is in use by another program"))


class ServiceManagement(WebappTest):
    """What systemd hears on NOTIFY_SOCKET (Type=notify, WatchdogSec=)."""

    def manager(self, name=None):
        """A socket that hears, and the name that says where."""
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.settimeout(harness.scaled(10))
        name = name or str(self.folder / "notify")
        heard.bind("\0" + name[1:] if name[0] == "@" else name)
        return heard, name

    @staticmethod
    def hear(heard):
        return heard.recv(4096).decode().splitlines()

    def test_ready_is_said_when_connections_are_accepted(self):
        heard, name = self.manager()
        self.start("rr-webapp", "--listen", "127.0.0.1:0", environment={**NOTHING, "NOTIFY_SOCKET": name})
        ready, status = self.hear(heard)
        self.assertEqual(ready, "READY=1")
        address = status.removeprefix("STATUS=listening on ")
        self.assertEqual(harness.fetch(address, "/healthz").status, 200)  # at once: nothing is waited for

    def test_an_abstract_socket_is_spoken_to_as_well(self):
        heard, name = self.manager(f"@rr-test-{self.mark}")
        self.webapp(environment={"NOTIFY_SOCKET": name})
        self.assertEqual(self.hear(heard)[0], "READY=1")

    def test_a_program_that_cannot_listen_is_never_ready(self):
        _, address = self.webapp()
        heard, name = self.manager()
        finished = self.run_program("rr-webapp", "--listen", address, environment={**NOTHING, "NOTIFY_SOCKET": name})
        self.assertEqual(finished.returncode, 3)
        heard.setblocking(False)
        with self.assertRaises(BlockingIOError):
            heard.recv(4096)

    def test_stopping_is_said_at_sigterm_and_the_watchdog_goes_on_to_the_end(self):
        heard, name = self.manager()
        one, _ = self.webapp("--lame-duck", "1h", environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"})
        self.assertEqual(self.hear(heard)[0], "READY=1")
        self.assertEqual([self.hear(heard) for _ in range(5)], [["WATCHDOG=1"]] * 5)
        one.send_signal(signal.SIGTERM)
        said = self.hear(heard)
        while said == ["WATCHDOG=1"]:
            said = self.hear(heard)
        self.assertEqual(said[0], "STOPPING=1")
        self.assertRegex(said[1], "^STATUS=SIGTERM: /healthz says 503 now")
        self.assertEqual(self.hear(heard), ["WATCHDOG=1"])

    def test_a_watchdog_of_another_process_is_not_served(self):
        heard, name = self.manager()
        one, _ = self.webapp("--lame-duck", "0", environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000",
                                                              "WATCHDOG_PID": "1"})
        self.assertEqual(self.hear(heard)[0], "READY=1")
        one.send_signal(signal.SIGTERM)
        self.assertEqual(self.hear(heard)[0], "STOPPING=1")  # with nothing between

    def test_a_program_that_hangs_gives_no_sign_of_life(self):
        heard, name = self.manager()
        one, _ = self.webapp(environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"})
        self.assertEqual(self.hear(heard)[0], "READY=1")
        one.send_signal(signal.SIGSTOP)
        harness.eventually(lambda: harness.process_state(one.pid) == "T", "it is stopped")
        heard.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.recv(4096)
        # Ten times its 10 ms between two signs; a message within it would have been sent by a process that is stopped.
        heard.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            heard.recv(4096)

    def test_nobody_who_listens_is_no_reason_not_to_serve(self):
        one, address = self.webapp(environment={"NOTIFY_SOCKET": str(self.folder / "nobody"), "WATCHDOG_USEC": "10000"})
        one.wait_for("the service manager at NOTIFY_SOCKET .*/nobody does not hear: No such file", stream="stderr")
        for _ in range(3):
            self.assertEqual(harness.fetch(address, "/delay?ms=20").status, 200)
        self.assertEqual(one.text("stderr").count("does not hear"), 1)


class SelfTest(WebappTest):
    def test_it_asks_itself_and_ends(self):
        finished = self.run_program("rr-webapp", "--selftest", "--commit", COMMIT, "--build", "28",
                                    environment={**NOTHING, "NOTIFY_SOCKET": str(self.folder / "nobody")})
        self.assertEqual(finished.returncode, 0, finished)
        self.assertIn(f"self-test passed: commit {COMMIT}, build 28", finished.stderr)
        self.assertNotIn("does not hear", finished.stderr)
        asked = [json.loads(line) for line in finished.stdout.splitlines()]
        self.assertEqual([(line["path"], line["status"]) for line in asked],
                         [("/healthz", 200), ("/version", 200), ("/", 200)])

    def test_it_needs_no_port_of_its_own(self):
        _, address = self.webapp()
        self.assertEqual(self.run_program("rr-webapp", "--selftest", "--listen", address, environment=NOTHING).returncode, 0)

    def test_where_it_cannot_be_reached_it_fails(self):
        """In a network whose loopback interface is down."""
        alone = [harness.need_command("unshare", "util-linux"), "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        if self.run_program(*alone, "true").returncode != 0:
            harness.skip("network namespaces are not allowed here")
        finished = self.run_program(*alone, harness.program("rr-webapp"), "--selftest", environment=NOTHING)
        self.assertEqual(finished.returncode, 1, finished)
        self.assertRegex(finished.stderr, "self-test failed: /healthz was not answered: no route")


class FaultsOnRequest(WebappTest):
    def test_they_are_off_unless_asked_for(self):
        _, address = self.webapp()
        self.assertEqual(harness.fetch(address, "/fault?unhealthy=on").status, 404)
        self.assertEqual(harness.fetch(address, "/healthz").status, 200)

    def test_each_can_be_done_and_undone(self):
        _, address = self.webapp("--faults", "on")
        connection = self.connect(address)
        for done, undone, path, status in (("unhealthy=on", "unhealthy=off", "/healthz", 503),
                                           ("error=100", "error=0", "/", 500),
                                           ("error=100&status=503", "all=off", "/version", 503)):
            self.assertEqual(connection.get(path).status, 200)
            self.assertEqual(connection.get("/fault?" + done).status, 200)
            self.assertEqual(connection.get(path).status, status)
            self.assertEqual(connection.get("/fault?" + undone).status, 200)
            self.assertEqual(connection.get(path).status, 200)

    def test_slow_answers_come_after_the_quick_ones(self):
        one, address = self.webapp("--faults", "on")
        self.assertEqual(harness.fetch(address, "/fault?slow=300ms").json()["slow"], 0.3)
        slow = self.connect(address)
        slow.request("GET", "/")
        quick = harness.fetch(address, "/fault?all=off")
        self.assertEqual(quick.status, 200)
        self.assertEqual(slow.read_response().status, 200)
        slow_line = next(line for line in self.logged(one, 3) if line["path"] == "/")
        self.assertGreaterEqual(slow_line["duration"], 0.299)

    def test_hanging_requests_are_answered_when_the_fault_is_undone(self):
        _, address = self.webapp("--faults", "on")
        self.assertTrue(harness.fetch(address, "/fault?hang=on").json()["hang"])
        hanging = self.connect(address)
        hanging.request("GET", "/healthz")
        self.assertEqual(harness.fetch(address, "/fault").status, 200)
        self.assertTrue(hanging.is_open())  # not a byte has come
        harness.fetch(address, "/fault?hang=off")
        self.assertEqual(hanging.read_response().body, b"ok\n")

    def test_clients_that_give_up_on_a_hang_are_forgotten_with_it(self):
        """One that closes may only have said that it will send no more, so it is kept until there is an answer to try;
        after that no descriptor is left of those that closed or reset."""
        one, address = self.webapp("--faults", "on")
        with harness.Connection(address) as connection:
            connection.get("/fault?hang=on")
            before = len(harness.open_descriptors(one.pid))  # this connection's among them
        for closing in (True, False) * 100:
            connection = self.connect(address)
            connection.request("GET", "/")
            (connection.close if closing else connection.reset)()
        self.assertEqual(harness.fetch(address, "/fault?all=off").status, 200)
        harness.eventually(lambda: len(harness.open_descriptors(one.pid)) < before, "all descriptors are closed")
        self.assertEqual(harness.fetch(address, "/").status, 200)


class WrongUse(WebappTest):
    def test_wrong_flags_and_values(self):
        for flags, environment, mentions in (
                (("--colour", "red"), {}, ("--colour", "--help")),
                (("8080",), {}, ("flags only",)),
                (("--listen",), {}, ("--listen",)),
                (("--listen", "localhost"), {}, ("--listen", "localhost", "127.0.0.1:8080")),
                (("--listen", "127.0.0.1:0", "--keep-alive", "never"), {}, ("--keep-alive", "never")),
                (("--faults", "maybe"), {}, ("--faults", "maybe", "on or off")),
                (("--max-body", "-1"), {}, ("--max-body", "-1")),
                ((), {"PORT": "eighty"}, ("PORT", "eighty", "65535")),
                ((), {"HOST": "example.com", "PORT": "0"}, ("HOST", "example.com"))):
            with self.subTest(flags=flags, environment=environment):
                finished = self.run_program("rr-webapp", *flags, environment={**NOTHING, **environment})
                self.assert_usage_error(finished, *mentions)

    def test_an_address_in_use_is_named_with_who_chose_it(self):
        _, address = self.webapp()
        port = address.rpartition(":")[2]
        for flags, environment, mention in (
                (("--listen", address), {}, f"--listen: {address} is in use"),
                ((), {"PORT": port}, f"PORT: {address} is in use"),
                ((), {"PORT": port, "HOST": "127.0.0.1"}, f"HOST and PORT: {address} is in use")):
            finished = self.run_program("rr-webapp", *flags, environment={**NOTHING, **environment})
            self.assertEqual(finished.returncode, 3, finished)
            self.assertEqual(len(finished.stderr.splitlines()), 1, finished)
            self.assertIn(mention, finished.stderr)

    def test_help_and_version(self):
        helped = self.run_program("rr-webapp", "--help")
        self.assertEqual((helped.returncode, helped.stderr), (0, ""))
        for flag in ("--listen", "--commit", "--lame-duck", "--faults", "Examples:"):
            self.assertIn(flag, helped.stdout)
        version = self.run_program("rr-webapp", "--version")
        self.assertEqual((version.returncode, version.stdout),
                         (0, f"rr-webapp {(harness.ROOT / 'VERSION').read_text().strip()}\n"))


if __name__ == "__main__":
    unittest.main()
