"""What the process tests of rr-sim have in common: a tier of their own, in a state folder of their own, on a port of the
kernel's choice, fast, and gone when the test is over.
"""

import functools
import json
import re
import os
import signal
import tempfile

import harness

# At this speed an instance takes a third of a second to launch and a health check comes every fifth of a second.
SPEED = 50
# A page of rr-webapp.
PAGE = re.compile(r"served from (\S+)</P><P>AMI built from commit (\S+)</P><P>Build number (\S+)</P>")


@functools.lru_cache(maxsize=None)
def why_not(ground):
    """None when rr-sim can stand on that ground here; its own words otherwise."""
    with tempfile.TemporaryDirectory(prefix="rr-g-") as folder:
        started = harness.run(["rr-sim", "up", "-d", "--ground", ground, "--state", folder, "--listen", "127.0.0.1:0",
                               "--speed", str(SPEED)], timeout=60)
        if started.returncode == 0:
            harness.run(["rr-sim", "down", "--state", folder], timeout=60)
            return None
        return started.stderr.strip().splitlines()[0] if started.stderr.strip() else f"exit {started.returncode}"


class TierTest(harness.TestCase):
    """ground = "plain" or "namespaces" in the subclass: on a machine without it the whole class is skipped."""

    ground = "plain"

    def setUp(self):
        super().setUp()
        self.state = str(self.folder / "s")
        if self.ground == "namespaces" and (reason := why_not("namespaces")):
            harness.skip(f"no namespaces here: {reason}")
        self.addCleanup(self._stop)

    def _stop(self):
        """In order, if it still runs: what a test leaves must not depend on how it ended."""
        if os.path.exists(self.state):
            harness.run(["rr-sim", "down", "--state", self.state], timeout=60)

    # -- commands

    def sim(self, *words, timeout=60.0, cwd=None, environment=None, text_input=""):
        """Runs one command against this test's tier."""
        words = [str(word) for word in words]
        at = words.index("--") if "--" in words else len(words)
        return self.run_program("rr-sim", *words[:at], "--state", self.state, *words[at:], timeout=timeout, cwd=cwd,
                                environment=environment, text_input=text_input)

    def up_command(self, *flags, speed=SPEED):
        return ["rr-sim", "up", "--state", self.state, "--listen", "127.0.0.1:0", "--ground", self.ground, "--speed",
                str(speed), "--commit", "c" * 40, "--build", "1", *[str(flag) for flag in flags]]

    def up(self, *flags, detached=True, speed=SPEED, cwd=None, environment=None, **options):
        """Starts the tier; returns the finished `up -d`, or the running `up`."""
        command = self.up_command(*flags, speed=speed)
        if not detached:
            return self.start(*command, cwd=cwd, environment=environment, **options)
        done = self.run_program(*command, "-d", timeout=60, cwd=cwd, environment=environment)
        self.assertEqual(done.returncode, 0, done)
        return done

    def ok(self, *words, **options):
        done = self.sim(*words, **options)
        self.assertEqual(done.returncode, 0, done)
        return done

    def refused(self, *words, code=2, says=(), **options):
        """The command fails with one line that says all of it."""
        done = self.sim(*words, **options)
        self.assertEqual(done.returncode, code, done)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done)
        for text in says:
            self.assertIn(text, lines[0])
        return lines[0]

    # -- looking

    def status(self):
        return json.loads(self.ok("status", "--json").stdout)

    def wait_status(self, condition, what, timeout=30.0):
        """The first status for which the condition holds."""
        found = []

        def holds():
            found[:] = [self.status()]
            return condition(found[0])
        harness.eventually(holds, what, timeout)
        return found[0]

    def wait_settled(self, timeout=30.0):
        return self.wait_status(lambda status: status["settled"] and status["ready"], "the tier has settled", timeout)

    def living(self, status=None):
        return [one for one in (status or self.status())["instances"] if one["lifecycle"] != "Terminated"]

    def in_service(self, status):
        return [one for one in status["instances"]
                if one["lifecycle"] == "InService" and one["target_health"]["state"] == "healthy"]

    def by_zone(self, status):
        count = {zone["name"]: 0 for zone in status["zones"]}
        for one in self.in_service(status):
            count[one["zone"]] += 1
        return count

    def page(self, url=None):
        """(host, commit, build) of one answer through the front, by the real curl."""
        answer = harness.curl(url or self.status()["url"])
        self.assertEqual(answer.status, 200, answer)
        return PAGE.search(answer.text).groups()

    def rr_sim_pid(self):
        return self.status()["pid"]

    def kill_rr_sim(self, pid):
        """SIGKILL, to that process alone."""
        harness.kill_by_pid(pid, self.mark)
        harness.eventually(lambda: harness.process_state(pid) in (None, "Z"), f"process {pid} is dead")

    def interrupt(self, program):
        program.send_signal(signal.SIGINT)
