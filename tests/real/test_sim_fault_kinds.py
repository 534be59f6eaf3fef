"""Every kind of fault that `rr-sim fault` does, on both grounds: what a client or the load balancer sees while it is in
force, that it ends (by itself, by heal, or with rr-sim's own death not at all), and that nothing pretends.
"""

import json
import os
import re
import time
import unittest

import harness
from tier import PAGE, TierTest


class FaultKinds:
    def up_still(self):
        """A tier in which nobody is replaced, so that what is wrong with an instance can be watched."""
        self.up("--set", "target_group.health_check.healthy_threshold=2")
        status = self.wait_settled()
        self.ok("group", "suspend", "ReplaceUnhealthy,AZRebalance")
        self.url = status["url"]
        return sorted(self.in_service(status), key=lambda one: one["zone"])

    def faults(self):
        return json.loads(self.ok("faults", "--json").stdout)["faults"]

    def health(self, instance):
        one = next(one for one in self.status()["instances"] if one["id"] == instance["id"])
        return one["target_health"]["state"], one["target_health"]["reason"]

    def wait_health(self, instance, state, *reasons):
        def holds():
            now = self.health(instance)
            return now[0] == state and (not reasons or now[1] in reasons)
        harness.eventually(holds, f"{instance['id']} is {state}: {reasons}", 30)

    def ask(self, url):
        """(status, host or None, seconds) of one answer."""
        began = time.monotonic()
        answer = harness.curl(url)
        page = PAGE.search(answer.text)
        return answer.status, page.group(1) if page else None, time.monotonic() - began

    def node(self, zone):
        return next(one for one in self.status()["nodes"] if one["zone"] == zone)

    def test_links(self):
        a, b = self.up_still()
        # What the instance sends comes later; 80 ms is well below what a health check waits for.
        self.ok("fault", "latency", a["id"], "--amount", "80ms")
        self.assertEqual([(one["kind"], one["target"], one["amount"]) for one in self.faults()], [("latency", a["id"], "80ms")])

        def slow():
            answers = [self.ask(self.url) for _ in range(2)]
            return all(took >= 0.08 for _, host, took in answers if host == a["host_name"]) and \
                any(host == a["host_name"] for _, host, _ in answers)
        harness.eventually(slow, "answers of that instance take 80 ms", 20)
        self.ok("fault", "loss", f"lb-eu-west-1a/{a['id']}", "--for", "90s")
        listed = self.ok("faults").stdout.splitlines()
        self.assertRegex(listed[0], r"^FAULT +AMOUNT +TARGET +SINCE +ENDS$")
        self.assertRegex(listed[1], rf"^latency +80ms +{a['id']} +\d\d:\d\d:\d\d until healed$")
        self.assertRegex(listed[2], rf"^loss +10 % +lb-eu-west-1a/{a['id']} \d\d:\d\d:\d\d \d+s left$")
        self.assertLessEqual(max(map(len, listed)), 80, listed)
        self.ok("heal", "--all")
        self.assertEqual(self.faults(), [])

        # A lost piece is late by 200 ms; both faults are of the node's links to everybody.
        self.ok("fault", "jitter", "lb-eu-west-1a", "--amount", "20ms")
        self.ok("fault", "loss", "lb-eu-west-1a", "--amount", "15%")
        lossy = f"http://{self.node('eu-west-1a')['zonal']}/"
        harness.eventually(lambda: max(self.ask(lossy)[2] for _ in range(4)) >= 0.2, "something had to be sent again", 20)
        self.ok("heal", "lb-eu-west-1a")
        self.assertEqual(self.faults(), [])

        # One node cannot reach one target; the other node can.
        self.ok("fault", "down", f"lb-eu-west-1a/{a['host_name']}")
        zonal = {zone: f"http://{self.node(zone)['zonal']}/" for zone in ("eu-west-1a", "eu-west-1b")}
        harness.eventually(lambda: {self.ask(zonal["eu-west-1a"])[1] for _ in range(6)} == {b["host_name"]},
                           "that node leaves it alone", 20)
        self.assertIn(a["host_name"], {self.ask(zonal["eu-west-1b"])[1] for _ in range(4)})
        self.assertEqual(self.health(a)[0], "healthy")  # one node that says so is enough
        self.ok("heal", "--all")
        self.wait_health(a, "healthy")
        self.ok("fault", "reset_peer", a["id"])
        self.wait_health(a, "unhealthy")
        self.ok("heal", a["id"])
        self.wait_health(a, "healthy")

        # Silence ends by itself.
        self.ok("fault", "blackhole", b["id"], "--for", "2s")
        self.assertLessEqual(self.faults()[0]["remaining_seconds"], 2)
        self.wait_health(b, "unhealthy", "Target.Timeout")
        self.wait_health(b, "healthy")
        self.assertEqual(self.faults(), [])
        self.ok("fault", "gray", "eu-west-1b", "--amount", "100%")
        self.wait_health(b, "unhealthy")
        self.ok("heal", "eu-west-1b")
        self.wait_health(b, "healthy")

    def test_programs(self):
        a, b = self.up_still()
        self.ok("fault", "error-answers", a["id"])
        harness.eventually(lambda: sorted(self.ask(self.url)[0] for _ in range(4)) == [200, 200, 500, 500],
                           "every other answer is an error", 20)
        self.assertEqual(self.health(a)[0], "healthy")
        self.ok("fault", "health-failure", a["id"])
        self.wait_health(a, "unhealthy", "Target.ResponseCodeMismatch")
        self.ok("heal", a["id"])
        self.wait_health(a, "healthy")
        harness.eventually(lambda: [self.ask(self.url)[0] for _ in range(4)] == [200] * 4, "no errors any more")

        self.ok("fault", "slow", b["id"], "--amount", "0.08")
        harness.eventually(lambda: max(self.ask(self.url)[2] for _ in range(4)) >= 0.08, "it answers late", 20)
        self.ok("heal", b["id"])

        self.ok("fault", "flapping", b["id"], "--amount", "400ms")
        for state in (("T",), ("S", "R"), ("T",)):
            harness.eventually(lambda: harness.process_state(b["pid"]) in state, f"it is {state}", 10)
        self.ok("heal", b["id"])
        harness.eventually(lambda: harness.process_state(b["pid"]) in ("S", "R"), "it runs")

    def test_launches_and_the_control_plane(self):
        self.up()
        self.wait_settled()
        url = self.status()["url"]
        self.ok("fault", "outage", "control-plane")
        self.refused("scale", 4, code=1, says=["ServiceUnavailable"])
        self.assertEqual(self.page(url)[1], "c" * 40)
        self.ok("heal", "control-plane")
        self.ok("fault", "launches-refused", "eu-west-1b")
        self.ok("scale", 4)
        status = self.wait_status(lambda now: self.by_zone(now) == {"eu-west-1a": 3, "eu-west-1b": 1}, "all are in the other zone")
        self.assertIn("sufficient t3.micro capacity", " ".join(one["status_message"] for one in status["activities"]))
        self.ok("heal", "--all")

    def test_boots(self):
        self.up()
        self.wait_settled()
        self.ok("group", "suspend", "ReplaceUnhealthy,AZRebalance")
        self.ok("fault", "boot-failure", "eu-west-1a")
        self.ok("fault", "slow-boot", "eu-west-1b", "--amount", "1s")
        self.ok("scale", 4)

        def new_ones(now):
            return [one for one in self.living(now) if one["launch_template_version"] and one not in self.in_service(now)]
        status = self.wait_status(lambda now: self.by_zone(now) == {"eu-west-1a": 1, "eu-west-1b": 2} and new_ones(now),
                                  "the slow one is in service, the other is not")
        late = next(one for one in new_ones(status) if one["zone"] == "eu-west-1a")
        self.assertNotEqual(late["pid"], 0)  # the machine runs
        self.ok("heal", "--all")

    def test_nodes_and_zones(self):
        self.up()
        self.wait_settled()
        url = self.status()["url"]
        self.ok("fault", "node-loss", "lb-eu-west-1b")
        self.wait_status(lambda now: not next(n for n in now["nodes"] if n["zone"] == "eu-west-1b")["in_dns"], "it is out of DNS")
        self.assertEqual([self.page(url)[1] for _ in range(4)], ["c" * 40] * 4)
        self.ok("heal", "lb-eu-west-1b")
        self.wait_settled()

        self.ok("zonal-shift", "eu-west-1b")
        self.refused("zonal-shift", "eu-west-1a", code=1, says=["ConflictException", "eu-west-1b"])
        self.assertIn("zonal shift away from eu-west-1b", self.ok("faults").stdout)
        other = {one["host_name"] for one in self.in_service(self.status()) if one["zone"] == "eu-west-1a"}
        harness.eventually(lambda: {self.page(url)[0] for _ in range(4)} == other, "only the other zone's answer", 20)
        self.ok("zonal-shift", "--cancel")
        harness.eventually(lambda: len({self.page(url)[0] for _ in range(4)}) == 2, "both answer again", 20)

        if self.ground == "plain":
            self.refused("fault", "partition", "eu-west-1b", code=1, says=["the plain ground cannot do partition", "--ground namespaces"])
            return
        self.ok("fault", "partition", "eu-west-1b")
        self.wait_status(lambda now: self.by_zone(now)["eu-west-1a"] == 2, "two are in service in the other zone", 60)
        self.assertEqual([self.page(url)[1] for _ in range(4)], ["c" * 40] * 4)
        self.ok("heal", "eu-west-1b")
        self.wait_settled(60)

    def test_faults_outlive_rr_sim_and_not_the_tier(self):
        self.up()
        stays = next(one for one in self.in_service(self.wait_settled()) if one["zone"] == "eu-west-1a")
        self.ok("fault", "launches-refused", "eu-west-1b", "--for", "1h")
        self.ok("fault", "power-loss", "eu-west-1b")
        self.ok("fault", "hang", stays["id"])  # ends with its process
        self.kill_rr_sim(self.rr_sim_pid())
        self.up()
        status = self.wait_status(lambda now: self.by_zone(now) == {"eu-west-1a": 2, "eu-west-1b": 0}, "they run in the other zone")
        self.assertEqual([one["kind"] for one in status["faults"]], ["launches-refused", "power-loss"])
        self.assertGreater(status["faults"][0]["remaining_seconds"], 3000)
        self.ok("down")
        self.assertFalse(os.path.exists(os.path.join(self.state, "faults.json")))


