"""Several workers: from outside they are one load balancer. What clients counted is what the admin interface adds up; a
change is in force everywhere when it is answered; each target is checked once, however many workers there are.
"""

import contextlib
import os
import re
import signal
import threading
import time

import harness
from balancer import Balancer, LoadBalancerTest

WORKERS = 3
CONNECTIONS = 60


class WorkersTest(LoadBalancerTest):
    def crew(self, *targets, flags=(), **options):
        return self.balancer(*targets, flags=("--workers", str(WORKERS), *flags), **options)

    def clients(self, lb, count=CONNECTIONS):
        """Connections that stay open: the kernel has given each to one of the workers."""
        return [self.connect(lb.address) for _ in range(count)]

    def shares(self, lb):
        return [one["connections_accepted"] for one in lb.observed()["workers"]]


class Serving(WorkersTest):
    def test_all_of_them_serve_and_the_sums_are_the_clients(self):
        one, other = self.target(name="one"), self.target(name="other")
        lb = self.crew(one, other)
        answers = [client.get().text for _ in range(3) for client in self.clients(lb)]
        self.assertEqual(len(answers), 3 * CONNECTIONS)
        shares = self.shares(lb)
        self.assertEqual(len(shares), WORKERS)
        self.assertEqual(sum(shares), 3 * CONNECTIONS)
        self.assertGreater(min(shares), 0, "60 connections at a time, and a worker without any")
        observed = lb.observed()["load_balancers"][0]
        self.assertEqual(observed["counters"]["requests"], 3 * CONNECTIONS)
        self.assertEqual(observed["connections"], 3 * CONNECTIONS)
        seen = {name: target.requests() for name, target in (("one", one), ("other", other))}
        for target in (one, other):
            shown = lb.targets()[target.text]
            self.assertEqual(shown["requests"], len(seen[target.name]))
            self.assertEqual(shown["status_2xx"], answers.count(target.name))
        metrics = harness.fetch(lb.admin_address, "/metrics").text
        self.assertRegex(metrics, rf"(?m)^rr_lb_requests_total\{{[^}}]*\}} {3 * CONNECTIONS}$")
        by_worker = re.findall(r'(?m)^rr_lb_worker_connections_accepted_total\{worker="(\d)"\} (\d+)$', metrics)
        self.assertEqual([int(count) for _, count in by_worker], shares)

    def test_the_turn_is_exact_among_the_requests_of_each(self):
        one, other = self.target(name="one"), self.target(name="other")
        lb = self.crew(one, other)
        for client in self.clients(lb, 12):
            answers = [client.get().text for _ in range(10)]
            self.assertEqual({answers[::2] == ["one"] * 5, answers[1::2] == ["one"] * 5}, {True, False}, answers)

    def test_each_target_is_checked_once_each_interval(self):
        target = self.target()
        lb = self.crew(target, flags=("--health-interval", "0.2"))
        before, began = len(target.health_requests), time.monotonic()
        harness.eventually(lambda: len(target.health_requests) >= before + 10, "ten more checks")
        # Were each worker to check, there would be three in an interval. One check may have been due at the beginning.
        self.assertGreater(time.monotonic() - began, 8 * 0.2)
        self.assertEqual(lb.targets()[target.text]["state"], "healthy")

    def test_a_sick_target_is_ejected_everywhere_and_comes_back_everywhere(self):
        sick, well = self.target(name="sick"), self.target(name="well")
        lb = self.crew(sick, well)
        clients = self.clients(lb)
        for status, state, expected in ((500, "unhealthy", {"well"}), (200, "healthy", {"sick", "well"})):
            sick.health_status = status
            lb.wait_for_states({sick.text: state, well.text: "healthy"})

            def answers(clients=clients):
                return {tuple(sorted({client.get().text for _ in range(2)})) for client in clients}
            # The news goes by mail: a moment after the first worker knows, the others do.
            harness.eventually(lambda e=expected: answers() == {tuple(sorted(e))}, f"every worker gives to {expected}")

    def test_the_log_has_every_line_whole(self):
        target = self.target()
        lb = self.crew(target)
        for number, client in enumerate(self.clients(lb, 90)):
            client.request("GET", f"/{number}")
            self.assertEqual(client.read_response().status, 200)
        lines = self.log_lines(lb)
        paths = sorted(int(re.search(r'"GET http://\S+/(\d+) HTTP/1\.1"', line).group(1)) for line in lines)
        self.assertEqual(paths, list(range(90)))

    def test_a_cookie_of_one_is_understood_by_the_others(self):
        targets = [self.target(name=f"target-{number}") for number in range(3)]
        path = self.folder / "sticky.yaml"
        listed = "".join(f"\n      - {one.text}" for one in targets)
        path.write_text(f"""
admin: 127.0.0.1:0
workers: {WORKERS}
load_balancers:
- name: app
  unrestricted: true
  listeners:
  - {{name: http, sockets: ["127.0.0.1:0"], default_action: {{type: forward, target_groups: [web]}}}}
  target_groups:
  - name: web
    stickiness: {{enabled: true}}
    health_check: {{path: /healthz, interval: 100ms, timeout: 2s, unrestricted: true}}
    targets:{listed}
""")
        lb = Balancer(self.start("rr-lb", "--config", path))
        lb.wait_for_states({one.text: "healthy" for one in targets})
        first = harness.fetch(lb.address)
        cookie = "; ".join(line.split(";")[0] for line in first.all("set-cookie"))
        answers = set()
        for client in self.clients(lb):
            client.request("GET", "/", [("Cookie", cookie)])
            answers.add(client.read_response().text)
        self.assertEqual(answers, {first.text})


