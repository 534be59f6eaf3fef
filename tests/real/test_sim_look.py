"""Looking into a running tier: load with its figures, logs, a shell in an instance."""

import re
import unittest

import harness
from tier import TierTest


class Look:
    def test_load_is_counted_and_shared(self):
        self.up()
        self.wait_settled()
        self.assertIn("50 requests a second", self.ok("load", 50).stdout)
        load = self.wait_status(lambda now: now["load"] and now["load"]["finished"] >= 200, "200 requests have been answered")["load"]
        self.assertEqual((load["failed"], load["not_sent"], load["rate"]), (0, 0, 50))
        # Two nodes, each with a turn of its own: the shares differ by two at most, and by what is in flight.
        shares = list(load["by_host"].values())
        self.assertEqual(len(shares), 2)
        self.assertLessEqual(abs(shares[0] - shares[1]), 6, load)
        self.assertGreater(load["p99_seconds"], 0)
        self.ok("load", "off")
        one = self.wait_status(lambda now: now["load"]["rate"] == 0, "the load is off")["load"]["finished"]
        harness.eventually(lambda: self.status()["load"]["finished"] <= one + 5, "no request comes any more")

    def test_load_from_the_start_is_shown(self):
        up = self.up("--load", 20, detached=False)
        shown = up.wait_for(r"load (\d+)/s  answered (\d+)  failed \d+  p50 \S+ m?s  p99 \S+ m?s  ip-172", timeout=30)
        self.assertGreater(int(shown.group(2)), 0)

    def test_logs(self):
        self.up()
        status = self.wait_settled()
        for _ in range(8):
            self.page(status["url"])
        one = self.in_service(status)[0]
        harness.eventually(lambda: '"/"' in self.ok("logs", one["id"]).stdout, "its log has the requests")
        node = status["nodes"][0]["name"]
        harness.eventually(lambda: "GET http://" in self.ok("logs", node).stdout or None, "a node's log is its access log")
        follower = self.start("rr-sim", "logs", "-f", one["id"], "--state", self.state)
        follower.wait_for(r"healthz|GET")
        position = follower.position()
        connection = self.connect(status["nodes"][0]["zonal"])
        for _ in range(2):
            connection.get("/followed")
        follower.wait_for(r"/followed", since=position)
        self.ok("down")
        self.assertEqual(follower.wait(), 0, "it ends with the tier")

    def test_a_session(self):
        self.up()
        one = self.in_service(self.wait_settled())[0]
        environment = dict(line.split("=", 1) for line in self.ok("session", one["id"], "--", "env").stdout.splitlines() if "=" in line)
        self.assertEqual(environment["RR_INSTANCE_ID"], one["id"])
        self.assertEqual(environment["RR_ZONE"], one["zone"])
        done = self.sim("session", one["id"], "--", "sh", "-c", "exit 7")
        self.assertEqual(done.returncode, 7, done)
        shell = self.sim("session", one["id"], text_input="pwd\nexit 3\n")
        self.assertEqual(shell.returncode, 3, shell)
        self.assertRegex(shell.stdout, r"^/\S*\n")
        if self.ground == "namespaces":
            self.assertEqual(self.ok("session", one["id"], "--", "hostname").stdout.strip(), one["host_name"])


class LookPlain(Look, TierTest):
    pass


class LookNamespaces(Look, TierTest):
    ground = "namespaces"


class Seam(TierTest):
    def test_every_command_that_is_printed_can_be_pasted(self):
        up = self.up()
        self.wait_settled()
        printed = re.findall(r"rr-sim (?:status|az fail \S+|down)(?: --state \S+)", up.stdout)
        self.assertGreaterEqual(len(printed), 3, up)
        for line in printed:
            done = self.run_program(*line.split(), timeout=60)
            self.assertEqual(done.returncode, 0, done)
        self.assert_no_process_left()


if __name__ == "__main__":
    unittest.main()
