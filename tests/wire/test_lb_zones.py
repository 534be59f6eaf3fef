"""Zones: whom a node gives its requests to, and when it is in DNS.

One node that stands in zone a, with targets in a and b. Without cross-zone it knows its own zone only, and answers 503
when nobody is there. A shifted zone's targets get nothing, and the node of that zone accepts nobody while what it has
goes on; the same when its zone has too few healthy targets. A target that was deregistered still gets requests until
the nodes have heard of it. A group that no rule forwards to is not checked. "Leaving DNS" is, on one machine, ceasing
to accept.
"""

import datetime

import harness
from balancer import Balancer, LoadBalancerTest

FAR = "2100-01-01T00:00:00Z"


class ZonedTest(LoadBalancerTest):
    """A node in zone a, and what it is told."""

    def setUp(self):
        super().setUp()
        self.lb = Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0"), listens=False)
        self.generation = 0

    def put(self, targets, zone="a", group=None, spare=None, **balancer):
        """The whole configuration. targets: {zone: [target]}; spare: targets of a group that nobody forwards to."""
        def in_group(name, members, **settings):
            check = {"path": "/healthz", "interval": 0.1, "timeout": 2, "unrestricted": True, "healthy_threshold": 2,
                     "unhealthy_threshold": 2}
            specs = [{"address": one.text, "zone": place} for place, some in members.items() for one in some]
            return {"name": name, "health_check": check, "targets": specs, **settings}
        groups = [in_group("web", targets, **(group or {}))]
        if spare:
            groups.append(in_group("spare", spare))
        self.generation += 1
        listener = {"name": "http", "port": 80, "sockets": ["127.0.0.1:0"],
                    "default_action": {"type": "forward", "target_groups": ["web"]}}
        tier = {"name": "tier", "listeners": [listener], "target_groups": groups, **balancer}
        self.lb.admin("/desired", "PUT", {"generation": self.generation, "zone": zone, "load_balancers": [tier]})

    def serve(self, targets, **settings):
        self.put(targets, **settings)
        self.lb.wait_for_states({one.text: "healthy" for some in targets.values() for one in some})
        self.wait_until_in_dns(True, "healthy")

    def observed(self):
        return self.lb.observed()["load_balancers"][0]

    @property
    def socket(self):
        return self.observed()["listeners"][0]["sockets"][0]

    def wait_until_in_dns(self, expected, reason):
        def reached():
            dns = self.observed()["dns"]
            return (dns["in_dns"], dns["reason"], self.socket["accepting"]) == (expected, reason, expected)
        harness.eventually(reached, f"in DNS: {expected}, {reason}; it is {self.observed()['dns']}")

    def answers(self, count):
        return [harness.fetch(self.socket["address"]).text for _ in range(count)]

    def waiting_client(self):
        """A client that came while nobody accepts: its connection waits in the socket's queue."""
        client = self.connect(self.socket["address"])
        client.request("GET", "/waits")
        return client


