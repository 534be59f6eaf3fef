"""What GET /metrics tells a machine, and whether it is true.

The text is read by a strict parser of its format (tests/kit/exposition.py, which is tested here too). The metrics of
CloudWatch stand there under their own names with the dimensions that AWS documents. Requests of every kind are made,
and every counter must say what was made and nothing else: what AWS counts, and what it does not.
"""

import socket
import unittest

import harness
from balancer import Balancer, LoadBalancerTest, raw_exchange
from kit.exposition import Exposition, ExpositionError

L, A, T = "LoadBalancer", "AvailabilityZone", "TargetGroup"
BALANCER = [{L}, {A, L}]
GROUP = [{T, L}, {A, T, L}]
# The sets of dimensions that AWS documents.
DIMENSIONS = {
    **dict.fromkeys(["ActiveConnectionCount", "NewConnectionCount", "RejectedConnectionCount", "ProcessedBytes",
                     "IPv6ProcessedBytes", "IPv6RequestCount", "HTTPCode_ELB_3XX_Count", "HTTPCode_ELB_4XX_Count",
                     "HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_500_Count", "HTTPCode_ELB_502_Count",
                     "HTTPCode_ELB_503_Count", "HTTPCode_ELB_504_Count", "HTTP_Redirect_Count",
                     "HTTP_Redirect_Url_Limit_Exceeded_Count", "HTTP_Fixed_Response_Count",
                     "DesyncMitigationMode_NonCompliant_Request_Count", "NonStickyRequestCount",
                     "AppCookieNonStickinessCount"], BALANCER),
    "RuleEvaluations": [{L}],
    **dict.fromkeys(["DroppedInvalidHeaderRequestCount", "ForwardedInvalidHeaderRequestCount"], [{A, L}]),
    **dict.fromkeys(["RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count",
                     "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount",
                     "TargetResponseTime"], BALANCER + GROUP),
    "RequestCountPerTarget": [{T}, {A, T}] + GROUP,
    **dict.fromkeys(["UnhealthyRoutingRequestCount", "HealthyHostCount", "UnHealthyHostCount", "AnomalousHostCount",
                     "MitigatedHostCount", "ActiveZonalShiftHostCount", "HealthyStateDNS", "HealthyStateRouting",
                     "UnhealthyStateDNS", "UnhealthyStateRouting"], GROUP),
}

ANSWERS = {"/ok": 200, "/moved": 302, "/missing": 404, "/broken": 500}


def forward(*groups):
    return {"type": "forward", "target_groups": list(groups)}


def rule(priority, path, action, **more):
    return {"priority": priority, "conditions": [{"field": "path-pattern", "values": [path]}], "action": action, **more}


