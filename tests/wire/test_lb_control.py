"""How a node is told what to be.

The control plane sends the whole configuration with a generation; the node takes all of it or nothing, never drops a
connection for a change that does not concern it, and tells what it sees. And the command line: what is wrong is named,
with the flag, the value and what would be right.
"""

import json
import os
import signal
import socket
import threading

import harness
from balancer import Balancer, LoadBalancerTest, split_log_line


def group(name, *targets, **settings):
    check = {"path": "/healthz", "interval": 0.1, "timeout": 2, "unrestricted": True, "healthy_threshold": 2,
             "unhealthy_threshold": 2}
    return {"name": name, "health_check": check, "targets": list(targets), **settings}


def spec(target, identity=None, address=None, zone="eu-west-1a"):
    return {"id": identity or f"i-{target.port:017x}", "address": address or f"172.31.16.10:{target.port}",
            "wire": target.text, "zone": zone}


def listener(*sockets, port=80, to="web", **settings):
    return {"name": "http", "port": port, "sockets": list(sockets),
            "default_action": {"type": "forward", "target_groups": [{"target_group": to, "weight": 1}]}, **settings}


def desired(generation, *balancers):
    return {"generation": generation, "load_balancers": list(balancers)}


class ControlChannel(LoadBalancerTest):
    def node(self, **options):
        """A node without any configuration."""
        return Balancer(self.start("rr-lb", "--admin", "127.0.0.1:0", **options), listens=False)

    def put(self, lb, content, expect=200):
        return lb.admin("/desired", "PUT", content, expect)

    def address_of(self, lb, balancer=0, socket_number=0):
        return lb.observed()["load_balancers"][balancer]["listeners"][0]["sockets"][socket_number]["address"]

    def test_an_empty_node_waits_for_its_configuration(self):
        target = self.target(name="web")
        lb = self.node()
        self.assertEqual(lb.admin("/healthz"), {"status": "ok"})
        self.assertEqual(lb.observed()["load_balancers"], [])
        config = desired(1, {"name": "tier", "listeners": [listener("127.0.0.1:0", port=8080)],
                             "target_groups": [group("web", spec(target))]})
        self.assertEqual(self.put(lb, config), {"generation": 1})
        lb.program.wait_for(r"^listening on 127\.0\.0\.1:\d+$")
        lb.wait_for_states({f"172.31.16.10:{target.port}": "healthy"})
        address = self.address_of(lb)
        self.assertEqual(harness.fetch(address).text, "web")
        seen = target.requests()[0]
        self.assertEqual(seen.header("x-forwarded-port"), "8080", "the logical port, not the socket's")
        self.assertEqual(target.health_requests[0].header("host"), f"172.31.16.10:{target.port}")
        observed = lb.observed()
        one = observed["load_balancers"][0]["target_groups"][0]["targets"][0]
        self.assertEqual({k: one[k] for k in ("id", "port", "zone", "state", "reason", "description", "outstanding",
                                              "requests", "status_2xx", "connection_errors")},
                         {"id": f"i-{target.port:017x}", "port": target.port, "zone": "eu-west-1a", "state": "healthy",
                          "reason": "", "description": "", "outstanding": 0, "requests": 1, "status_2xx": 1,
                          "connection_errors": 0})
        self.assertEqual((observed["generation"], observed["stopping"]), (1, False))

    def test_generations(self):
        lb = self.node()
        five = desired(5, {"name": "tier"})
        self.assertEqual(self.put(lb, five), {"generation": 5})
        self.assertEqual(self.put(lb, five), {"generation": 5}, "the same again is fine")
        older = self.put(lb, desired(4, {"name": "tier"}), expect=409)
        self.assertEqual(older["generation"], 5)
        self.assertIn("4 is older than 5", older["errors"][0])
        changed = self.put(lb, desired(5, {"name": "other"}), expect=409)
        self.assertIn("another configuration", changed["errors"][0])
        self.assertEqual(self.put(lb, desired(6, {"name": "other"})), {"generation": 6})
        self.assertEqual([one["name"] for one in lb.observed()["load_balancers"]], ["other"])
        self.assertIn("control plane", lb.admin("/targets", "PUT", {"targets": []}, expect=409)["errors"][0])

    def test_a_wrong_configuration_changes_nothing_and_every_error_is_listed(self):
        target = self.target(name="web")
        lb = self.node()
        good = {"name": "tier", "listeners": [listener("127.0.0.1:0")], "target_groups": [group("web", spec(target))]}
        self.put(lb, desired(1, good))
        address = self.address_of(lb)
        bad = json.loads(json.dumps(good))
        bad["target_groups"][0]["health_check"]["unhealthy_threshold"] = 11
        bad["target_groups"][0]["deregistration_delay"] = 7200
        bad["listeners"][0]["default_action"]["target_groups"][0]["target_group"] = "nobody"
        errors = "\n".join(self.put(lb, desired(2, bad), expect=400)["errors"])
        for part in ("unhealthy_threshold", "deregistration_delay", "'nobody' is not a target group"):
            self.assertIn(part, errors)
        form = self.put(lb, {"generation": "x", "load_balancers": [{"naem": 1}]}, expect=400)["errors"]
        self.assertEqual(len(form), 2, form)
        self.put(lb, b"{", expect=400)
        self.assertEqual(lb.observed()["generation"], 1)
        self.assertEqual(harness.fetch(address).text, "web")

    def test_a_socket_that_cannot_be_opened_changes_nothing(self):
        lb = self.node()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            config = desired(1, {"name": "tier", "listeners": [listener("127.0.0.1:0", f"127.0.0.1:{port}")],
                                 "target_groups": [group("web")]})
            errors = self.put(lb, config, expect=503)["errors"]
            self.assertIn(f"127.0.0.1:{port} is in use", errors[0])
            self.assertEqual(lb.observed()["load_balancers"], [])
        self.assertEqual(self.put(lb, config), {"generation": 1})

    def test_an_unrelated_change_drops_no_connection(self):
        target = self.target(lambda e: "quick" if e.request.path == "/quick" else e.hold() and "slow")
        lb = self.node()
        tier = {"name": "tier", "listeners": [listener("127.0.0.1:0")], "target_groups": [group("web", spec(target))]}
        self.put(lb, desired(1, tier))
        address = self.address_of(lb)
        kept, busy = self.connect(address), self.connect(address)
        self.assertEqual(kept.get("/quick").text, "quick")
        busy.request("GET", "/slow")
        target.wait_for_requests(2)
        tier["idle_timeout"] = 30
        tier["target_groups"].append(group("spare"))
        other = {"name": "other", "listeners": [listener("127.0.0.1:0")], "target_groups": [group("web")]}
        self.put(lb, desired(2, other, tier))
        self.assertEqual(self.address_of(lb, balancer=1), address, "its socket is the same")
        self.assertEqual(kept.get("/quick").text, "quick")
        self.assertEqual(harness.fetch(self.address_of(lb)).status, 503, "the other one serves too")
        target.release()
        self.assertEqual(busy.read_response().text, "slow")

    def test_a_socket_goes_to_whoever_wants_its_endpoint(self):
        # The balancer gets another name: its socket moves, nobody who connects meanwhile is refused.
        target = self.target(name="t")
        lb = self.node()
        host, port = harness.free_address()
        def config(generation, name):
            return desired(generation, {"name": name, "listeners": [listener(f"{host}:{port}")],
                                        "target_groups": [group("web", spec(target))]})
        self.put(lb, config(1, "before"))
        before = len(harness.open_descriptors(lb.program.pid))
        self.put(lb, config(2, "after"))
        self.assertEqual(harness.fetch((host, port)).text, "t")
        # At most the kept connection to the target is more.
        harness.eventually(lambda: len(harness.open_descriptors(lb.program.pid)) <= before + 1, "no socket is left over")
        self.assertEqual(len([line for line in lb.program.lines() if line.startswith("listening on")]), 1)

    def test_a_listener_moves_to_every_address_of_its_port_and_back(self):
        # The new socket and the old one stand in each other's way, so both are open for a moment. Whoever is connected
        # stays, whoever connects meanwhile is never refused, and a move that cannot be made changes nothing.
        target = self.target(lambda e: "quick" if e.request.path == "/quick" else e.hold() and "slow")
        lb = self.node()
        _, port = harness.free_address()
        def config(generation, *sockets):
            return desired(generation, {"name": "tier", "listeners": [listener(*sockets)],
                                        "target_groups": [group("web", spec(target))]})
        self.put(lb, config(1, f"127.0.0.1:{port}"))
        kept, busy = self.connect(("127.0.0.1", port)), self.connect(("127.0.0.1", port))
        self.assertEqual(kept.get("/quick").text, "quick")
        busy.request("GET", "/slow")
        target.wait_for_requests(2)
        stop, answers = threading.Event(), []
        def knock():
            while not stop.is_set():
                try:
                    answers.append(harness.fetch(("127.0.0.1", port), "/quick").text)
                except Exception as error:  # refused or reset: shown by the assertion
                    answers.append(repr(error))
        knocking = threading.Thread(target=knock)
        knocking.start()
        try:
            for generation in range(2, 12):
                self.put(lb, config(generation, f"{('127.0.0.1', '0.0.0.0')[generation % 2 == 0]}:{port}"))
                self.assertEqual(kept.get("/quick").text, "quick")
        finally:
            stop.set()
            knocking.join()
        self.assertGreater(len(answers), 0)
        self.assertEqual(set(answers), {"quick"})
        self.put(lb, config(12, f"0.0.0.0:{port}"))
        self.assertEqual(harness.fetch(("127.0.0.2", port), "/quick").text, "quick")
        with socket.socket() as intruder:
            intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with self.assertRaises(OSError):
                intruder.bind(("127.0.0.1", port))
        with socket.socket() as taken:
            taken.bind(("127.0.0.3", 0))
            taken.listen()
            other = "%s:%d" % taken.getsockname()
            errors = self.put(lb, config(13, f"127.0.0.1:{port}", other), expect=503)["errors"]
            self.assertIn(f"{other} is in use", errors[0])
            self.assertEqual(harness.fetch(("127.0.0.2", port), "/quick").text, "quick", "the old socket stays")
        target.release()
        self.assertEqual(busy.read_response().text, "slow")

    def test_a_balancer_that_is_removed_finishes_what_it_has(self):
        target = self.target(lambda e: "quick" if e.request.path == "/quick" else e.hold() and "slow")
        lb = self.node()
        tier = {"name": "tier", "listeners": [listener("127.0.0.1:0")],
                "target_groups": [group("web", spec(target), deregistration_delay=20)]}
        self.put(lb, desired(1, tier))
        address = self.address_of(lb)
        idle, busy = self.connect(address), self.connect(address)
        self.assertEqual(idle.get("/quick").text, "quick")
        busy.request("GET", "/slow")
        target.wait_for_requests(2)
        self.put(lb, desired(2))
        idle.wait_closed()
        with self.assertRaises(ConnectionRefusedError):
            harness.Connection(address)
        target.release()
        response = busy.read_response()
        self.assertEqual((response.text, response.header("connection")), ("slow", "close"))
        busy.wait_closed()

    def test_an_inherited_socket_and_leaving_dns(self):
        # Two nodes share one front socket, as two zones do. One ceases to accept: the other serves everybody, and
        # what was connected to the first goes on there.
        with socket.socket() as front:
            front.bind(("127.0.0.1", 0))
            front.listen(128)
            os.set_inheritable(front.fileno(), True)
            address = "%s:%d" % front.getsockname()
            a, b = self.target(name="a"), self.target(name="b")
            nodes = []
            for target in (a, b):
                lb = self.node(pass_fds=(front.fileno(),))
                config = {"name": "tier", "listeners": [listener(f"fd:{front.fileno()}")],
                          "target_groups": [group("web", spec(target))]}
                self.put(lb, desired(1, config))
                nodes.append((lb, config))
            kept = {}
            while set(kept) != {"a", "b"}:
                client = self.connect(address)
                kept[client.get().text] = client
            lb, config = nodes[0]
            config["listeners"][0]["accepting"] = False
            self.put(lb, desired(2, config))
            observed = lb.observed()["load_balancers"][0]["listeners"][0]
            self.assertEqual((observed["accepting"], observed["sockets"][0]["accepting"]), (False, False))
            self.assertEqual({harness.fetch(address).text for _ in range(20)}, {"b"})
            self.assertEqual(kept["a"].get().text, "a")
            config["listeners"][0]["accepting"] = True
            self.put(lb, desired(3, config))
            harness.eventually(lambda: harness.fetch(address).text == "a", "it accepts again")

    def test_a_changed_wire_address_moves_the_target_and_keeps_its_health(self):
        old, new = self.target(name="old"), self.target(name="new")
        lb = self.node()
        def config(generation, target):
            one = {"id": "i-1", "address": "172.31.16.10:8080", "wire": target.text}
            return desired(generation, {"name": "tier", "listeners": [listener("127.0.0.1:0")],
                                        "target_groups": [group("web", one)]})
        self.put(lb, config(1, old))
        lb.wait_for_states({"172.31.16.10:8080": "healthy"})
        with self.connect(self.address_of(lb)) as client:
            self.assertEqual(client.get().text, "old")
            since = lb.targets()["172.31.16.10:8080"]["since"]
            self.put(lb, config(2, new))
            self.assertEqual(client.get().text, "new")
            self.assertEqual(lb.targets()["172.31.16.10:8080"]["since"], since)

    def test_a_fixed_response(self):
        lb = self.node()
        fixed = {"type": "fixed-response", "status": 418, "content_type": "text/plain", "body": "short and stout"}
        config = {"name": "tier", "listeners": [{"port": 80, "sockets": ["127.0.0.1:0"], "default_action": fixed}]}
        self.put(lb, desired(1, config))
        response = harness.fetch(self.address_of(lb))
        self.assertEqual((response.status, response.text, response.header("content-type"), response.header("server")),
                         (418, "short and stout", "text/plain; charset=utf-8", "awselb/2.0"))

    def test_the_configuration_can_be_read_back_and_put_again(self):
        target = self.target()
        lb = self.balancer(target)
        config = lb.admin("/config")
        config["generation"] = 7
        self.assertEqual(self.put(lb, config), {"generation": 7})
        self.assertEqual(lb.admin("/config"), config)
        self.assertEqual(harness.fetch(lb.address).status, 200)

    def test_what_the_admin_interface_does_not_know(self):
        lb = self.node()
        self.assertIn("/nothing does not exist", lb.admin("/nothing", expect=404)["errors"][0])
        response = harness.fetch(lb.admin_address, "/desired")
        self.assertEqual((response.status, response.header("allow")), (405, "PUT"))
        self.assertIn("drains_since", lb.admin("/observed?cursor=1", expect=400)["errors"][0])

    def test_an_admin_interface_on_a_unix_socket(self):
        path = self.folder / "admin.sock"
        program = self.start("rr-lb", "--admin", f"unix:{path}")
        program.wait_for(r"^admin on unix:" + str(path))
        answer = harness.curl("--unix-socket", path, "http://node/healthz")
        self.assertEqual((answer.status, json.loads(answer.text)), (200, {"status": "ok"}))


