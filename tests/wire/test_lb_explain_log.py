"""rr-lb explain: somebody has the access log of a load balancer and wants to know where the 5xx come from.

The lines are those that rr-lb itself writes when such things happen, and lines of an ALB's form; a log that is not one,
or is compressed, is named as such.
"""

import gzip
import json
import subprocess

import harness
from balancer import LoadBalancerTest, raw_exchange

REQUEST = b"GET /cart?id=7 HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n"


class ExplainLog(LoadBalancerTest):
    def explain(self, text, *flags):
        return self.run_program("rr-lb", "explain", *flags, text_input=text)

    def test_the_log_of_rr_lb_itself(self):
        target = self.target(lambda e: e.respond(503, "busy") if e.request.path == "/busy" else e.close())
        lb = self.balancer(target)
        for path in (b"/busy", b"/closes"):
            raw_exchange(lb.address, REQUEST.replace(b"/cart?id=7", path))
        raw_exchange(lb.address, b"no request\r\n\r\n")
        log = "\n".join(self.log_lines(lb))
        finished = self.explain(log, "--json")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""), finished)
        busy, closed, sums = [json.loads(line) for line in finished.stdout.splitlines()]
        self.assertEqual((busy["line"], busy["status"], busy["target_status"], busy["target"], busy["outcome"]),
                         (1, 503, 503, target.text, "from_target"))
        self.assertEqual((closed["line"], closed["status"], closed["target_status"], closed["target"]),
                         (2, 502, None, target.text))
        # How soon the target closed is a matter of the machine's speed.
        self.assertIn(closed["outcome"], ("keep_alive_race", "target_closed"))
        self.assertEqual(sums, {"lines": 3, "unreadable": 0, "errors": 2,
                                "outcomes": {"from_target": 1, closed["outcome"]: 1}})

    def test_for_people(self):
        lb = self.balancer()
        raw_exchange(lb.address, REQUEST)
        finished = self.explain(self.log_lines(lb)[0] + "\r\n")
        self.assertEqual(finished.returncode, 0, finished)
        self.assertRegex(finished.stdout, r'^\S+Z 503 no_targets "GET http://shop\.example\.com:\d+/cart\?id=7 HTTP/1\.1"\n'
                                          r"    the target group has no registered target .*: register one\n"
                                          r"1 lines, 0 unreadable, 1 with 5xx\n        1  no_targets\n$")

    def test_lines_that_are_none_are_named_and_counted(self):
        finished = self.explain("\n".join(["once upon a time", "", *["x\x1b[2J"] * 10]))
        self.assertEqual(finished.returncode, 1, finished)
        self.assertIn("line 1: 4 fields: a line of an ALB's access log has at least 25", finished.stderr)
        # Ten complaints, then one line that there are no more.
        self.assertEqual(len(finished.stderr.splitlines()), 11)
        self.assertNotIn("\x1b", finished.stderr)
        self.assertEqual(finished.stdout, "12 lines, 11 unreadable, 0 with 5xx\n")

    def test_a_line_at_the_limit_and_one_past_it(self):
        # 512 KiB; it is no line of a log either way, but why differs.
        for size, why in ((512 * 1024, "1 fields"), (512 * 1024 + 1, "longer than 524288 bytes")):
            finished = self.explain("x" * size + "\n\n")
            self.assertEqual(finished.returncode, 1)
            self.assertIn(f"line 1: {why}", finished.stderr)
            self.assertIn("2 lines, 1 unreadable", finished.stdout)

    def test_nothing(self):
        finished = self.explain("")
        self.assertEqual((finished.returncode, finished.stdout), (0, "0 lines, 0 unreadable, 0 with 5xx\n"))

    def test_a_compressed_log_and_other_mistakes(self):
        finished = subprocess.run([harness.program("rr-lb"), "explain"], input=gzip.compress(b"x"), capture_output=True,
                                  timeout=30, check=False)
        self.assertEqual((finished.returncode, finished.stdout), (3, b""))
        self.assertIn(b"is compressed: zcat FILE | rr-lb explain", finished.stderr)
        finished = self.explain("", "access.log")
        self.assertEqual(finished.returncode, 2)
        self.assertIn("'access.log' is not --json or --help; the log is read from standard input", finished.stderr)
        finished = self.explain("", "--help")
        self.assertEqual(finished.returncode, 0)
        self.assertIn("Exit: 0 when every line was read", finished.stdout)
