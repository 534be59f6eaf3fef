"""The harness itself: a test that cannot see a lost process or a wrong byte would prove nothing about the product.

Small shell and Python programs stand in for the real ones: one that makes itself a daemon, one that dies silently, one
that talks on a terminal. The scripted target and the raw client are put against each other and against the real curl.
"""

import signal
import sys
import unittest

import harness


class Programs(harness.TestCase):
    def test_output_is_seen_as_it_comes(self):
        one = self.start("sh", "-c", "echo ready; read line; echo got $line; echo aside >&2; exit 7")
        one.wait_for("^ready$")
        one.send("hello\n")
        self.assertEqual(one.wait_for(r"got (\w+)").group(1), "hello")
        self.assertEqual(one.wait(), 7)
        self.assertEqual(one.lines("stderr"), ["aside"])

    def test_a_program_that_ends_without_the_line_is_reported_with_its_output(self):
        one = self.start("sh", "-c", "echo last words; exit 3")
        with self.assertRaisesRegex(AssertionError, r"ended \(exit 3\)(?s:.*)last words"):
            one.wait_for("never")

    def test_a_signal_shows_in_the_return_code(self):
        one = self.start("sh", "-c", "echo up; exec sleep 60")
        one.wait_for("up")
        self.assertEqual(one.stop(signal.SIGTERM), -signal.SIGTERM)

    def test_a_daemon_is_found_by_its_mark_and_ended_with_the_test(self):
        class Inner(harness.TestCase):
            mark_left = None

            def runTest(self):
                code = ("import os,sys,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
                        "os.close(1); os.close(2); time.sleep(60)")
                self.run_program(sys.executable, "-c", code)
                harness.eventually(lambda: len(harness.marked_processes(self.mark)) == 1, "the daemon is alone")
                Inner.mark_left = self.mark

        result = unittest.TestResult()
        Inner().run(result)
        self.assertEqual((result.errors, result.failures), ([], []))
        self.assertEqual(harness.marked_processes(Inner.mark_left), [])

    def test_a_sanitizer_report_fails_a_test_that_passed(self):
        class Inner(harness.TestCase):
            def runTest(self):
                self.start("sh", "-c", "echo '==1==ERROR: AddressSanitizer: heap-use-after-free' >&2").wait()

        result = unittest.TestResult()
        result.buffer = True
        Inner().run(result)
        self.assertEqual(len(result.failures), 1)

    def test_a_terminal_is_a_terminal(self):
        one = self.start("sh", "-c", "tty; stty size; read key; echo key $key", terminal=True)
        one.wait_for("^/dev/")
        one.wait_for("^24 80$")
        one.send("x\r")
        one.wait_for("key x")
        self.assertEqual(one.wait(), 0)

    def test_ctrl_c_reaches_a_program_on_a_terminal(self):
        one = self.start("sh", "-c", "trap 'echo interrupted; exit 5' INT; echo up; while :; do sleep 1; done",
                         terminal=True)
        one.wait_for("^up")
        one.send("\x03")
        one.wait_for("interrupted")
        self.assertEqual(one.wait(), 5)

    def test_descriptors_and_memory_are_read_from_proc(self):
        one = self.start(sys.executable, "-c", "a = open('/dev/null'); block = b'x' * (64 << 20); print('up', flush=True)\n"
                                               "input()")
        one.wait_for("up")
        self.assertIn("/dev/null", harness.open_descriptors(one.pid).values())
        self.assertGreater(harness.memory_kib(one.pid), 64 * 1024)


class Wire(harness.TestCase):
    def test_client_and_target_understand_each_other(self):
        target = self.target(lambda exchange: exchange.request.body.upper())
        with harness.Connection(target.address) as connection:
            for number in range(3):
                connection.request("POST", f"/{number}", {"X-Number": str(number)}, b"abc")
                self.assertEqual(connection.read_response().body, b"ABC")
        self.assertEqual([(one.path, one.header("x-number"), one.connection) for one in target.requests()],
                         [("/0", "0", 1), ("/1", "1", 1), ("/2", "2", 1)])

    def test_chunked_responses_with_trailers_and_interim_responses(self):
        wire = (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n")
        target = self.target(lambda exchange: exchange.send(wire))
        response = harness.fetch(target.address)
        self.assertEqual((response.body, response.framing, response.trailers), (b"hello world", "chunked", [("T", "1")]))
        self.assertEqual([one.status for one in response.interim], [103])

    def test_pipelined_responses_are_read_one_by_one(self):
        target = self.target(lambda exchange: exchange.request.path)
        with harness.Connection(target.address) as connection:
            connection.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual([connection.read_response().text for _ in range(2)], ["/a", "/b"])

    def test_a_reset_and_an_early_close_are_told_from_an_answer(self):
        target = self.target(lambda exchange: exchange.reset())
        with self.assertRaises(harness.ConnectionEnded):
            harness.fetch(target.address)
        target.behaviour = lambda exchange: (exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
                                             exchange.close())
        with self.assertRaises(harness.ConnectionEnded):
            harness.fetch(target.address)

    def test_health_checks_are_kept_apart(self):
        target = self.target()
        target.health_status = 503
        self.assertEqual(harness.fetch(target.address, "/healthz").status, 503)
        self.assertEqual((len(target.requests()), len(target.health_requests)), (0, 1))

    def test_a_target_refuses_and_comes_back_on_the_same_address(self):
        target = self.target()
        target.stop_listening()
        with self.assertRaises(ConnectionRefusedError):
            harness.fetch(target.address)
        target.listen()
        self.assertEqual(harness.fetch(target.address).text, "target")

    def test_a_held_request_is_answered_after_release(self):
        target = self.target(lambda exchange: "late" if exchange.hold() else None)
        with harness.Connection(target.address) as connection:
            connection.request("GET", "/")
            target.wait_for_requests(1)
            target.release()
            self.assertEqual(connection.read_response().text, "late")

    def test_nobody_answers_at_a_refused_address(self):
        with harness.refused_address() as address, self.assertRaises(ConnectionRefusedError):
            harness.Connection(address)

    def test_curl_reads_a_scripted_target(self):
        target = self.target(lambda exchange: exchange.respond(418, "short and stout", {"X-Pot": "tea"}))
        result = harness.curl(f"http://{target.text}/")
        self.assertEqual((result.returncode, result.status, result.text, result.header("x-pot")),
                         (0, 418, "short and stout", "tea"))


if __name__ == "__main__":
    unittest.main()