class Changing(WorkersTest):
    def test_a_change_is_in_force_everywhere_when_it_is_answered(self):
        old, new = self.target(name="old"), self.target(name="new")
        lb = self.crew(old)
        clients = self.clients(lb)
        self.assertEqual({client.get().text for client in clients}, {"old"})
        lb.admin("/targets", "PUT", {"targets": [old.text, new.text]})
        lb.wait_for_states({new.text: "healthy"})
        lb.admin("/targets", "PUT", {"targets": [new.text]})
        # A health check's news may be a moment late, a deregistration not: nobody asks the old one any more.
        before = len(old.requests())
        for client in clients:
            self.assertIn(client.get().status, (200, 503))
        self.assertEqual(len(old.requests()), before)

    def test_a_drain_is_over_when_the_last_worker_has_answered(self):
        old = self.target(lambda e: e.hold() and "old", name="old")
        new = self.target(name="new")
        lb = self.crew(old)
        clients = self.clients(lb, 12)
        for client in clients:
            client.request("GET", "/")
        old.wait_for_requests(12)
        self.assertEqual(lb.targets()[old.text]["outstanding"], 12)
        lb.admin("/targets", "PUT", {"targets": [new.text]})
        self.assertEqual(lb.observed()["drains"], [])
        old.release()
        self.assertEqual({client.read_response().text for client in clients}, {"old"})
        harness.eventually(lambda: lb.observed()["drains"], "the drain has ended")
        drain, = lb.observed()["drains"]
        self.assertEqual((drain["id"], drain["outcome"], drain["requests_cut"]), (old.text, "completed", 0))

    def test_the_end_of_the_delay_cuts_everywhere_and_is_told_once(self):
        slow = self.target(lambda e: e.hold() and None, name="slow")
        lb = self.crew(slow, flags=("--deregistration-delay", "0.5"))
        clients = self.clients(lb, 12)
        for client in clients:
            client.request("GET", "/")
        slow.wait_for_requests(12)
        lb.admin("/targets", "PUT", {"targets": []})
        self.assertEqual({client.read_response().status for client in clients}, {502})
        harness.eventually(lambda: lb.observed()["drains"], "the drain has ended")
        drain, = lb.observed()["drains"]
        self.assertEqual((drain["outcome"], drain["requests_cut"]), ("expired", 12))
        errors = lb.admin("/errors")["load_balancers"][0]
        self.assertEqual((errors["total"], len(errors["errors"])), (12, 12))
        times = [one["time"] for one in errors["errors"]]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_a_listener_that_goes_is_gone_everywhere_and_its_port_is_free(self):
        target = self.target()
        lb = self.crew(target)
        config = lb.admin("/config")
        clients = self.clients(lb, 12)
        self.assertEqual({client.get().status for client in clients}, {200})
        listener = config["load_balancers"][0]["listeners"][0]
        listener["sockets"] = ["127.0.0.2:0"]
        lb.admin("/desired", "PUT", {**config, "generation": 1})
        sockets = lb.observed()["load_balancers"][0]["listeners"][0]["sockets"]
        self.assertNotEqual(sockets[0]["address"], lb.address)
        self.assertEqual({client.get().status for client in clients}, {200}, "those that are there go on")
        harness.eventually(lambda: self.is_refused(lb.address), "nobody listens there any more")
        self.assertEqual({harness.fetch(sockets[0]["address"]).status for _ in range(20)}, {200})

    @staticmethod
    def is_refused(address):
        try:
            harness.Connection(address).close()
        except ConnectionRefusedError:
            return True
        return False