class Zones(ZonedTest):
    def test_without_cross_zone_a_node_spreads_within_its_own(self):
        near = [self.target(name=name) for name in ("a1", "a2")]
        far = self.target(name="b1")
        self.serve({"a": near, "b": [far]}, group={"cross_zone": False})
        self.assertEqual(sorted(self.answers(10)), ["a1"] * 5 + ["a2"] * 5, "in strict turn")
        self.assertEqual(far.requests(), [])
        far.wait_for_checks(1)  # every node checks every target
        self.put({"a": near, "b": [far]})
        # Three targets in turn: 9 requests are 3 for each.
        self.assertEqual(sorted(self.answers(9)), ["a1"] * 3 + ["a2"] * 3 + ["b1"] * 3, "cross-zone is on again")

    def test_without_cross_zone_an_empty_zone_is_answered_503(self):
        far = self.target(name="b1")
        self.serve({"b": [far]}, group={"cross_zone": False})
        self.assertEqual(harness.fetch(self.socket["address"]).status, 503)
        self.assertEqual(far.requests(), [], "nobody of the other zone is asked")
        self.assertTrue(self.observed()["dns"]["in_dns"], "and the node stays")

    def test_a_shifted_zones_targets_get_nothing(self):
        near, far = self.target(name="a1"), self.target(name="b1")
        both = {"a": [near], "b": [far]}
        self.serve(both)
        self.put(both, zonal_shift_enabled=True, zonal_shift={"zone": "b", "expires": FAR})
        self.assertEqual(set(self.answers(6)), {"a1"})
        self.assertEqual(far.requests(), [])
        seen = self.lb.targets()
        self.assertEqual([(seen[one.text]["state"], seen[one.text]["administrative_override"]) for one in (near, far)],
                         [("healthy", "no_override"), ("healthy", "zonal_shift_active")])
        zones = {one["zone"]: (one["in_dns"], one["reason"]) for one in self.observed()["dns"]["zones"]}
        self.assertEqual(zones, {"a": (True, "healthy"), "b": (False, "zonal_shift")})
        self.put(both, zonal_shift_enabled=True)
        self.assertEqual(sorted(self.answers(6)), ["a1"] * 3 + ["b1"] * 3)

    def test_the_node_of_a_shifted_zone_accepts_nobody_until_the_shift_expires(self):
        near, far = self.target(name="a1"), self.target(name="b1")
        both = {"a": [near], "b": [far]}
        self.serve(both)
        with self.connect(self.socket["address"]) as kept:
            kept.get("/before")
            self.put(both, zonal_shift_enabled=True, zonal_shift={"zone": "a", "expires": FAR})
            self.wait_until_in_dns(False, "zonal_shift")
            waiting = self.waiting_client()
            self.assertEqual({kept.get().text for _ in range(4)}, {"b1"}, "what is connected goes on")
            self.assertEqual(far.requests("/waits"), [])
            soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
            self.put(both, zonal_shift_enabled=True,
                     zonal_shift={"zone": "a", "expires": soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
            self.assertEqual(waiting.read_response().status, 200, "it is accepted when the shift has expired")
            self.wait_until_in_dns(True, "healthy")
        self.assertEqual(sorted(self.answers(6)), ["a1"] * 3 + ["b1"] * 3)

    def test_too_few_healthy_targets_take_the_node_out_of_dns_and_back(self):
        near = [self.target(name=name) for name in ("a1", "a2", "a3")]
        far = self.target(name="b1")
        # Two of three are 66 %, one of three 33 %.
        self.serve({"a": near, "b": [far]},
                   group={"cross_zone": False, "dns_failover": {"minimum_healthy_targets_percentage": 60}})
        near[0].health_status = 500
        self.lb.wait_for_states({near[0].text: "unhealthy"})
        self.wait_until_in_dns(True, "healthy")
        with self.connect(self.socket["address"]) as kept:
            kept.get("/before")
            near[1].health_status = 500
            self.wait_until_in_dns(False, "too_few_healthy_targets")
            self.assertEqual(self.observed()["dns"]["target_group"], "web")
            waiting = self.waiting_client()
            self.assertEqual({kept.get().text for _ in range(3)}, {"a3"}, "routing is another threshold")
            self.assertEqual(near[2].requests("/waits"), [])
            near[1].health_status = 200
            self.assertEqual(waiting.read_response().status, 200)
            self.wait_until_in_dns(True, "healthy")

    def test_when_every_zone_is_bad_all_stay(self):
        near, far = self.target(name="a1"), self.target(name="b1")
        self.serve({"a": [near], "b": [far]}, group={"cross_zone": False})
        near.health_status = 500
        self.wait_until_in_dns(False, "too_few_healthy_targets")
        far.health_status = 500
        self.wait_until_in_dns(True, "no_zone_is_healthy")
        self.assertEqual(self.answers(2), ["a1", "a1"], "and the node fails open within its zone")

    def test_a_deregistered_target_gets_requests_until_the_nodes_have_heard_of_it(self):
        staying, leaving = self.target(name="stays"), self.target(name="leaves")
        self.serve({"a": [staying, leaving]}, propagation_delay=300)
        self.put({"a": [staying]}, propagation_delay=300)
        self.assertEqual(self.lb.targets()[leaving.text]["state"], "draining", "the API shows it at once")
        self.assertEqual(sorted(self.answers(6)), ["leaves"] * 3 + ["stays"] * 3)
        self.assertEqual(self.lb.observed()["drains"], [], "and its work is not at its end")

    def test_after_the_propagation_delay_it_gets_nothing_and_has_drained(self):
        staying, leaving = self.target(name="stays"), self.target(name="leaves")
        self.serve({"a": [staying, leaving]}, propagation_delay=0.3)
        with self.connect(self.socket["address"]) as client:
            for _ in range(2):
                client.get()
            self.put({"a": [staying]}, propagation_delay=0.3)
            harness.eventually(lambda: self.lb.observed()["drains"], "its work has ended")
            self.assertEqual({client.get().text for _ in range(4)}, {"stays"})
        drain, = self.lb.observed()["drains"]
        self.assertEqual((drain["id"], drain["outcome"], drain["requests_cut"]), (leaving.text, "completed", 0))
        leaving.wait_for(lambda t: t.open_connections == 0, "no connection to it is kept")

    def test_a_group_that_nobody_forwards_to_is_unused_and_not_checked(self):
        web, spare = self.target(name="web"), self.target(name="spare")
        self.serve({"a": [web]}, spare={"a": [spare]})
        web.wait_for_checks(len(web.health_requests) + 3)
        seen = self.lb.targets(1)[spare.text]
        self.assertEqual((seen["state"], seen["reason"]), ("unused", "Target.NotInUse"))
        self.assertEqual((spare.accepted, spare.health_requests), (0, []), "not even a connection")

    def test_a_target_in_a_zone_that_is_not_enabled_is_unused(self):
        near, far = self.target(name="a1"), self.target(name="b1")
        self.put({"a": [near], "b": [far]}, availability_zones=["a"])
        self.lb.wait_for_states({near.text: "healthy"})
        near.wait_for_checks(len(near.health_requests) + 3)
        seen = self.lb.targets()[far.text]
        self.assertEqual((seen["state"], seen["reason"]), ("unused", "Target.NotInUse"))
        self.assertEqual(far.health_requests, [])
        self.assertEqual(set(self.answers(4)), {"a1"})
        self.put({"a": [near], "b": [far]}, availability_zones=["a", "b"])
        self.lb.wait_for_states({far.text: "healthy"})
        self.assertEqual(sorted(self.answers(4)), ["a1"] * 2 + ["b1"] * 2)


class Algorithms(ZonedTest):
    """What chooses among them."""

    def test_least_outstanding_requests_pass_a_busy_target_by(self):
        busy = self.target(lambda e: e.hold() and "held" if e.request.path == "/hold" else "busy", name="busy")
        idle = self.target(lambda e: e.hold() and "held" if e.request.path == "/hold" else "idle", name="idle")
        self.serve({"a": [busy, idle]}, group={"algorithm": "least_outstanding_requests"})
        client = self.connect(self.socket["address"])
        client.request("GET", "/hold")
        harness.eventually(lambda: busy.requests() or idle.requests(), "one of them has a request")
        other = "idle" if busy.requests() else "busy"
        self.assertEqual(self.answers(6), [other] * 6)

    def test_a_target_in_slow_start_gets_a_growing_share(self):
        old, new = self.target(name="old"), self.target(name="new")
        slow = {"slow_start": 900, "unrestricted": True}
        self.serve({"a": [old]}, group=slow)
        self.serve({"a": [old, new]}, group=slow)
        # In 20 requests it has about 20 turns and earns 1 % of a request in each.
        self.assertLessEqual(self.answers(20).count("new"), 1)
        self.put({"a": [old, new]})
        self.assertEqual(self.answers(20).count("new"), 10, "without slow start its share is whole")

    def test_an_anomalous_target_is_shown_and_its_share_reduced(self):
        good = [self.target(name=f"good{i}") for i in range(3)]
        bad = self.target(lambda e: e.respond(500, "bad"), name="bad")
        self.serve({"a": [*good, bad]}, group={"algorithm": "weighted_random", "anomaly_mitigation": True})
        with self.connect(self.socket["address"]) as client:
            def mitigated():
                for _ in range(20):
                    client.get()
                return self.lb.targets()[bad.text]["anomaly_detection"] == {"result": "anomalous",
                                                                            "mitigation_in_effect": "yes"}
            harness.eventually(mitigated, "the target that fails is found", timeout=30)
        self.assertEqual({self.lb.targets()[one.text]["anomaly_detection"]["result"] for one in good}, {"normal"})
        self.assertEqual(self.lb.targets()[bad.text]["state"], "healthy", "health checks are another matter")