class MetricsTest(LoadBalancerTest):
    def node(self):
        lb = Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0"), listens=False)
        self.generation = 0
        return lb

    def group(self, name, targets, **settings):
        """targets: {zone: [address]}"""
        check = {"path": "/healthz", "interval": 0.1, "timeout": 2, "unrestricted": True, "healthy_threshold": 2,
                 "unhealthy_threshold": 2}
        specs = [{"address": one, "zone": zone} for zone, some in targets.items() for one in some]
        return {"name": name, "health_check": check, "targets": specs, **settings}

    def balancer_of(self, name, groups, rules=(), sockets=("127.0.0.1:0",), default=None, listener=None, **settings):
        http = {"name": "http", "port": 80, "sockets": list(sockets), "rules": list(rules),
                "default_action": default or forward(groups[0]["name"]), **(listener or {})}
        return {"name": name, "listeners": [http], "target_groups": groups, **settings}

    def put(self, lb, *balancers, zone="a"):
        self.generation += 1
        lb.admin("/desired", "PUT", {"generation": self.generation, "zone": zone, "load_balancers": list(balancers)})

    def metrics(self, lb):
        response = harness.fetch(lb.admin_address, "/metrics")
        self.assertEqual(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8")
        return Exposition(response.body)

    def wait_for(self, lb, metric, number, **labels):
        harness.eventually(lambda: self.metrics(lb).value(metric, **labels) == number, f"{metric} {labels} is {number}")

    def ids(self, lb, group=0):
        """The values of the dimensions LoadBalancer and TargetGroup."""
        metrics = self.metrics(lb).metrics["RequestCount"].samples
        sets = sorted({(dict(labels)[L], dict(labels)[T]) for _, labels in metrics if len(labels) == 2 and T in dict(labels)})
        return dict(zip((L, T), sets[group]))

    def address(self, lb, balancer=0):
        return lb.observed()["load_balancers"][balancer]["listeners"][0]["sockets"][0]["address"]


class Dimensions(MetricsTest):
    def test_every_metric_has_the_sets_that_aws_documents(self):
        target = self.target()
        lb = self.node()
        self.put(lb, self.balancer_of("tier", [self.group("web", {"a": [target.text]})]))
        lb.wait_for_states({target.text: "healthy"})
        metrics = self.metrics(lb)
        for name, sets in DIMENSIONS.items():
            with self.subTest(metric=name):
                self.assertEqual(metrics.label_sets(name), {frozenset(one) for one in sets})
        documented = (harness.ROOT / "docs/metrics.md").read_text(encoding="utf-8")
        self.assertEqual([name for name in metrics.metrics if f"`{name}`" not in documented], [], "docs/metrics.md has all")
        ours = {name for name in metrics.metrics if name not in DIMENSIONS}
        self.assertTrue(all(name.startswith("rr_lb_") for name in ours), ours)
        self.assertRegex(self.ids(lb)[L], r"^app/tier/[0-9a-f]{16}$")
        self.assertRegex(self.ids(lb)[T], r"^targetgroup/web/[0-9a-f]{16}$")
        self.assertEqual(metrics.value("RequestCount", LoadBalancer=self.ids(lb)[L], AvailabilityZone="a"), 0)

    def test_a_node_of_no_zone_has_none_in_its_series(self):
        target = self.target()
        lb = self.balancer(target)
        metrics = self.metrics(lb)
        for name, sets in DIMENSIONS.items():
            with self.subTest(metric=name):
                without = {frozenset(one) for one in sets if A not in one} or {frozenset({L})}
                self.assertEqual(metrics.label_sets(name), without)
        self.assertEqual(metrics.value("HealthyStateRouting", **self.ids(lb)), 1, "one zone, which has no name")

    def test_groups_of_one_name_in_two_balancers_are_one_in_the_set_without_balancer(self):
        target = self.target()
        lb = self.node()
        web = self.group("web", {"a": [target.text]})
        self.put(lb, self.balancer_of("one", [web]), self.balancer_of("two", [web]))
        harness.eventually(lambda: all(one["targets"][0]["state"] == "healthy"
                                       for one in lb.admin("/targets")["target_groups"]), "both are healthy")
        for balancer, count in ((0, 2), (1, 3)):
            for _ in range(count):
                self.assertEqual(harness.fetch(self.address(lb, balancer)).status, 200)
        metrics, group = self.metrics(lb), self.ids(lb)[T]
        self.assertEqual(metrics.value("RequestCountPerTarget", TargetGroup=group), 5)
        self.assertEqual(metrics.value("RequestCountPerTarget", TargetGroup=group, AvailabilityZone="a"), 5)
        self.assertEqual(metrics.value("RequestCountPerTarget", TargetGroup=group, LoadBalancer=self.ids(lb, 0)[L]), 2)
        self.assertEqual(metrics.value("RequestCountPerTarget", TargetGroup=group, LoadBalancer=self.ids(lb, 1)[L]), 3)

    def test_texts_from_outside_are_escaped(self):
        target = self.target()
        lb = self.node()
        identity = 'i-"quoted"\\back\nslash é'
        web = self.group("web", {"a": [target.text]})
        web["targets"][0]["id"] = identity
        self.put(lb, self.balancer_of("tier", [web]))
        labels = {**self.ids(lb), A: "a", "target": identity, "address": target.text}
        self.assertEqual(self.metrics(lb).value("rr_lb_target_requests_total", **labels), 0)


class Requests(MetricsTest):
    def serve(self, *targets, zone="a", **settings):
        """A node whose rules answer /fixed and /away themselves, and drop nothing."""
        self.lb = self.node()
        groups = [self.group("web", {"a": [one if isinstance(one, str) else one.text for one in targets]})]
        rules = [rule(1, "/fixed", {"type": "fixed-response", "status": 503, "body": "closed"}),
                 rule(2, "/away", {"type": "redirect", "status": 301, "path": "/there"}),
                 rule(3, "/far", {"type": "redirect", "status": 302, "path": "/there", "query": "#{query}&#{query}"})]
        self.put(self.lb, self.balancer_of("tier", groups, rules, **settings), zone=zone)
        self.lb.wait_for_states({one.text: "healthy" for one in targets if not isinstance(one, str)})
        self.ask = self.address(self.lb)

    def expect(self, expected, **labels):
        """Each metric of `expected` has its number, in the series with these labels."""
        metrics = self.metrics(self.lb)
        seen = {name: metrics.value(name, **labels) for name in expected}
        self.assertEqual(seen, expected)

    def test_what_counts_and_what_does_not(self):
        target = self.target(lambda e: e.respond(ANSWERS[e.request.path], "x"))
        self.serve(target)
        for path, count in (("/ok", 4), ("/moved", 1), ("/missing", 2), ("/broken", 3), ("/fixed", 2), ("/away", 5)):
            for _ in range(count):
                harness.fetch(self.ask, path)
        self.assertEqual(harness.fetch(self.ask, "/far?" + "q" * 5000).status, 507)
        raw_exchange(self.ask, b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n")
        raw_exchange(self.ask, b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        ids = self.ids(self.lb)
        traffic = {"RequestCount": 10, "HTTPCode_Target_2XX_Count": 4, "HTTPCode_Target_3XX_Count": 1,
                   "HTTPCode_Target_4XX_Count": 2, "HTTPCode_Target_5XX_Count": 3, "TargetConnectionErrorCount": 0}
        for labels in ({L: ids[L]}, {L: ids[L], A: "a"}, ids, {**ids, A: "a"}):
            self.expect(traffic, **labels)
        # 301 five times; 400 and 405; 503 of the fixed response and 507.
        own = {"HTTPCode_ELB_3XX_Count": 5, "HTTPCode_ELB_4XX_Count": 2, "HTTPCode_ELB_5XX_Count": 3,
               "HTTPCode_ELB_500_Count": 0, "HTTPCode_ELB_502_Count": 0, "HTTPCode_ELB_503_Count": 2,
               "HTTPCode_ELB_504_Count": 0, "HTTP_Redirect_Count": 5, "HTTP_Redirect_Url_Limit_Exceeded_Count": 1,
               "HTTP_Fixed_Response_Count": 2, "IPv6RequestCount": 0, "IPv6ProcessedBytes": 0}
        self.expect(own, LoadBalancer=ids[L])
        self.expect(own, LoadBalancer=ids[L], AvailabilityZone="a")
        # Ten went past all three rules, /fixed asked one, /away two, /far three; the two bad ones were never asked about.
        self.expect({"RuleEvaluations": 10 * 3 + 2 * 1 + 5 * 2 + 1 * 3}, LoadBalancer=ids[L])
        self.expect({"RequestCountPerTarget": 10}, TargetGroup=ids[T])
        self.assertEqual(self.metrics(self.lb).value("rr_lb_requests_total", LoadBalancer=ids[L]), 20)

    def test_connections_and_bytes_of_both_sides(self):
        target = self.target(name="t")
        self.serve(target)
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        clients = [self.connect(self.ask) for _ in range(3)]
        received = 0
        for client in clients:
            client.send(request)
            answer = client.read_response()
            received += len(answer.raw_head) + len(answer.body)
        ids = self.ids(self.lb)
        # One after the other: one kept connection to the target does.
        self.expect({"ActiveConnectionCount": 4, "NewConnectionCount": 4,
                     "ProcessedBytes": 3 * len(request) + received}, LoadBalancer=ids[L])
        clients[0].close()
        self.wait_for(self.lb, "ActiveConnectionCount", 3, LoadBalancer=ids[L])
        self.expect({"NewConnectionCount": 4}, LoadBalancer=ids[L])

    def test_clients_of_the_other_ip(self):
        target = self.target(name="t")
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            harness.skip(f"no IPv6 here: {error}")
        self.serve(target)
        self.put(self.lb, self.balancer_of("tier", [self.group("web", {"a": [target.text]})], sockets=["[::1]:0"]))
        request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        answer = raw_exchange(self.address(self.lb), request)
        self.expect({"IPv6RequestCount": 1, "IPv6ProcessedBytes": len(request) + len(answer), "RequestCount": 1},
                    LoadBalancer=self.ids(self.lb)[L])

    def test_errors_of_targets(self):
        # Nobody listens at the one, the other closes in the middle, and there is a group without anybody.
        target = self.target(lambda e: e.connection.close())
        with harness.refused_address() as refused:
            self.check_errors(target, harness.text_address(refused))

    def check_errors(self, target, refused):
        lb = self.lb = self.node()
        groups = [self.group("web", {"a": [target.text]}), self.group("gone", {"a": [refused]}), self.group("empty", {})]
        self.put(lb, self.balancer_of("tier", groups, [rule(1, "/gone", forward("gone")), rule(2, "/empty", forward("empty"))]))
        lb.wait_for_states({target.text: "healthy"})
        self.ask = self.address(lb)
        self.assertEqual([harness.fetch(self.ask, path).status for path in ("/", "/gone", "/gone", "/empty")],
                         [502, 502, 502, 503])
        metrics, balancer = self.metrics(lb), self.ids(lb)[L]
        self.expect({"HTTPCode_ELB_502_Count": 3, "HTTPCode_ELB_503_Count": 1, "HTTPCode_ELB_5XX_Count": 4,
                     "TargetConnectionErrorCount": 2, "RequestCount": 3, "HTTPCode_Target_5XX_Count": 0},
                    LoadBalancer=balancer)
        names = {name: f"targetgroup/{name}/" for name in ("web", "gone", "empty")}
        by_group = {name: [number for (_, labels), number in metrics.metrics["TargetConnectionErrorCount"].samples.items()
                           if dict(labels).get(T, "").startswith(start)] for name, start in names.items()}
        self.assertEqual(by_group, {"web": [0, 0], "gone": [2, 2], "empty": [0, 0]}, "health checks do not count")
        self.assertEqual(metrics.value("TargetResponseTime", "_count", LoadBalancer=balancer), 0, "nobody answered")

    def test_a_client_that_leaves_counts_as_4xx(self):
        target = self.target(lambda e: e.hold() and "late")
        self.serve(target)
        client = self.connect(self.ask)
        client.request("GET", "/ok")
        target.wait_for_requests(1)
        client.close()
        self.wait_for(self.lb, "HTTPCode_ELB_4XX_Count", 1, LoadBalancer=self.ids(self.lb)[L])
        self.expect({"RequestCount": 1}, LoadBalancer=self.ids(self.lb)[L])

    def test_doubtful_requests_and_invalid_headers(self):
        target = self.target(name="t")
        self.serve(target)
        odd = b"GET / HTTP/1.1\r\nHost: a\r\nX_Odd: 1\r\nConnection: close\r\n\r\n"
        raw_exchange(self.ask, odd)
        raw_exchange(self.ask, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ids = {L: self.ids(self.lb)[L], A: "a"}
        self.expect({"ForwardedInvalidHeaderRequestCount": 1, "DroppedInvalidHeaderRequestCount": 0,
                     "DesyncMitigationMode_NonCompliant_Request_Count": 1}, **ids)
        self.put(self.lb, self.balancer_of("tier", [self.group("web", {"a": [target.text]})], drop_invalid_header_fields=True))
        raw_exchange(self.address(self.lb), odd)
        self.expect({"ForwardedInvalidHeaderRequestCount": 1, "DroppedInvalidHeaderRequestCount": 1}, **ids)

    def test_latencies(self):
        def behaviour(exchange):
            exchange.hold()
            return "slow"
        target = self.target(behaviour)
        self.serve(target)
        client = self.connect(self.ask)
        client.request("GET", "/ok")
        target.wait_for_requests(1)
        pause = harness.scaled(0.3)
        with self.assertRaises(TimeoutError):  # so long nothing comes
            client.socket.settimeout(pause)
            client.socket.recv(1)
        client.socket.settimeout(harness.scaled(10))
        target.release()
        client.read_response()
        ids = self.ids(self.lb)
        metrics = self.metrics(self.lb)
        for labels in ({L: ids[L]}, ids):
            for name in ("TargetResponseTime", "rr_lb_request_seconds"):
                with self.subTest(metric=name, labels=labels):
                    self.assertEqual(metrics.value(name, "_count", **labels), 1)
                    self.assertGreaterEqual(metrics.value(name, "_sum", **labels), pause)
                    self.assertEqual(metrics.value(name, "_bucket", le="0.262144", **labels), 0, "not below a quarter second")
                    self.assertEqual(metrics.value(name, "_bucket", le="134.217728", **labels), 1)
            self.assertEqual(metrics.value("rr_lb_target_connect_seconds", "_count", **labels), 1)
        client.request("GET", "/ok")
        client.read_response()
        self.assertEqual(self.metrics(self.lb).value("rr_lb_target_connect_seconds", "_count", **ids), 1,
                         "the second request took the kept connection")

    def test_the_sum_of_a_balancer_outlives_its_groups_and_targets(self):
        target, other = self.target(name="one"), self.target(name="two")
        self.serve(target)
        harness.fetch(self.ask, "/ok")
        balancer = self.ids(self.lb)[L]
        web = self.group("web", {"a": [other.text]}, deregistration_delay=0)
        self.put(self.lb, self.balancer_of("tier", [web]))
        self.lb.wait_for_states({other.text: "healthy"})
        harness.fetch(self.address(self.lb), "/ok")
        harness.eventually(lambda: target.text not in self.lb.targets() or None, "the first is forgotten", 20)
        self.expect({"RequestCount": 2, "HTTPCode_Target_2XX_Count": 2}, **self.ids(self.lb))
        api = self.group("api", {"a": [target.text]})
        self.put(self.lb, self.balancer_of("tier", [api]))
        self.lb.wait_for_states({target.text: "healthy"})
        harness.fetch(self.address(self.lb), "/ok")
        self.expect({"RequestCount": 3, "HTTPCode_Target_2XX_Count": 3, "NewConnectionCount": 6}, LoadBalancer=balancer)
        self.expect({"RequestCount": 1}, **self.ids(self.lb))
        self.wait_for(self.lb, "rr_lb_target_connections", 1, **self.ids(self.lb), AvailabilityZone="a",
                      target=target.text, address=target.text)
        self.expect({"RequestCount": 3, "HTTPCode_Target_2XX_Count": 3}, LoadBalancer=balancer)


class Targets(MetricsTest):
    def test_single_targets_by_status(self):
        target = self.target(lambda e: e.respond(int(e.request.path[1:])))
        lb = self.balancer(target)
        for status in (200, 200, 404, 500):
            harness.fetch(lb.address, f"/{status}")
        metrics = self.metrics(lb)
        labels = {**self.ids(lb), "target": target.text, "address": target.text}
        classes = [metrics.value("rr_lb_target_responses_total", **labels, **{"class": one})
                   for one in ("2xx", "3xx", "4xx", "5xx")]
        self.assertEqual(classes, [2, 0, 1, 1])
        for name, number in (("rr_lb_target_requests_total", 4), ("rr_lb_target_healthy", 1),
                             ("rr_lb_target_connections_opened_total", 1), ("rr_lb_target_connections", 1)):
            self.assertEqual(metrics.value(name, **labels), number, name)
        self.assertEqual(metrics.value("rr_lb_requests_total", LoadBalancer=labels[L]), 4)

    def test_there_are_as_many_series_as_there_are_targets_and_no_more(self):
        # Paths, hosts and methods are the clients' to choose: nothing of them may become a series.
        target = self.target(name="t")
        lb = self.balancer(target)
        count = lambda: sum(len(one.samples) for one in self.metrics(lb).metrics.values())
        harness.fetch(lb.address, "/")
        before = count()
        for number in range(50):
            raw_exchange(lb.address, b"M%d /%d?a=%d HTTP/1.1\r\nHost: h%d\r\nUser-Agent: %d\r\nConnection: close\r\n\r\n"
                         % (number, number, number, number, number))
        self.assertEqual(count(), before)


class Rejected(MetricsTest):
    def test_what_the_kernel_turns_away_at_a_full_queue_is_counted(self):
        with socket.socket() as front:
            front.bind(("127.0.0.1", 0))
            front.listen(0)
            lb = Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0", pass_fds=(front.fileno(),)), listens=False)
            self.generation = 0
            tier = self.balancer_of("tier", [self.group("web", {})], sockets=[f"fd:{front.fileno()}"], listener={"accepting": False})
            self.put(lb, tier)
            balancer = self.ids(lb)[L]
            self.assertEqual(self.metrics(lb).value("RejectedConnectionCount", LoadBalancer=balancer), 0)
            for _ in range(5):  # nobody accepts, and the queue holds one
                client = socket.socket()
                self.addCleanup(client.close)
                client.setblocking(False)
                client.connect_ex(front.getsockname())
            counted = lambda: self.metrics(lb).value("RejectedConnectionCount", LoadBalancer=balancer)
            harness.eventually(lambda: counted() >= 3, "three at least were turned away")
            before = counted()
            tier["listeners"][0]["sockets"] = ["127.0.0.1:0"]
            self.put(lb, tier)
            self.assertGreaterEqual(counted(), before, "what the first socket saw stays counted")


class Hosts(MetricsTest):
    def test_hosts_and_zones_with_and_without_cross_zone(self):
        near, far, sick = self.target(name="near"), self.target(name="far"), self.target(name="sick")
        sick.health_status = 500
        lb = self.node()
        web = self.group("web", {"a": [near.text], "b": [far.text, sick.text]},
                         unhealthy_state_routing={"minimum_healthy_targets_percentage": 60},
                         dns_failover={"minimum_healthy_targets_percentage": 60})
        # In b one of two is healthy: 50 %, too few to route to healthy ones only; with cross-zone 2 of 3 are enough.
        for cross_zone, states in ((True, {None: (2, 0), "a": (1, 0), "b": (1, 0)}),
                                   (False, {None: (1, 1), "a": (1, 0), "b": (0, 1)})):
            web["cross_zone"] = cross_zone
            self.put(lb, self.balancer_of("tier", [web]))
            lb.wait_for_states({near.text: "healthy", far.text: "healthy", sick.text: "unhealthy"})
            metrics, ids = self.metrics(lb), self.ids(lb)
            hosts = {zone: tuple(int(metrics.value(name, **ids, **({A: zone} if zone else {})))
                                 for name in ("HealthyHostCount", "UnHealthyHostCount")) for zone in (None, "a", "b")}
            self.assertEqual(hosts, {None: (2, 1), "a": (1, 0), "b": (1, 1)})
            seen = {zone: tuple(int(metrics.value(name, **ids, **({A: zone} if zone else {})))
                                for name in ("HealthyStateRouting", "UnhealthyStateRouting")) for zone in (None, "a", "b")}
            self.assertEqual(seen, states, f"cross_zone: {cross_zone}")

    def test_deregistered_targets_are_no_longer_healthy_and_not_unhealthy(self):
        stays, leaves = self.target(), self.target()
        lb = self.node()
        self.put(lb, self.balancer_of("tier", [self.group("web", {"a": [stays.text, leaves.text]})]))
        lb.wait_for_states({stays.text: "healthy", leaves.text: "healthy"})
        self.put(lb, self.balancer_of("tier", [self.group("web", {"a": [stays.text]})]))
        metrics, ids = self.metrics(lb), self.ids(lb)
        self.assertEqual((metrics.value("HealthyHostCount", **ids), metrics.value("UnHealthyHostCount", **ids)), (1, 0))
        self.assertEqual(metrics.value("rr_lb_targets", **ids, state="draining"), 1)

    def test_requests_per_target_follow_the_number_of_healthy_targets(self):
        one, two = self.target(), self.target()
        lb = self.node()
        self.put(lb, self.balancer_of("tier", [self.group("web", {"a": [one.text, two.text]})]))
        lb.wait_for_states({one.text: "healthy", two.text: "healthy"})
        for _ in range(6):
            harness.fetch(self.address(lb))
        ids = self.ids(lb)
        self.assertEqual(self.metrics(lb).value("RequestCountPerTarget", **ids), 3)
        two.health_status = 500
        lb.wait_for_states({two.text: "unhealthy"})
        for _ in range(4):
            harness.fetch(self.address(lb))
        # 6 shared by two, then 4 by one.
        self.assertEqual(self.metrics(lb).value("RequestCountPerTarget", **ids), 7)

    def test_requests_that_went_to_unhealthy_targets(self):
        sick = self.target()
        sick.health_status = 500
        lb = self.node()
        self.put(lb, self.balancer_of("tier", [self.group("web", {"a": [sick.text]})]))
        lb.wait_for_states({sick.text: "unhealthy"})
        harness.fetch(self.address(lb))
        metrics, ids = self.metrics(lb), self.ids(lb)
        for name, number in (("UnhealthyRoutingRequestCount", 1), ("UnhealthyStateRouting", 1), ("HealthyStateRouting", 0),
                             ("UnhealthyStateDNS", 1), ("HealthyStateDNS", 0), ("RequestCountPerTarget", 1)):
            self.assertEqual(metrics.value(name, **ids), number, name)

    def test_a_zonal_shift(self):
        near, far = self.target(), self.target()
        lb = self.node()
        groups = [self.group("web", {"a": [near.text], "b": [far.text]})]
        self.put(lb, self.balancer_of("tier", groups, zonal_shift_enabled=True,
                                      zonal_shift={"zone": "b", "expires": "2100-01-01T00:00:00Z"}))
        lb.wait_for_states({near.text: "healthy", far.text: "healthy"})
        metrics, ids = self.metrics(lb), self.ids(lb)
        self.assertEqual(metrics.value("ActiveZonalShiftHostCount", **ids), 1)
        self.assertEqual(metrics.value("ActiveZonalShiftHostCount", **ids, AvailabilityZone="b"), 1)
        self.assertEqual(metrics.value("ActiveZonalShiftHostCount", **ids, AvailabilityZone="a"), 0)


class Parser(unittest.TestCase):
    """The parser that the tests above trust."""
    GOOD = b"""# HELP a_total What a is.
# TYPE a_total counter
a_total 1
a_total{x="1",y="\\"\\\\\\n"} 2.5e3
# HELP h Seconds.
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 3
h_sum 4.5
h_count 3
"""

    def test_a_right_text(self):
        text = Exposition(self.GOOD)
        self.assertEqual(text.value("a_total"), 1)
        self.assertEqual(text.value("a_total", x="1", y='"\\\n'), 2500)
        self.assertEqual(text.value("h", "_bucket", le="0.5"), 1)

    def test_wrong_texts(self):
        changes = {"no end": (b"h_count 3\n", b"h_count 3"), "no help": (b"# HELP a_total What a is.\n", b""),
                   "no type": (b"# TYPE a_total counter\n", b""), "a foreign type": (b"total counter", b"total sum"),
                   "a sample without labels in braces": (b"a_total 1", b"a_total{} 1"),
                   "a series twice": (b"a_total 1\n", b"a_total 1\na_total 1\n"),
                   "a metric in two places": (b"h_count 3\n", b"h_count 3\na_total{x=\"9\"} 1\n"),
                   "not UTF-8": (b'x="1"', b'x="\xff"'), "a quote": (b'x="1"', b'x="1"2"'),
                   "an escape": (b'x="1"', b'x="\\t"'), "a label twice": (b'y="', b'x="'),
                   "a comma too many": (b'x="1",', b'x="1",,'), "a last comma": (b'"} 2.5', b'",} 2.5'),
                   "no number": (b"2.5e3", b"2.5e"), "hexadecimal": (b"2.5e3", b"0x1"), "two blanks": (b"h_sum 4", b"h_sum  4"),
                   "a negative counter": (b"a_total 1", b"a_total -1"), "no +Inf": (b"+Inf", b"7"),
                   "not cumulative": (b'"0.5"} 1', b'"0.5"} 4'), "another count": (b"h_count 3", b"h_count 2"),
                   "no sum": (b"h_sum 4.5\n", b""), "bounds out of order": (b'"0.5"} 1\n', b'"0.5"} 1\nh_bucket{le="0.2"} 1\n'),
                   "a sample of another metric": (b"h_sum 4.5", b"hh_sum 4.5"), "an empty line": (b"h_sum", b"\nh_sum"),
                   "a bucket of a counter": (b'x="1"', b'le="1"')}
        for what, (before, after) in changes.items():
            with self.subTest(what=what):
                self.assertEqual(self.GOOD.count(before), 1)
                with self.assertRaises(ExpositionError):
                    Exposition(self.GOOD.replace(before, after))


if __name__ == "__main__":
    unittest.main()
