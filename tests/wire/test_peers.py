"""./peers itself, small: that it sees what it is there to see, and that it says no when a peer is stricter without a reason.

The comparison proper is a command of its own, because nginx and HAProxy need not be here. Its judge is what is tested: on
rr-lb alone, on observations that are made up, and, where a peer is installed, on a case whose outcome is known.
"""

import os
import signal
import sys
import unittest

import harness

PEERS = harness.ROOT / "tests" / "peers"
sys.path[:0] = [str(PEERS), str(PEERS.parent / "wire")]

import cases      # noqa: E402
import compare    # noqa: E402
import proxies    # noqa: E402
import reading    # noqa: E402
import reasons    # noqa: E402
import verdicts   # noqa: E402

COMPARE = str(PEERS / "compare.py")


class Command(harness.TestCase):
    def environment(self, added=None):
        return {**super().environment(added), "RR_BIN": str(harness.bin_folder())}

    def compare(self, *arguments):
        return self.run_program(sys.executable, COMPARE, *arguments, timeout=60)

    def test_rr_lb_alone(self):
        finished = self.compare("--proxies", "rr-lb", "--cases", "^(GET|two lengths|CL.TE|bytes behind the length)$")
        self.assertEqual(finished.returncode, 0, finished)
        self.assertIn("| GET | 200, kept; target: `GET /x HTTP/1.1`, no body | not compared |", finished.stdout)
        self.assertIn("| two lengths | 400, closed | not compared |", finished.stdout)
        self.assertIn("| CL.TE | 200, closed; target: `POST /outer HTTP/1.1`, chunked | not compared |", finished.stdout)
        self.assertIn("| bytes behind the length | 200, kept | not compared |", finished.stdout)
        self.assertTrue(finished.stdout.endswith("peers: 5 cases: 5 not compared\n"), finished)
        self.assert_no_process_left()

    def test_a_peer_beside_it(self):
        present = [name for name in ("nginx", "haproxy") if proxies.find_program(name)]
        if not present:
            harness.skip("neither nginx nor haproxy is here (./peers fetches them)")
        finished = self.compare("--proxies", "rr-lb," + ",".join(present), "--cases", "^(GET|no colon)$")
        self.assertEqual(finished.returncode, 0, finished)
        self.assertIn("peers: 2 cases: 2 same\n", finished.stdout)
        self.assert_no_process_left()

    def test_wrong_flags(self):
        for arguments, mention in ((("--proxies", "squid"), "must be of rr-lb, nginx, haproxy"),
                                   (("--cases", "lunch"), "no case has that in its name")):
            finished = self.compare(*arguments)
            self.assertEqual(finished.returncode, 2, finished)
            self.assertIn(mention, finished.stderr)

    def test_an_interrupt_ends_everything(self):
        one = self.start(sys.executable, COMPARE, "--proxies", "rr-lb", name="compare")
        harness.eventually(lambda: any("rr-lb --listen" in line for _, line in harness.marked_processes(self.mark)), "rr-lb runs")
        os.kill(one.pid, signal.SIGINT)
        self.assertEqual(one.wait(30), 130)
        self.assert_no_process_left()


class Judge(unittest.TestCase):
    CASE = cases.Case("Group", "name", b"")

    def request(self, status=200, kept=True, content=b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"):
        answer = reading.read_answers(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status, ["GET"], True)
        return compare.Observation(answer, kept, reading.read_requests(content))

    def verdict(self, own, *peers):
        names = ["rr-lb", "nginx", "haproxy"]
        observed = {name: {("Group", "name"): one} for name, one in zip(names, [own, *peers])}
        return verdicts.judge([self.CASE], [], observed)[0]

    def test_who_lets_less_through_is_stricter(self):
        passed, closed, refused = self.request(), self.request(kept=False), self.request(400, False, b"")
        odd = self.request(content=b"GET /x HTTP/1.1\r\nHost: a\r\nContent_Length: 3\r\n\r\n")
        for own, peer, expected in ((passed, passed, "same"), (refused, passed, "rr-lb is stricter"),
                                    (closed, passed, "rr-lb is stricter"), (passed, odd, "rr-lb is stricter"),
                                    (passed, refused, "nginx is stricter: no reason is known"),
                                    (odd, passed, "nginx is stricter: no reason is known")):
            found = self.verdict(own, peer)
            self.assertEqual((found.verdict, found.unexplained), (expected, expected.startswith("nginx")))

    def test_a_reason_explains_it(self):
        reasons.REASONS.append(("Group", "^name$", "as AWS"))
        self.addCleanup(reasons.REASONS.pop)
        found = self.verdict(self.request(), self.request(400, False, b""), self.request())
        self.assertEqual((found.verdict, found.unexplained), ("nginx is stricter: as AWS", False))

    def test_what_another_reader_could_take_for_something_else_is_odd(self):
        for content, oddity in ((b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "a space in the target"),
                                (b"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n", "the name 'X Y'"),
                                (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "a folded line"),
                                (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00\r\n\r\n", "a control character in a value"),
                                (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: x\r\n\r\n", "`Transfer_Encoding`"),
                                (b"GET / HTTP/1.1\r\n\r\n", "0 Host headers"),
                                (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 b"1;x\r\na\r\n0\r\n\r\n", "two framings, a chunk's extension")):
            with self.subTest(oddity):
                message, = reading.read_requests(content)
                self.assertTrue(message.whole)
                self.assertEqual(", ".join(message.oddities), oddity)

    def test_a_message_that_stops_early_is_not_whole(self):
        for content in (b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
                        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            self.assertFalse(reading.read_requests(content)[0].whole, content)

    def test_bytes_of_no_answer_are_seen(self):
        answers = reading.read_answers(b"HTTP/1.1 204 X\r\n\r\nPOISON", ["GET"], True)
        self.assertEqual([one.status for one in answers], [204, 0])

    def test_every_reason_has_its_case(self):
        known = [*cases.request_cases(), *cases.answer_cases()]
        for one in reasons.REASONS:
            self.assertTrue(any(reasons.find(case) == one[2] for case in known), one)

    def test_names_of_cases_are_unique(self):
        names = [(case.group, case.name) for case in (*cases.request_cases(), *cases.answer_cases())]
        self.assertEqual(sorted(names), sorted(set(names)))


if __name__ == "__main__":
    unittest.main()