class FaultKindsPlain(FaultKinds, TierTest):
    def test_the_documentation_shows_the_table(self):
        page = harness.ROOT / "docs" / "faults.md"  # between the marks, word for word
        shown = re.search(r"<!-- kinds -->\n```text\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL).group(1)
        printed = self.ok("fault", "--help").stdout.split("\nKinds:\n")[1].split("\n\nFlags:")[0] + "\n"
        self.assertEqual(shown, printed, "docs/faults.md is out of date: put in what `rr-sim fault --help` prints")

    def test_what_cannot_be_is_refused_in_one_line(self):
        self.refused("fault", "hang", "eu-west-1a", code=3, says=["no tier runs"])
        self.refused("fault", "hnag", "eu-west-1a", says=["is hang meant?"])
        self.refused("fault", "gray", "eu-west-1a", "--amount", "0", says=["--amount 0: 1 % to 100 % is right for gray"])
        self.refused("fault", "hang", "eu-west-1a", "--amount", "1", says=["hang has no amount"])
        self.refused("heal", says=["TARGET or --all"])
        self.up()
        id = self.in_service(self.wait_settled())[0]["id"]
        self.refused("fault", "hang", "eu-west-1z", says=["eu-west-1z", "eu-west-1a", "lb-eu-west-1a", "control-plane"])
        self.refused("fault", "latency", f"lb-x/{id}", says=["lb-x", "lb-eu-west-1a"])
        self.refused("fault", "hang", "eu-west-1a", "--for", "soon", says=["--for soon"])
        self.refused("fault", "crash", id, "--for", "5s", code=1, says=["crash is over at once"])
        self.refused("fault", "power-loss", id, code=1, says=["power-loss cannot be done to the instance"])
        self.refused("heal", "--all", code=1, says=["no fault"])
        self.refused("zonal-shift", "eu-west-1a", "--for", "1s", says=["1m to 72h"])
        self.refused("zonal-shift", "--cancel", code=1, says=["no zonal shift"])
        self.ok("fault", "slow", id)
        self.refused("fault", "slow", id, code=1, says=["this fault already"])


class FaultKindsNamespaces(FaultKinds, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
