"""What a person does to the Auto Scaling group, on real processes: an instance is taken out of service and brought back, one
waits for a hook, processes are suspended; and the group does by itself what an alarm, a policy or the clock says.
"""

import json
import unittest

from tier import TierTest


class GroupCommands:
    def lifecycle(self, instance):
        return next(one["lifecycle"] for one in self.status()["instances"] if one["id"] == instance)

    def wait_lifecycle(self, instance, state):
        self.wait_status(lambda status: any(one["id"] == instance and one["lifecycle"] == state for one in status["instances"]),
                         f"{instance} is {state}")

    def requests_served_by(self, url, count=8):
        return {self.page(url)[0] for _ in range(count)}

    def test_standby_detach_and_protection(self):
        self.up("--set", "auto_scaling_group.min_size=1")
        status = self.wait_settled()
        first, second = self.in_service(status)
        self.ok("instance", "standby", first["id"])
        self.wait_lifecycle(first["id"], "Standby")
        self.assertEqual(self.status()["groups"][0]["desired_capacity"], 1)
        self.assertEqual(self.requests_served_by(status["url"]), {second["host_name"]})
        self.refused("instance", "standby", second["id"], says=["below min value 1"])
        self.refused("instance", "return", second["id"], says=["not in Standby"])
        self.ok("instance", "return", first["id"])
        self.wait_settled()
        self.assertEqual(self.requests_served_by(status["url"], 20), {first["host_name"], second["host_name"]})

        self.ok("instance", "detach", first["id"])
        self.wait_lifecycle(first["id"], "Detached")
        self.assertNotEqual(next(one["pid"] for one in self.status()["instances"] if one["id"] == first["id"]), 0,
                            "it runs on")
        self.ok("instance", "attach", first["id"])
        self.wait_settled()
        self.ok("instance", "protect", first["id"])
        self.ok("instance", "protect", second["id"])
        self.ok("scale", 1)
        self.wait_status(lambda status: any("protected from scale-in" in one["description"] for one in status["activities"]),
                         "the history says that nobody may be ended")
        self.assertEqual(len(self.in_service(self.status())), 2)
        self.ok("instance", "protect", second["id"], "--off")
        self.wait_lifecycle(second["id"], "Terminated")
        history = " ".join(self.ok("group", "activities").stdout.split())
        self.assertIn("was moved to standby in response to a user request, shrinking the capacity from 2 to 1.", history)

    def test_hooks_processes_and_health(self):
        self.up()
        status = self.wait_settled()
        self.ok("hook", "put", "warm-cache", "launching", "--heartbeat", "2h")
        self.refused("hook", "put", "x", "sleeping", says=["launching or terminating"])
        self.refused("hook", "put", "x", "launching", "--heartbeat", "5s", says=["HeartbeatTimeout", "30 to 7200"])
        self.ok("scale", 3)
        waiting = self.wait_status(lambda status: any(one["waits_for"] for one in status["instances"]), "one waits for it")
        instance = next(one["id"] for one in waiting["instances"] if one["waits_for"])
        self.assertEqual(self.lifecycle(instance), "Pending:Wait")
        self.ok("hook", "heartbeat", "warm-cache", instance)
        self.refused("hook", "complete", "other", instance, says=["No active Lifecycle Action"])
        self.ok("hook", "complete", "warm-cache", instance)
        self.wait_lifecycle(instance, "InService")
        self.ok("hook", "delete", "warm-cache")

        self.refused("group", "suspend", "Everything", says=["Everything", "AZRebalance"])
        self.ok("group", "suspend", "ReplaceUnhealthy,AZRebalance")
        self.assertEqual(self.status()["groups"][0]["suspended_processes"], ["AZRebalance", "ReplaceUnhealthy"])
        victim = self.in_service(status)[0]["id"]
        self.refused("instance", "health", victim, "tired", says=["healthy or unhealthy"])
        self.ok("instance", "health", victim, "unhealthy")
        marked = next(one for one in self.status()["instances"] if one["id"] == victim)
        self.assertEqual((marked["lifecycle"], marked["health_status"]), ("InService", "Unhealthy"))
        self.ok("group", "resume")
        self.wait_lifecycle(victim, "Terminated")
        other = self.in_service(self.wait_settled())[0]["id"]
        self.ok("instance", "terminate", other, "--decrement")
        self.assertEqual(self.status()["groups"][0]["desired_capacity"], 2)
        self.wait_settled()

    def test_the_group_is_updated(self):
        self.up()
        before = self.wait_settled()
        self.refused("group", "update", says=["--set KEY=VALUE"])
        self.refused("group", "update", "--set", "min_size", says=["KEY=VALUE is right"])
        self.refused("group", "update", "--set", "color=red", says=["color: cannot be changed", "min_size"])
        self.refused("group", "update", "--set", "name=other", says=["name: cannot be changed"])
        self.refused("group", "update", "--set", "desired_capacity=3", says=["rr-sim scale"])
        self.refused("group", "update", "--set", "min_size=-1", says=["min_size=-1", "0 to 100"])
        self.refused("group", "update", "--set", "min_size=9", says=["ValidationError", "min bound, 9"])
        self.refused("group", "update", "--set", "launch_template_version=7", code=1, says=["VersionNotFound"])
        self.assertEqual(self.status()["groups"], before["groups"])
        done = self.ok("group", "update", "--set", "min_size=3", "--set", "max_size=5", "--set", "termination_policies=[OldestInstance]",
                       "--set", "launch_template_version=1")
        self.assertIn("3 desired", done.stdout)
        group = self.wait_status(lambda now: len(self.in_service(now)) == 3, "the minimum is kept")["groups"][0]
        self.assertEqual((group["min_size"], group["max_size"], group["launch_template_version"]), (3, 5, "1"))

    def test_a_policy_follows_the_load(self):
        """48 requests in a period of 60 s / 50, so 24 for each of two: with 10 a target the group grows to its maximum."""
        self.up("--load", 40)
        self.wait_settled()
        self.refused("policy", "put", "track", "--target", "0", says=["TargetValue"])
        self.refused("policy", "put", "track", says=["--target", "--steps", "--by"])
        self.ok("policy", "put", "track", "--target", 10)
        alarms = json.loads(self.ok("alarm", "list", "--json").stdout)
        self.assertEqual([alarm["name"].split("-")[2] for alarm in alarms], ["AlarmHigh", "AlarmLow"])
        grown = self.wait_status(lambda status: status["groups"][0]["desired_capacity"] == 4, "the group has grown")
        self.assertIn("in state ALARM triggered policy track changing the desired capacity from 2 to 4.",
                      " ".join(one["cause"] for one in grown["activities"]))
        self.wait_status(lambda status: len(self.in_service(status)) == 4, "four are in service")
        self.ok("policy", "delete", "track")
        self.assertEqual(self.ok("alarm", "list").stdout, "")

    def test_alarms_and_the_clock(self):
        self.up()
        self.wait_settled()
        self.ok("alarm", "put", "few", "HealthyHostCount", "2", "--comparison", "LessThanThreshold")
        self.refused("alarm", "put", "few", "Temperature", "2", says=["Temperature", "HealthyHostCount"])
        self.refused("alarm", "put", "few", "RequestCount", "2", "--periods", "0", says=["EvaluationPeriods 0"])
        self.wait_status(lambda status: status["alarms"][0]["state"] == "OK", "the tier's own metric is evaluated")
        self.ok("policy", "put", "more", "--alarm", "few", "--by", "1")
        self.ok("alarm", "set", "few", "ALARM")
        self.assertEqual(self.status()["groups"][0]["desired_capacity"], 3)
        self.refused("alarm", "set", "none", "OK", code=1, says=["ResourceNotFound"])
        self.refused("schedule", "put", "x", "--cron", "every day", "--desired", "2", says=["five fields"])
        self.refused("schedule", "put", "x", "--at", "2020-01-01T00:00:00Z", "--desired", "2", says=["in the past"])
        self.ok("schedule", "put", "night", "--cron", "0 22 * * *", "--min", "2", "--desired", "2")
        self.assertRegex(self.ok("schedule", "list").stdout, r"^night  next \d{4}-\d\d-\d\dT22:00:00\S*Z  0 22 \* \* \*\n$")
        self.ok("schedule", "delete", "night")


class GroupPlain(GroupCommands, TierTest):
    pass


class GroupNamespaces(GroupCommands, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
