"""Zones and instances die, hang and come back, under load.

What is shown for each fault: the answers keep coming from what is left; what was lost is replaced where that is
possible; after the healing the group is balanced again, one a zone; and nothing is left over: no process, no descriptor.
"""

import unittest

import harness
from tier import TierTest, SPEED


class Faults:
    def test_a_zone_loses_power_and_heals(self):
        self.up()
        before = self.wait_settled()
        url = before["url"]
        lost = next(one for one in self.in_service(before) if one["zone"] == "eu-west-1b")
        node = next(one for one in before["nodes"] if one["zone"] == "eu-west-1b")
        done = self.ok("az", "fail", "eu-west-1b")
        self.assertIn("1 instance and its load-balancer node", done.stdout)
        self.assertIn("rr-sim az heal eu-west-1b --state " + self.state, done.stdout)
        harness.eventually(lambda: harness.process_state(lost["pid"]) in (None, "Z"), "the instance's process is gone")
        harness.eventually(lambda: harness.process_state(node["pid"]) in (None, "Z"), "the node's process is gone")

        replaced = self.wait_status(lambda now: self.by_zone(now) == {"eu-west-1a": 2, "eu-west-1b": 0},
                                    "two are in service in the other zone")
        self.assertEqual([one["target"] for one in replaced["faults"]], ["eu-west-1b"])
        self.assertFalse(next(n for n in replaced["nodes"] if n["zone"] == "eu-west-1b")["in_dns"])
        self.assertTrue(all(self.page(url)[1] == "c" * 40 for _ in range(4)))
        incident = self.wait_status(lambda now: now["incidents"][0]["time_to_replace"] and now["incidents"][0]["time_to_remove_node"],
                                    "all times of the incident are known")["incidents"][0]
        for key in ("time_to_detect", "time_to_replace", "time_to_remove_node"):
            # Two decimals: the document rounds both to milliseconds, and 50 times half a millisecond is 25.
            self.assertAlmostEqual(incident[key]["aws_seconds"], incident[key]["seconds"] * SPEED, delta=0.05)
        self.assertIn("power loss", self.ok("status").stdout)

        self.ok("az", "heal", "eu-west-1b")
        after = self.wait_settled()
        self.assertEqual(self.by_zone(after), {"eu-west-1a": 1, "eu-west-1b": 1})
        self.assertEqual(after["faults"], [])
        # Launch before terminate: the launch in b began before the termination in a.
        told = [one["description"] for one in after["activities"]]
        in_b = next(one["id"] for one in self.in_service(after) if one["zone"] == "eu-west-1b")
        launch = next(i for i, text in enumerate(told) if text.startswith("Launching") and in_b in text)
        self.assertTrue(any(text.startswith("Terminating") for text in told[launch:]), told)

    def test_a_zone_hangs_and_heals(self):
        self.up()
        before = self.wait_settled()
        done = self.ok("az", "fail", "eu-west-1a", "--mode", "hang")
        self.assertIn("hangs", done.stdout)
        self.wait_status(lambda now: self.by_zone(now)["eu-west-1b"] == 2, "two are in service in the other zone")
        gone = self.wait_status(lambda now: not next(n for n in now["nodes"] if n["zone"] == "eu-west-1a")["in_dns"],
                                "the frozen node is out of DNS")
        # A frozen node holds nobody new once it is out: every one of these is answered.
        self.assertEqual([self.page(gone["url"])[1] for _ in range(10)], ["c" * 40] * 10)
        self.ok("az", "heal", "eu-west-1a")
        self.assertEqual(self.by_zone(self.wait_settled()), {"eu-west-1a": 1, "eu-west-1b": 1})
        self.assertEqual(before["url"], self.status()["url"])

    def test_the_last_zone_standing(self):
        self.up()
        self.wait_settled()
        self.ok("az", "fail", "eu-west-1a")
        done = self.ok("az", "fail", "eu-west-1b")
        self.assertIn("eu-west-1b was the last zone standing", done.stdout)
        self.wait_status(lambda now: not any(one["pid"] for one in self.living(now)), "nothing runs")
        self.ok("az", "heal", "eu-west-1a")
        self.ok("az", "heal", "eu-west-1b")
        status = self.wait_settled()
        self.assertEqual(sorted(self.by_zone(status).values()), [1, 1])
        self.assertEqual(self.page(status["url"])[1], "c" * 40)

    def test_an_instance_is_killed(self):
        self.up()
        victim = self.in_service(self.wait_settled())[0]
        self.ok("instance", "fail", victim["id"][:8])
        status = self.wait_status(lambda now: len(self.in_service(now)) == 2 and now["settled"] and
                                  victim["id"] not in [one["id"] for one in self.in_service(now)], "it is replaced")
        self.assertEqual(self.by_zone(status), {"eu-west-1a": 1, "eu-west-1b": 1})
        self.assertIn(victim["id"], " ".join(one["description"] for one in status["activities"]))

    def test_an_instance_hangs_and_is_replaced(self):
        self.up()
        victim = self.in_service(self.wait_settled())[0]
        self.assertIn("hangs", self.ok("instance", "fail", victim["host_name"], "--mode", "hang").stdout)
        status = self.wait_status(lambda now: len(self.in_service(now)) == 2 and
                                  victim["id"] not in [one["id"] for one in self.in_service(now)], "it is replaced", 60)
        self.assertTrue(all(self.page(status["url"]) for _ in range(4)))
        self.wait_status(lambda now: victim["id"] not in [one["id"] for one in self.living(now)], "it has ended", 60)
        harness.eventually(lambda: harness.process_state(victim["pid"]) in (None, "Z"), "its process is gone")

    def test_an_instance_hangs_and_is_healed_in_time(self):
        # So slow that nobody notices: at the real pace two failed checks take twenty seconds.
        self.up("--set", "region.launch_time=0.5", speed=1)
        victim = self.in_service(self.wait_settled(60))[0]
        self.ok("instance", "fail", victim["id"], "--mode", "hang")
        harness.eventually(lambda: harness.process_state(victim["pid"]) == "T", "it is frozen")
        self.ok("instance", "heal", victim["id"])
        harness.eventually(lambda: harness.process_state(victim["pid"]) in ("S", "R"), "it runs")
        self.refused("instance", "heal", victim["id"], code=1, says=[victim["id"]])

    def test_scaling_out_and_in(self):
        self.up()
        self.wait_settled()
        self.ok("scale", 4)
        status = self.wait_status(lambda now: len(self.in_service(now)) == 4, "four are in service")
        self.assertEqual(self.by_zone(status), {"eu-west-1a": 2, "eu-west-1b": 2})
        self.ok("scale", 2)
        status = self.wait_settled()
        self.assertEqual(self.by_zone(status), {"eu-west-1a": 1, "eu-west-1b": 1})
        self.assertEqual(len([one for one in status["instances"] if one["pid"]]), 2)

    def test_cycles_under_load_leave_nothing_behind(self):
        cycles = 100 if harness.long_run() else 5
        self.up("--load", 30)
        self.wait_settled()
        pid = self.rr_sim_pid()
        counts = []
        for number in range(cycles):
            zone = "eu-west-1b" if number % 2 == 0 else "eu-west-1a"
            other = "eu-west-1a" if number % 2 == 0 else "eu-west-1b"
            self.ok("az", "fail", zone)
            self.wait_status(lambda now: self.by_zone(now)[other] == 2, f"cycle {number}: replaced in {other}", 60)
            self.ok("az", "heal", zone)
            status = self.wait_settled(60)
            self.assertEqual(self.by_zone(status), {"eu-west-1a": 1, "eu-west-1b": 1})
            ours = [one for one in harness.marked_processes(self.mark) if "rr-webapp" in one[1].split()[0]]
            wanted = {one["pid"] for one in self.in_service(status)}
            harness.eventually(lambda: len([one for one in harness.marked_processes(self.mark)
                                            if one[1].split()[0].endswith("rr-webapp")]) <= 2,
                               f"cycle {number}: no orphan: {ours}, in service {wanted}")
            counts.append(len(harness.open_descriptors(pid)))
        load = self.status()["load"]
        self.assertGreater(load["finished"], 30 * cycles)
        self.assertEqual(load["not_sent"], 0)
        # Requests come and go while descriptors are counted: the load's own connections are the margin.
        self.assertLessEqual(min(counts[len(counts) // 2:]), min(counts[:len(counts) // 2 + 1]) + 10, counts)


class FaultsPlain(Faults, TierTest):
    pass


class FaultsNamespaces(Faults, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