class Ending(WorkersTest):
    def test_sigterm_lets_every_worker_finish(self):
        target = self.target(lambda e: e.hold() and "done")
        lb = self.crew(target)
        clients = self.clients(lb, 12)
        for client in clients:
            client.request("GET", "/")
        target.wait_for_requests(12)
        lb.program.process.send_signal(signal.SIGTERM)
        harness.eventually(lambda: self.is_stopping(lb), "it is stopping")
        target.release()
        self.assertEqual({client.read_response().text for client in clients}, {"done"})
        self.assertEqual(lb.program.process.wait(harness.scaled(10)), 0)
        self.assertEqual(len(self.log_lines()), 12)

    @staticmethod
    def is_stopping(lb):
        with contextlib.suppress(OSError, AssertionError):
            return lb.observed()["stopping"]
        return True

    def test_a_second_signal_ends_it_at_once(self):
        target = self.target(lambda e: e.hold() and "never")
        lb = self.crew(target)
        for client in self.clients(lb, 12):
            client.request("GET", "/")
        target.wait_for_requests(12)
        lb.program.process.send_signal(signal.SIGTERM)
        harness.eventually(lambda: self.is_stopping(lb), "it is stopping")
        lb.program.process.send_signal(signal.SIGTERM)
        self.assertEqual(lb.program.process.wait(harness.scaled(10)), 1)

    def test_nothing_is_lost_while_the_configuration_changes_under_load(self):
        targets = [self.target(name=f"target-{number}") for number in range(3)]
        lb = self.crew(*targets)
        statuses, over = [], threading.Event()

        def load():
            while not over.is_set():
                with harness.Connection(lb.address) as client:
                    statuses.extend(client.get().status for _ in range(5))
        threads = [threading.Thread(target=load) for _ in range(6)]
        for thread in threads:
            thread.start()
        try:
            for turn in range(20):
                lb.admin("/targets", "PUT", {"targets": [targets[0].text, targets[1 + turn % 2].text]})
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(statuses), {200})
        self.assertEqual(lb.observed()["load_balancers"][0]["counters"]["requests"], len(statuses))


class Starting(WorkersTest):
    def test_auto_is_one_for_each_processor(self):
        target = self.target()
        lb = self.balancer(target, flags=("--workers", "auto"))
        self.assertEqual(len(lb.observed()["workers"]), min(64, len(os.sched_getaffinity(0))))

    def test_a_port_in_use_is_refused_although_it_is_shared_among_them(self):
        lb = self.crew(self.target())
        done = self.run_program("rr-lb", "--listen", lb.address, "--target", "127.0.0.1:9", "--workers", "2")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(f"--listen: {lb.address} is in use by another program", done.stderr)

    def test_how_many_is_checked(self):
        for value in ("0", "65", "many", "-1", "2.5"):
            with self.subTest(value):
                done = self.run_program("rr-lb", "--listen", "127.0.0.1:0", "--target", "127.0.0.1:9", "--workers", value)
                self.assert_usage_error(done, "--workers", f"'{value}'", "1 to 64, or auto")
        path = self.folder / "bad.yaml"
        path.write_text("admin: 127.0.0.1:0\nworkers: several\nload_balancers: []\n")
        self.assert_usage_error(self.run_program("rr-lb", "--config", path), "bad.yaml:2: workers: 'several'")
