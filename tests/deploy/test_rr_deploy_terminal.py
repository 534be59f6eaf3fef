"""What rr-deploy says on a terminal of 80 columns: lines are broken between words, and go on where their text began."""

import re
import signal
import unittest

from kit.waiting import eventually
from test_rr_deploy import NEW, RrDeploy


class OnATerminal(RrDeploy):
    def said(self, last, *words, code=0, **environment):
        """The lines on the terminal, without colours."""
        program = self.start(*words, terminal=True, cwd=self.folder, environment={**self.aws.environment(), **environment})
        self.assertEqual(program.process.wait(60), code, program.text())
        eventually(lambda: last in program.text() or None, f"'{last}' is there")
        # What was overwritten by the next is not there any more.
        return [re.sub(r"\x1b\[[0-9;]*[mK]", "", line.rsplit("\r", 1)[-1]) for line in program.text().replace("\r\n", "\n").splitlines()]

    def assert_fits(self, lines):
        self.assertEqual([line for line in lines if len(line) > 80], [])

    def test_a_doctors_findings_go_on_in_their_own_column(self):
        lines = self.said("on template version", *self.command("doctor"))
        self.assert_fits(lines)
        at = next(number for number, line in enumerate(lines) if line.startswith("ok    PassRole "))
        self.assertRegex(lines[at + 1], r"^ {21}arn:aws:iam::123456789012:role/round-robin-local")

    def test_the_sums_of_a_watch_begin_a_line_of_their_own_after_ctrl_c(self):
        """A colour for each commit, red for what failed; the terminal itself writes ^C where the cursor stands."""
        self.aws.images = {name: {"commit": letter * 40} for name, letter in zip(self.aws.images, "cd")}
        program = self.start(*self.job("watch", "--interval", "50ms"), terminal=True, environment=self.aws.environment())
        program.wait_for("c" * 12)
        self.aws.versions[6] = (NEW, "second")
        program.wait_for("d" * 12)
        self.aws.images[NEW]["status"] = 502
        program.wait_for("HTTP 502")
        program.process.send_signal(signal.SIGINT)
        self.assertEqual(program.process.wait(30), 1, program.text())
        eventually(lambda: f"commit {'d' * 40}" in program.text() or None, "the sums are there")
        lines = program.text().replace("\r\n", "\n").splitlines()
        self.assert_fits([re.sub(r"\x1b\[[0-9;]*[mK]", "", line) for line in lines])
        sums = next(number for number, line in enumerate(lines) if re.match(r"\d+ requests in \d+ s, \d+ failed; slowest", line))
        self.assertEqual(lines[sums - 1], "")
        colours = [re.search(r"\x1b\[(\d+)m.*" + what, program.text()).group(1) for what in ("c" * 12, "d" * 12, "HTTP 502")]
        self.assertEqual((len(set(colours)), colours[2]), (3, "31"))

    def test_a_proof_and_a_refusal_fit(self):
        self.aws.images = {name: {"commit": letter * 40} for name, letter in zip(self.aws.images, "cd")}
        lines = self.said("2 of 2 instances", *self.job("verify", "--commit", "c" * 40))
        self.assert_fits(lines)
        lines = self.said("leave them out", *self.job("release", "--image", NEW), code=3, AWS_REGION="us-east-1")
        self.assert_fits(lines)
        self.assertGreater(len(lines), 1)


if __name__ == "__main__":
    unittest.main()
