"""An instance refresh on real processes: a new image comes into service a batch at a time, under load; a bad one is rolled
back by itself; a person cancels one or turns it back; and what cannot be done is refused in AWS's words.
"""

import json
import sys
import unittest

import harness
from tier import TierTest

NEXT = "d" * 40


class Refresh:
    def build(self, commit=NEXT, number=2):
        return self.ok("image", "build", "--commit", commit, "--build", number).stdout.strip()

    def refreshes(self):
        return json.loads(self.ok("refresh", "status", "--json").stdout)

    def versions(self, status=None):
        return sorted(one["launch_template_version"] for one in self.in_service(status or self.status()))

    def test_launching_before_terminating_no_request_fails(self):
        self.up("--load", 40)
        before = self.wait_settled()
        old = {one["id"] for one in self.in_service(before)}
        image = self.build()
        done = self.ok("release", "--image", image, "--strategy", "refresh", "--min-healthy", 100, "--warmup", "20s",
                       "--auto-rollback", timeout=120)
        self.assertIn("pinned from $Default to version 1", done.stdout)
        self.assertIn(f"to version 2 ({image}) has begun", done.stdout)
        self.assertRegex(done.stdout.splitlines()[-2], r"^Successful +100 %  0 to update")
        self.assertRegex(done.stdout.splitlines()[-1], r"^took .* on AWS")
        after = self.wait_settled()
        self.assertFalse(old & {one["id"] for one in self.in_service(after)})
        self.assertEqual(self.versions(after), [2, 2])
        self.assertEqual(after["groups"][0]["launch_template_version"], "2")
        self.assertEqual(after["load"]["failed"], 0, after["load"])
        for _ in range(10):
            self.assertEqual(self.page(after["url"])[1:], (NEXT, "2"))
        refresh = self.refreshes()[0]
        self.assertEqual((refresh["status"], refresh["percentage_complete"]), ("Successful", 100))
        causes = " ".join(one["cause"] for one in after["activities"])
        self.assertIn("an instance was launched in response to an instance refresh.", causes)
        self.assertIn("an instance was taken out of service in response to an instance refresh.", causes)

    def test_cancel_and_rollback_by_hand(self):
        self.up()
        self.wait_settled()
        image = self.build()
        self.refused("refresh", "cancel", code=1, says=["ActiveInstanceRefreshNotFound", "was not found"])
        self.refused("refresh", "rollback", code=1, says=["ActiveInstanceRefreshNotFound"])
        flags = ["--strategy", "refresh", "--warmup", "5s", "--checkpoints", "50,100", "--checkpoint-delay", "1h"]
        held = self.start("rr-sim", "release", "--image", image, *flags, "--state", self.state)
        self.wait_status(lambda status: status["refreshes"] and status["refreshes"][0]["percentage_complete"] == 50,
                         "the checkpoint of 50 % is reached")
        self.assertEqual(self.versions(), [1, 2])
        self.refused("release", "--image", image, *flags, code=1, says=["InstanceRefreshInProgress"])
        self.ok("refresh", "cancel")
        self.assertEqual(held.wait(timeout=30), 1, "cancelled is not released")
        self.assertEqual(self.refreshes()[0]["status"], "Cancelled")
        self.assertEqual(self.versions(), [1, 2], "nothing is undone")

        held = self.start("rr-sim", "release", "--image", image, *flags, "--skip-matching", "--state", self.state)
        self.wait_status(lambda status: len(status["refreshes"]) == 2 and status["refreshes"][0]["percentage_complete"] == 50,
                         "half of it again", 60)
        self.assertEqual(self.sim("refresh", "rollback", timeout=60).returncode, 10)
        self.assertEqual(held.wait(timeout=30), 10)
        newest = self.refreshes()[0]
        self.assertEqual(newest["status"], "RollbackSuccessful")
        self.assertEqual(newest["rollback"]["percentage_complete"], 50)
        self.wait_status(lambda status: self.versions(status) == [1, 1], "the group's own version again")

    def test_an_image_that_is_never_healthy_is_rolled_back(self):
        for version, status in (("v1", 200), ("v2", 500)):
            (self.folder / version).mkdir()
            (self.folder / version / "server.py").write_text(SERVER % status)
        command = f"{sys.executable} server.py"
        self.up("--set", "region.refresh_timeout=500s", "--set", "target_group.deregistration_delay=1s",
                "--set", "auto_scaling_group.health_check_grace_period=8s", "--app", command, cwd=self.folder / "v1")
        before = self.wait_settled()
        old = {one["id"] for one in self.in_service(before)}
        image = self.ok("image", "build", "--build", 2, "--from", self.folder / "v2", "--app", command).stdout.strip()
        done = self.sim("release", "--image", image, "--strategy", "refresh", "--min-healthy", 100, "--warmup", "1s",
                        "--auto-rollback", timeout=120)
        self.assertEqual(done.returncode, 10, done)
        self.assertIn("made no progress", done.stdout)
        self.assertEqual(harness.curl(self.status()["url"]).status, 200)
        after = self.wait_settled()
        self.assertEqual({one["id"] for one in self.in_service(after)}, old, "the old ones were not touched")

    def test_bad_input_is_refused_and_nothing_is_made(self):
        self.up()
        status = self.wait_settled()
        image = status["images"][0]["id"]
        for flags, says in ((["--min-healthy", "101"], "--min-healthy 101: a percentage from 0 to 100"),
                            (["--max-healthy", "50"], "--max-healthy 50"),
                            (["--max-healthy", "150"], "needs MinHealthyPercentage"),
                            (["--min-healthy", "20", "--max-healthy", "200"], "at most 100 apart"),
                            (["--checkpoints", "50,20"], "ascending"), (["--checkpoints", "x"], "--checkpoints x"),
                            (["--checkpoint-delay", "5s"], "needs CheckpointPercentages"),
                            (["--warmup", "soon"], "--warmup soon"), (["--bake-time", "3d"], "--bake-time 3d"),
                            (["--protected", "perhaps"], "--protected perhaps: Refresh, Ignore or Wait is right")):
            self.refused("release", "--image", image, "--strategy", "refresh", *flags, says=[says])
        self.refused("release", "--image", image, "--min-healthy", "50", says=["--min-healthy", "--strategy refresh"])
        self.assertEqual(self.status()["groups"][0]["launch_template_version"], "$Default")
        self.assertEqual(self.refreshes(), [])


# Healthy or not, as it was made.
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(%d)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


class RefreshPlain(Refresh, TierTest):
    pass


class RefreshNamespaces(Refresh, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
