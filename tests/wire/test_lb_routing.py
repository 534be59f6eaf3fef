"""Who gets a request.

Two or three scripted targets stand behind one rr-lb. Requests take turns exactly, over one kept connection and over
many; a target that fails its checks loses its turn and gives its share to all; a new target enters with its first
success; and when everybody is sick, everybody is asked.
"""

import collections

import harness
from balancer import LoadBalancerTest


class RoundRobin(LoadBalancerTest):
    def setUp(self):
        super().setUp()
        self.a = self.target(name="a")
        self.b = self.target(name="b")

    def test_a_kept_connection_alternates_strictly(self):
        lb = self.balancer(self.a, self.b)
        with self.connect(lb.address) as client:
            answers = [client.get().text for _ in range(1000)]
        self.assertEqual(collections.Counter(answers), {"a": 500, "b": 500})
        self.assertTrue(all(x != y for x, y in zip(answers, answers[1:])))
        self.assertEqual((self.a.accepted - len(self.a.health_requests), self.b.accepted - len(self.b.health_requests)),
                         (1, 1), "one kept connection a target serves them all")

    def test_a_thousand_connections_alternate_too(self):
        lb = self.balancer(self.a, self.b)
        answers = [harness.fetch(lb.address).text for _ in range(1000)]
        self.assertEqual(collections.Counter(answers), {"a": 500, "b": 500})
        observed = lb.observed()["load_balancers"][0]
        self.assertEqual(observed["counters"]["connections_accepted"], 1000)
        self.assertEqual([one["requests"] for one in observed["target_groups"][0]["targets"]], [500, 500])

    def test_requests_at_once_take_turns_and_get_a_connection_each(self):
        release = self.a.hold = self.b.hold = lambda exchange: exchange.hold() and exchange.target.name
        self.a.behaviour = self.b.behaviour = release
        lb = self.balancer(self.a, self.b)
        clients = [self.connect(lb.address) for _ in range(10)]
        for client in clients:
            client.request("GET", "/")
        self.a.wait_for_requests(5)
        self.b.wait_for_requests(5)
        self.assertEqual({one.connection for one in self.a.requests()}.__len__(), 5)
        self.assertEqual([one["outstanding"] for one in lb.targets().values()], [5, 5])
        self.a.release()
        self.b.release()
        self.assertEqual(collections.Counter(client.read_response().text for client in clients), {"a": 5, "b": 5})
        self.assertEqual([one["outstanding"] for one in lb.targets().values()], [0, 0])

    def test_curl_sees_both(self):
        lb = self.balancer(self.a, self.b)
        self.assertEqual({harness.curl(f"http://{lb.address}/").text for _ in range(2)}, {"a", "b"})


class Health(LoadBalancerTest):
    def test_a_sick_target_is_ejected_and_returns(self):
        a, b, c = (self.target(name=name) for name in "abc")
        lb = self.balancer(a, b, c)
        b.health_status = 503
        lb.wait_for_states({b.text: "unhealthy"})
        seen = lb.targets()[b.text]
        self.assertEqual((seen["reason"], seen["description"]),
                         ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"))
        with self.connect(lb.address) as client:
            answers = collections.Counter(client.get().text for _ in range(100))
        self.assertEqual(answers, {"a": 50, "c": 50}, "its share is spread evenly")
        b.health_status = 200
        lb.wait_for_states({b.text: "healthy"})
        with self.connect(lb.address) as client:
            self.assertEqual(collections.Counter(client.get().text for _ in range(99)), {"a": 33, "b": 33, "c": 33})

    def test_why_a_target_is_unhealthy(self):
        refused, silent, garbage = self.target(name="r"), self.target(name="s"), self.target(name="g")
        refused.stop_listening()
        silent.health_status = None
        garbage.health_path = None
        garbage.behaviour = lambda exchange: exchange.send(b"what?\r\n\r\n") or exchange.close()
        lb = self.balancer(refused, silent, garbage, flags=("--health-timeout", "0.2"), wait=False)
        lb.wait_for_states({one.text: "unhealthy" for one in (refused, silent, garbage)})
        reasons = {address: one["reason"] for address, one in lb.targets().items()}
        self.assertEqual(reasons, {refused.text: "Target.FailedHealthChecks", silent.text: "Target.Timeout",
                                   garbage.text: "Target.FailedHealthChecks"})

    def test_one_success_brings_a_new_target_in_whatever_the_threshold(self):
        first = self.target(name="first")
        lb = self.balancer(first, flags=("--healthy-threshold", "10"))
        self.assertEqual(harness.fetch(lb.address).text, "first")
        second = self.target(name="second")
        second.health_status = None  # not a single check is answered yet
        lb.admin("/targets", "PUT", {"targets": [first.text, second.text]})
        second.wait_for_checks(1)
        self.assertEqual(lb.targets()[second.text]["state"], "initial")
        self.assertEqual({harness.fetch(lb.address).text for _ in range(4)}, {"first"})
        second.health_status = 200
        second.release()
        lb.wait_for_states({second.text: "healthy"})
        self.assertEqual({harness.fetch(lb.address).text for _ in range(2)}, {"first", "second"})

    def test_when_all_are_sick_all_are_asked(self):
        a, b = self.target(name="a"), self.target(name="b")
        lb = self.balancer(a, b)
        a.health_status = b.health_status = 500
        lb.wait_for_states({a.text: "unhealthy", b.text: "unhealthy"})
        self.assertTrue(lb.admin("/targets")["target_groups"][0]["failing_open"])
        self.assertEqual({harness.fetch(lb.address).text for _ in range(2)}, {"a", "b"})
        a.health_status = 200
        lb.wait_for_states({a.text: "healthy"})
        self.assertEqual({harness.fetch(lb.address).text for _ in range(4)}, {"a"})
        self.assertFalse(lb.admin("/targets")["target_groups"][0]["failing_open"])

    def test_the_health_check_is_the_albs(self):
        one = self.target(name="one")
        self.balancer(one)
        check = one.health_requests[0]
        self.assertEqual((check.method, check.path, check.version), ("GET", "/healthz", "HTTP/1.1"))
        self.assertEqual(check.header("host"), one.text)
        self.assertEqual(check.header("user-agent"), "ELB-HealthChecker/2.0")
        self.assertEqual(check.header("connection"), "close")
        one.wait_for_checks(3)
        connections = [check.connection for check in one.health_requests]
        self.assertEqual(len(set(connections)), len(connections), "each check has a connection of its own")

    def test_the_matcher_decides(self):
        teapot = self.target(name="teapot")
        teapot.health_status = 418
        lb = self.balancer(teapot, flags=("--matcher", "200-299,418"))
        self.assertEqual(lb.targets()[teapot.text]["state"], "healthy")
