"""Changes of a part of a running balancer's configuration.

Targets, attributes, rules, listeners and a zonal shift are changed one by one over the admin interface, under connections
that must not notice; what is wrong is refused with status, code, field and value, and changes nothing; two who change
the same thing are told apart by ETag and If-Match; and where a control plane owns the configuration nobody else changes it.
"""

import json
import socket

import harness
from balancer import Balancer, LoadBalancerTest

HEALTH = {"path": "/healthz", "interval": 0.1, "timeout": 2, "unrestricted": True, "healthy_threshold": 2,
          "unhealthy_threshold": 2}


def forward(group):
    return {"type": "forward", "target_groups": [group]}


def fixed(status):
    return {"type": "fixed-response", "status": status}


def path_rule(priority, path, action):
    return {"priority": priority, "conditions": [{"field": "path-pattern", "values": [path]}], "action": action}


class Taken:
    """A socket that listens, as text."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        return "%s:%d" % self.socket.getsockname()

    def __exit__(self, *_):
        self.socket.close()


class Parts(LoadBalancerTest):
    WEB = "/load_balancers/app/target_groups/web"
    HTTP = "/load_balancers/app/listeners/http"

    def setUp(self):
        super().setUp()
        self.a, self.b = self.target(name="a"), self.target(name="b")
        self.lb = self.node(targets=[{"id": "i-a", "address": self.a.text, "zone": "a"}])
        self.wait_healthy("i-a")
        self.address = self.lb.observed()["load_balancers"][0]["listeners"][0]["sockets"][0]["address"]
        self.client = self.connect(self.address)
        self.assertEqual(self.client.get().text, "a")

    def node(self, targets=(), generation=0, **settings):
        lb = Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0"), listens=False)
        lb.admin("/desired", "PUT", {"generation": generation, "load_balancers": [
            {"name": "app", "unrestricted": True, "zonal_shift_enabled": True, **settings,
             "listeners": [{"name": "http", "sockets": ["127.0.0.1:0"], "default_action": forward("web")}],
             "target_groups": [{"name": "web", "health_check": HEALTH, "targets": list(targets)}]}]})
        return lb

    def wait_healthy(self, identity, state="healthy"):
        def reached():
            return self.lb.admin(f"{self.WEB}/targets/{identity}")["targets"][0]["state"] == state
        harness.eventually(reached, f"{identity} is {state}")

    def ask(self, method, path, body=None, headers=(), expect=200):
        content = b"" if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
        response = harness.fetch(self.lb.admin_address, path, method, headers, content)
        self.assertEqual(response.status, expect, response)
        return response

    def refuse(self, method, path, body, status, code, field=None, value=None):
        """The change is refused so, in both forms, and nothing has changed."""
        before = self.lb.admin("/config")
        answer = self.ask(method, path, body, expect=status).json()
        self.assertEqual([one["message"] for one in answer["details"]], answer["errors"])
        detail = answer["details"][0]
        self.assertEqual((detail.get("code"), detail.get("field"), detail.get("value")), (code, field, value), answer)
        self.assertEqual(self.lb.admin("/config"), before)
        self.assertEqual(self.client.get().status, 200, "whoever is connected notices nothing")
        return answer

    def tearDown(self):
        if hasattr(self, "client") and self.client.socket.fileno() >= 0:
            self.assertIn(self.client.get("/still-here").status, (200, 404, 503))
        super().tearDown()

    def test_targets_come_and_go(self):
        targets = f"{self.WEB}/targets"
        answer = self.ask("POST", targets, {"targets": [{"id": "i-b", "address": self.b.text, "zone": "b"}]}).json()
        self.assertEqual([one["id"] for one in answer["targets"]], ["i-a", "i-b"])
        self.wait_healthy("i-b")
        self.assertEqual({self.client.get().text for _ in range(4)}, {"a", "b"})
        since = self.lb.admin(f"{targets}/i-a")["targets"][0]["since"]
        self.ask("DELETE", f"{targets}/i-b")
        self.assertEqual(self.lb.admin(f"{targets}/i-b")["targets"][0]["state"], "draining")
        self.assertEqual({self.client.get().text for _ in range(4)}, {"a"})
        self.assertEqual(self.lb.admin(f"{targets}/i-a")["targets"][0]["since"], since, "the other one kept its health")
        self.refuse("DELETE", f"{targets}/i-b", None, 404, "InvalidTarget", "id", "i-b")
        self.refuse("POST", targets, {"targets": [{"address": "nowhere"}]}, 400, "ValidationError", "targets[0].address",
                    "nowhere")
        # The same target twice in one list: whoever registers it later than the other says where it is.
        self.refuse("PUT", targets, {"targets": ["127.0.0.1:1", "127.0.0.1:1"]}, 400, "ValidationError",
                    "load_balancers[app].target_groups[web].targets[1]")

    def test_a_request_in_progress_outlives_the_change(self):
        self.a.behaviour = lambda e: "quick" if e.request.path == "/quick" else e.hold() and "slow"
        busy = self.connect(self.address)
        busy.request("GET", "/slow")
        self.a.wait_for(lambda target: target.requests(path="/slow"), "the slow request came")
        self.ask("PATCH", self.WEB, {"health_check": {"path": "/healthz?x=1"}, "deregistration_delay": 30})
        self.ask("PATCH", self.HTTP, {"default_action": fixed(404)})
        self.ask("PATCH", "/load_balancers/app", {"idle_timeout": 30})
        self.ask("DELETE", f"{self.WEB}/targets/i-a")
        self.assertEqual(self.client.get().status, 404, "the same connection, the new rule")
        self.a.release()
        self.assertEqual(busy.read_response().text, "slow")

    def test_attributes_and_health_checks(self):
        shown = self.ask("PATCH", self.WEB, {"health_check": {"interval": 0.2, "unhealthy_threshold": 3},
                                             "algorithm": "least_outstanding_requests"}).json()
        self.assertEqual((shown["health_check"]["interval"], shown["health_check"]["unhealthy_threshold"],
                          shown["health_check"]["path"], shown["algorithm"]),
                         ("200ms", 3, "/healthz", "least_outstanding_requests"))
        self.assertEqual(self.ask("PATCH", self.WEB, {"algorithm": None}).json()["algorithm"], "round_robin")
        self.a.health_status = 500
        self.wait_healthy("i-a", "unhealthy")
        field = "load_balancers[app].target_groups[web].health_check.unhealthy_threshold"
        self.refuse("PATCH", self.WEB, {"health_check": {"unhealthy_threshold": 11}}, 400, "ValidationError", field, 11)
        answer = self.refuse("PATCH", self.WEB, {"algoritm": "x"}, 400, "ValidationError",
                             "load_balancers[0].target_groups[0].algoritm", "x")
        self.assertIn("is not a key here: algorithm", answer["errors"][0])

    def test_listener_attributes_reach_the_next_answer(self):
        self.ask("PATCH", self.HTTP, {"inserted_headers": {"x_frame_options": "DENY"}})
        self.assertEqual(self.client.get().header("x-frame-options"), "DENY")
        self.ask("PATCH", self.HTTP, {"inserted_headers": None})
        self.assertEqual(self.client.get().header("x-frame-options"), None)

    def test_rules_are_added_moved_exchanged_and_removed(self):
        rules = f"{self.HTTP}/rules"
        made = self.ask("POST", rules, path_rule(10, "/x*", fixed(410)), expect=201)
        self.assertEqual(made.header("location"), f"{rules}/10")
        self.ask("PUT", f"{rules}/20", path_rule(20, "/x/y", fixed(418)), expect=201)
        self.assertEqual(self.client.get("/x/y").status, 410)
        self.ask("PUT", f"{self.HTTP}/rule_priorities",
                 {"rule_priorities": [{"rule": 10, "priority": 20}, {"rule": 20, "priority": 10}]})
        self.assertEqual((self.client.get("/x/y").status, self.client.get("/x").status), (418, 410))
        self.ask("PATCH", f"{rules}/10", {"priority": 30})
        self.assertEqual(self.client.get("/x/y").status, 410)
        self.refuse("POST", rules, path_rule(20, "/z", fixed(200)), 409, "PriorityInUse", "priority", 20)
        self.refuse("POST", rules, path_rule(40, "*******", fixed(200)), 400, "TooManyWildcards",
                    "load_balancers[app].listeners[http].rules[2].conditions")
        self.refuse("PATCH", f"{rules}/99", {}, 404, "RuleNotFound", "rules", "99")
        self.ask("DELETE", f"{rules}/20")
        self.ask("DELETE", f"{rules}/30")
        self.assertEqual(self.client.get("/x/y").text, "a")
        self.assertEqual(self.lb.admin(rules), {"rules": []})

    def test_groups_and_listeners_are_made_and_removed(self):
        self.ask("POST", "/load_balancers/app/target_groups",
                 {"name": "canary", "health_check": HEALTH, "targets": [self.b.text]}, expect=201)
        made = self.ask("POST", "/load_balancers/app/listeners", {
            "name": "a/b", "port": 81, "sockets": ["127.0.0.1:0"], "default_action": forward("canary")}, expect=201)
        self.assertEqual(made.header("location"), "/load_balancers/app/listeners/a%2Fb")
        self.assertEqual(self.ask("GET", "/load_balancers/app/listeners/a%2Fb").json()["port"], 81)
        other = self.lb.observed()["load_balancers"][0]["listeners"][1]["sockets"][0]["address"]
        self.assertEqual(harness.fetch(other).text, "b")
        self.refuse("DELETE", "/load_balancers/app/target_groups/canary", None, 409, "ResourceInUse", "target_groups",
                    "canary")
        self.ask("DELETE", "/load_balancers/app/listeners/a%2Fb")
        self.ask("DELETE", "/load_balancers/app/target_groups/canary")
        with self.assertRaises(ConnectionRefusedError):
            harness.fetch(other)
        with Taken() as taken:
            answer = self.ask("POST", "/load_balancers/app/listeners", {
                "name": "more", "port": 81, "sockets": [taken], "default_action": forward("web")}, expect=503).json()
            self.assertEqual(answer["details"][0]["field"], "load_balancers[app].listeners[more].sockets[0]")
        self.ask("POST", "/load_balancers", {"name": "second"}, expect=201)
        self.ask("DELETE", "/load_balancers/second")
        self.assertEqual([one["name"] for one in self.lb.admin("/load_balancers")["load_balancers"]], ["app"])

    def test_a_zonal_shift_of_the_nodes_own_zone_and_its_end(self):
        lb = self.lb
        self.ask("POST", f"{self.WEB}/targets", {"targets": [{"id": "i-b", "address": self.b.text, "zone": "b"}]})
        self.wait_healthy("i-b")
        lb.admin("/desired", "PUT", {**lb.admin("/config"), "zone": "a"})
        shift = "/load_balancers/app/zonal_shift"
        self.refuse("PUT", shift, {"away_from": "nowhere", "expires_in": "1h"}, 400, "InvalidAz", "away_from", "nowhere")
        self.refuse("PUT", shift, {"away_from": "a", "expires_in": "73h"}, 400, "InvalidExpiresIn", "expires_in", "73h")
        self.refuse("GET", shift, None, 404, "ResourceNotFoundException", "zonal_shift")
        started = self.ask("PUT", shift, {"away_from": "a", "expires_in": "1h"}, expect=201).json()
        self.assertEqual((started["away_from"], started["status"]), ("a", "ACTIVE"))
        self.assertFalse(lb.observed()["load_balancers"][0]["dns"]["in_dns"])
        self.assertFalse(lb.observed()["load_balancers"][0]["listeners"][0]["sockets"][0]["accepting"])
        self.assertEqual(lb.admin("/zonal_shifts")["zonal_shifts"][0]["load_balancer"], "app")
        self.ask("DELETE", shift)
        self.assertTrue(lb.observed()["load_balancers"][0]["dns"]["in_dns"])
        self.assertIn(harness.fetch(self.address).text, "ab")
        # One that ends by itself: below a minute only because this balancer is unrestricted.
        self.ask("PUT", shift, {"away_from": "a", "expires_in": "1h"}, expect=201)
        self.ask("PATCH", shift, {"expires_in": "200ms"})
        harness.eventually(lambda: lb.observed()["load_balancers"][0]["dns"]["in_dns"], "the shift has expired")
        self.assertEqual(self.ask("GET", shift).json()["status"], "EXPIRED")

    def test_a_minute_is_the_least_where_nothing_says_otherwise(self):
        self.ask("PATCH", "/load_balancers/app", {"unrestricted": False, "availability_zones": ["a", "b"]})
        shift = "/load_balancers/app/zonal_shift"
        self.refuse("PUT", shift, {"away_from": "b", "expires_in": "59s"}, 400, "InvalidExpiresIn", "expires_in", "59s")
        self.ask("PUT", shift, {"away_from": "b", "expires_in": "1m"}, expect=201)
        self.refuse("PUT", shift, {"away_from": "a", "expires_in": "1h"}, 409, "ZonalShiftAlreadyExists", "away_from", "a")
        self.ask("PATCH", "/load_balancers/app", {"zonal_shift": None})
        self.ask("PATCH", "/load_balancers/app", {"zonal_shift_enabled": False})
        self.refuse("PUT", shift, {"away_from": "b", "expires_in": "1h"}, 400, "ValidationError",
                    "load_balancers[app].zonal_shift")

    def test_if_match(self):
        first = self.ask("GET", "/config")
        tag = first.header("etag")
        self.assertRegex(tag, r'^"[0-9a-f]+-\d+"$')
        changed = self.ask("PATCH", self.WEB, {"deregistration_delay": 7}, [("If-Match", tag)])
        self.assertNotEqual(changed.header("etag"), tag)
        stale = self.ask("PATCH", self.WEB, {"deregistration_delay": 8}, [("If-Match", tag)], expect=412)
        self.assertEqual(stale.header("etag"), changed.header("etag"))
        self.assertEqual(self.ask("GET", self.WEB).json()["deregistration_delay"], "7s")
        self.ask("PUT", "/targets", {"targets": [self.b.text]}, [("If-Match", tag)], expect=412)
        self.ask("PUT", "/desired", first.json(), [("If-Match", tag)], expect=412)
        self.ask("PATCH", self.WEB, {"deregistration_delay": 8}, [("If-Match", f'"x", {changed.header("etag")}')])
        self.ask("PATCH", self.WEB, {"deregistration_delay": 9}, [("If-Match", "*")])
        self.assertEqual(self.ask("GET", self.WEB).header("etag"), self.ask("GET", "/config").header("etag"))

    def test_a_control_plane_owns_its_configuration(self):
        config = self.lb.admin("/config")
        self.lb.admin("/desired", "PUT", {**config, "generation": 5})
        for method, path, body in (("PATCH", self.WEB, {"deregistration_delay": 7}),
                                   ("POST", f"{self.WEB}/targets", {"targets": [self.b.text]}),
                                   ("DELETE", self.HTTP, None), ("PUT", "/targets", {"targets": []})):
            with self.subTest(path):
                answer = self.refuse(method, path, body, 409, "OperationNotPermitted", "generation", 5)
                self.assertIn("generation 5 came from a control plane", answer["errors"][0])
        self.lb.admin("/desired", "PUT", {**config, "generation": 6, "zone": "a"})
        self.assertEqual(self.lb.admin("/config")["zone"], "a", "the owner goes on as before")

    def test_methods_paths_and_bodies_that_are_none(self):
        for path, allow in ((self.WEB, "GET, HEAD, PUT, PATCH, DELETE"), (f"{self.HTTP}/rules", "GET, HEAD, POST"),
                            ("/load_balancers", "GET, HEAD, POST"), ("/zonal_shifts", "GET, HEAD"),
                            (f"{self.HTTP}/rule_priorities", "PUT"), (f"{self.WEB}/targets/i-a", "GET, HEAD, DELETE")):
            response = self.ask("OPTIONS", path, expect=405)
            self.assertEqual(response.header("allow"), allow)
        for path in ("/load_balancers/app/nothing", "/load_balancers/", f"{self.HTTP}/rules/1/x", "/load_balancers/%zz"):
            self.assertIn("does not exist", self.ask("GET", path, expect=404).json()["errors"][0])
        self.refuse("GET", "/load_balancers/nobody", None, 404, "LoadBalancerNotFound", "load_balancers", "nobody")
        for body in (b"", b"{", b"[]", b"null", b'{"a": 1, "a": 2}', b"[" * 100_000, b'{"a": ' * 100_000, b"\xff"):
            self.ask("PATCH", self.WEB, body, expect=400)
            self.ask("POST", f"{self.WEB}/targets", body, expect=400)
            self.ask("PUT", "/desired", body, expect=400)
        self.refuse("GET", f"{self.WEB}/targets/i-a?port=x", None, 400, "ValidationError", "port", "port=x")

    def test_a_web_page_changes_nothing(self):
        before = self.lb.admin("/config")
        for method, path in (("POST", f"{self.WEB}/targets"), ("POST", "/stop"), ("PUT", "/desired")):
            self.ask(method, path, {"targets": []}, [("Origin", "http://evil.example")], expect=403)
        self.assertEqual(self.lb.admin("/config"), before)


class ManyTargets(LoadBalancerTest):
    def test_a_change_beside_ten_thousand_targets_is_made_and_one_more_is_refused(self):
        lb = Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0"), listens=False)
        targets = [{"id": f"i-{n}", "address": f"10.{n // 250}.{n % 250}.1:80"} for n in range(9_999)]
        lb.admin("/desired", "PUT", {"generation": 0, "load_balancers": [
            {"name": "app", "target_groups": [{"name": "web", "targets": targets}]}]})
        path = "/load_balancers/app/target_groups/web/targets"
        lb.admin(path, "POST", {"targets": [{"id": "last", "address": "10.9.9.9:80"}]})
        # A group has at most 10,000 targets.
        answer = lb.admin(path, "POST", {"targets": [{"id": "more", "address": "10.9.9.8:80"}]}, expect=400)
        self.assertEqual(answer["details"][0]["code"], "TooManyTargets")
        self.assertEqual(len(lb.admin("/config")["load_balancers"][0]["target_groups"][0]["targets"]), 10_000)