class AccessLog(LoadBalancerTest):
    def test_a_line_a_request_and_a_new_file_after_sighup(self):
        lb = self.balancer(self.target())
        self.assertEqual(harness.fetch(lb.address, "/first").status, 200)
        log = self.folder / "access.log"
        harness.eventually(lambda: "/first" in log.read_text(), "it is flushed by itself")
        log.rename(self.folder / "old.log")
        lb.program.send_signal(signal.SIGHUP)
        harness.eventually(log.exists, "the file is opened anew")
        self.assertEqual(harness.fetch(lb.address, "/second").status, 200)
        line, = self.log_lines(lb)
        self.assertIn("/second", line)
        self.assertEqual(len(split_log_line(line)), 34)

    def test_on_standard_output_nothing_else_is_said_there(self):
        target = self.target()
        program = self.start("rr-lb", "--listen", "127.0.0.1:0", "--target", target.text, "--access-log", "-")
        address = program.wait_for(r"^listening on (\S+)$", stream="stderr").group(1)
        harness.fetch(address, "/x")
        program.stop()
        line, = program.lines("stdout")
        self.assertRegex(line, r"^http .* TID_[0-9a-f]{32} ")


class CommandLine(LoadBalancerTest):
    USAGE = [
        (["--lisen", "127.0.0.1:1"], "--lisen"),
        (["extra"], "--help"),
        ([], "nothing to do"),
        (["--target", "127.0.0.1:1"], "--listen is missing"),
        (["--listen", "localhost:8080"], "--listen: 'localhost:8080'"),
        (["--listen", "127.0.0.1:99999"], "--listen: '127.0.0.1:99999'"),
        (["--listen", "127.0.0.1:0", "--target", "nowhere"], "--target: 'nowhere'"),
        (["--listen", "127.0.0.1:0", "--target", "127.0.0.1:0"], "--target: '127.0.0.1:0': port 0"),
        (["--listen", "127.0.0.1:0", "--target", "127.0.0.1:1", "--target", "127.0.0.1:1"], "comes twice"),
        (["--listen", "127.0.0.1:0", "--health-path", "healthz"], "--health-path: 'healthz' does not begin with /"),
        (["--listen", "127.0.0.1:0", "--health-interval", "400"], "--health-interval:"),
        (["--listen", "127.0.0.1:0", "--health-interval", "soon"], "--health-interval: 'soon' is not a duration"),
        (["--listen", "127.0.0.1:0", "--health-timeout", "0.5"], "--health-timeout:"),
        (["--listen", "127.0.0.1:0", "--healthy-threshold", "1"], "--healthy-threshold:"),
        (["--listen", "127.0.0.1:0", "--unhealthy-threshold", "x"], "--unhealthy-threshold: 'x' is not a whole number"),
        (["--listen", "127.0.0.1:0", "--matcher", "600"], "--matcher:"),
        (["--listen", "127.0.0.1:0", "--idle-timeout", "5000"], "--idle-timeout:"),
        (["--listen", "127.0.0.1:0", "--deregistration-delay", "4000"], "--deregistration-delay:"),
        (["--listen", "127.0.0.1:0", "--algorithm", "fastest"], "--algorithm: 'fastest'"),
        (["--listen", "127.0.0.1:0", "--stop-timeout", "-1"], "--stop-timeout"),
        (["--listen", "127.0.0.1:0", "--admin", "nowhere"], "--admin: 'nowhere'"),
        (["--config", "/nonexistent.yaml"], "--config: /nonexistent.yaml cannot be read"),
        (["--listen"], "--listen"),
    ]

    def test_each_mistake_is_named_in_one_line(self):
        for words, mention in self.USAGE:
            with self.subTest(words):
                self.assert_usage_error(self.run_program("rr-lb", *words), "rr-lb: ", mention)

    def test_what_cannot_be_started_exits_with_3_and_names_the_flag(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            for words, flag in ((["--listen", address], "--listen"),
                                (["--listen", "127.0.0.1:0", "--admin", address], "--admin")):
                finished = self.run_program("rr-lb", *words)
                self.assertEqual(finished.returncode, 3, finished)
                self.assertIn(f"rr-lb: {flag}: {address} is in use", finished.stderr)
        finished = self.run_program("rr-lb", "--listen", "127.0.0.1:0", "--access-log", "/nonexistent/x.log")
        self.assertEqual(finished.returncode, 3, finished)
        self.assertIn("--access-log: /nonexistent/x.log", finished.stderr)

    def test_help_and_version(self):
        finished = self.run_program("rr-lb", "--help")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        for part in ("--listen", "--deregistration-delay", "examples:", "SIGTERM"):
            self.assertIn(part, finished.stdout)
        version = (harness.ROOT / "VERSION").read_text().strip()
        self.assertEqual(self.run_program("rr-lb", "--version").stdout, f"rr-lb {version}\n")

    def test_a_file_says_the_same_and_the_command_line_wins(self):
        a, b = self.target(name="a"), self.target(name="b")
        config = self.folder / "lb.yaml"
        config.write_text(f"""
admin: 127.0.0.1:0
load_balancers:
  - name: tier
    listeners:
      - sockets: ["127.0.0.1:0"]
        default_action: {{type: forward, target_groups: [web]}}
    target_groups:
      - name: web
        health_check: {{path: /healthz, interval: 0.1, timeout: 1, unrestricted: true}}
        targets: ["{a.text}"]
""")
        lb = Balancer(self.start("rr-lb", "--config", config))
        lb.wait_for_states({a.text: "healthy"})
        self.assertEqual(harness.fetch(lb.address).text, "a")
        lb = Balancer(self.start("rr-lb", "--config", config, "--target", b.text))
        lb.program.wait_for("the command line overrides", stream="stderr")
        lb.wait_for_states({b.text: "healthy"})
        self.assertEqual(harness.fetch(lb.address).text, "b")

    def test_a_mistake_in_a_file_is_named_with_its_line(self):
        config = self.folder / "lb.yaml"
        config.write_text("load_balancers:\n  - name: tier\n    idle_timout: 60\n")
        self.assert_usage_error(self.run_program("rr-lb", "--config", config),
                                f"{config}:3: load_balancers[0].idle_timout: is not a key here")

    def test_what_is_out_of_its_range_in_a_file_is_named_with_its_line(self):
        config = self.folder / "lb.yaml"
        config.write_text("""load_balancers:
  - name: tier
    idle_timeout: 9000
    listeners:
      - sockets: ["127.0.0.1:0"]
        default_action: {type: forward, target_groups: [{target_group: web, weight: 0}]}
        rules:
          - {priority: 1, conditions: [{field: path-pattern, values: [/a]}], action: {target_groups: [web]}}
          - {priority: 1, conditions: [{field: path-pattern, values: ["*******"]}], action: {target_groups: [web]}}
    target_groups:
      - name: web
        targets:
          - 127.0.0.1:9001
          - 127.0.0.1:9001
""")
        finished = self.run_program("rr-lb", "--config", config)
        self.assertEqual(finished.returncode, 2, finished)
        at = "load_balancers[tier]"
        for line, error in ((3, f"{at}.idle_timeout: 9000s is out of range: 1s to 4000s"),
                            (6, f"{at}.listeners[http].default_action.target_groups: every weight is 0"),
                            (9, f"{at}.listeners[http].rules[1].priority: Priority '1' is currently in use"),
                            (9, f"{at}.listeners[http].rules[1].conditions: A rule can only have '5' wildcards"),
                            (14, f"{at}.target_groups[web].targets[1]: '127.0.0.1:9001' with port 9001 comes twice")):
            self.assertIn(f"rr-lb: {config}:{line}: {error}", finished.stderr)
        # A flag speaks for itself, the rest of the file for its lines.
        finished = self.run_program("rr-lb", "--config", config, "--idle-timeout", "5000")
        self.assertIn("rr-lb: --idle-timeout: 5000s is out of range", finished.stderr)
        self.assertIn(f"rr-lb: {config}:14: ", finished.stderr)

    def test_a_socket_of_a_file_that_cannot_be_opened_is_named_with_its_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            config = self.folder / "lb.yaml"
            config.write_text("load_balancers:\n  - listeners:\n      - sockets:\n          - 127.0.0.1:0\n"
                              f"          - {address}\n        default_action: {{type: fixed-response, status: 200}}\n")
            finished = self.run_program("rr-lb", "--config", config)
            self.assertEqual(finished.returncode, 3, finished)
            self.assertIn(f"rr-lb: {config}:5: {address} is in use", finished.stderr)

    def test_a_file_is_read_again_on_sighup_and_a_wrong_one_changes_nothing(self):
        a, b = self.target(name="a"), self.target(name="b")
        config = self.folder / "lb.yaml"
        text = """admin: 127.0.0.1:0
load_balancers:
  - name: tier
    listeners:
      - sockets: ["127.0.0.1:0"]
        default_action: {type: forward, target_groups: [web]}
    target_groups:
      - name: web
        health_check: {path: /healthz, interval: 0.1, timeout: 1, unrestricted: true}
        targets: ["TARGET"]
"""
        config.write_text(text.replace("TARGET", a.text))
        lb = Balancer(self.start("rr-lb", "--config", config))
        lb.wait_for_states({a.text: "healthy"})
        kept = self.connect(lb.address)
        self.assertEqual(kept.get().text, "a")
        refused = 0
        for wrong, line, error in ((text.replace("interval: 0.1", "interval: 900"), 9, "health_check.interval: 900s is out"),
                                   (text + "        algoritm: x\n", 11, "algoritm: is not a key"),
                                   (text + "  - [\n", None, "")):
            config.write_text(wrong.replace("TARGET", b.text))
            before = lb.admin("/config")
            lb.program.send_signal(signal.SIGHUP)
            refused += 1
            harness.eventually(lambda: len([one for one in lb.program.lines("stderr") if "not taken" in one]) == refused,
                               "the file is refused")
            if line is not None:
                self.assertTrue(any(f"{config}:{line}: " in one and error in one for one in lb.program.lines("stderr")),
                                lb.program.lines("stderr"))
            self.assertEqual(lb.admin("/config"), before)
            self.assertEqual(kept.get().text, "a", "the old configuration serves on")
        config.write_text(text.replace("TARGET", b.text))
        lb.program.send_signal(signal.SIGHUP)
        lb.program.wait_for("read again, and in force", stream="stderr")
        lb.wait_for_states({b.text: "healthy"})
        self.assertEqual(kept.get().text, "b", "over the same connection")
        # What the admin interface changes is not undone by a file that says what it said.
        lb.admin("/targets", "PUT", {"targets": [a.text]})
        lb.program.send_signal(signal.SIGHUP)
        for _ in range(3):  # the signal is heard of no later than the second of them
            group = lb.admin("/config")["load_balancers"][0]["target_groups"][0]
            self.assertEqual([one["id"] for one in group["targets"]], [a.text])

    def test_several_sockets(self):
        target = self.target(name="t")
        path = self.folder / "front.sock"
        program = self.start("rr-lb", "--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--target", target.text)
        address = program.wait_for(r"^listening on (127\S+)$").group(1)
        program.wait_for(f"^listening on unix:{path}$")
        self.assertEqual(harness.fetch(address).text, "t")
        self.assertEqual(harness.curl("--unix-socket", path, "http://x/").text, "t")
