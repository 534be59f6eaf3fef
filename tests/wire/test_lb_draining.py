"""Leaving without loss.

A target is taken out of its group: new requests go elsewhere, the one in progress finishes, or is ended when the delay
is over. And the load balancer itself is told to go: it ceases to accept, finishes what it has, and exits.
"""

import signal
import threading

import harness
from balancer import LoadBalancerTest, split_log_line


class Draining(LoadBalancerTest):
    def drains(self, lb, count):
        harness.eventually(lambda: len(lb.observed()["drains"]) >= count, f"{count} drains ended")
        return lb.observed()["drains"]

    def test_a_request_in_progress_finishes_and_new_ones_go_elsewhere(self):
        old = self.target(lambda e: e.hold() and "old", name="old")
        new = self.target(name="new")
        lb = self.balancer(old, new)
        clients = [self.connect(lb.address) for _ in range(2)]
        for client in clients:
            client.request("GET", "/")
        old.wait_for_requests(1)
        lb.admin("/targets", "PUT", {"targets": [new.text]})
        seen = lb.targets()[old.text]
        self.assertEqual((seen["state"], seen["reason"], seen["outstanding"]),
                         ("draining", "Target.DeregistrationInProgress", 1))
        self.assertEqual({harness.fetch(lb.address).text for _ in range(10)}, {"new"})
        self.assertEqual(lb.observed()["drains"], [])
        old.release()
        self.assertEqual({client.read_response().text for client in clients}, {"old", "new"})
        drain, = self.drains(lb, 1)
        self.assertEqual((drain["id"], drain["port"], drain["outcome"], drain["requests_cut"]),
                         (old.text, old.port, "completed", 0))
        self.assertEqual(lb.observed(since=drain["cursor"])["drains"], [])
        self.assertEqual(lb.targets()[old.text]["state"], "draining", "it is shown until the delay is over")
        old.wait_for(lambda t: t.open_connections == 0, "no connection to it is kept")

    def test_the_end_of_the_delay_ends_the_request_with_502(self):
        slow = self.target(lambda e: e.hold() and None, name="slow")
        lb = self.balancer(slow, flags=("--deregistration-delay", "0.5"))
        client = self.connect(lb.address)
        client.request("GET", "/")
        slow.wait_for_requests(1)
        lb.admin("/targets", "PUT", {"targets": []})
        self.assertEqual(client.read_response().status, 502)
        self.assertEqual(client.get().status, 503, "nobody is left, and the connection goes on")
        drain, = self.drains(lb, 1)
        self.assertEqual((drain["outcome"], drain["requests_cut"]), ("expired", 1))
        self.assertEqual(lb.targets(), {})

    def test_a_response_that_has_begun_is_cut_at_the_end_of_the_delay(self):
        def behaviour(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            exchange.hold()
        slow = self.target(behaviour)
        lb = self.balancer(slow, flags=("--deregistration-delay", "0.5"))
        client = self.connect(lb.address)
        client.request("GET", "/")
        self.assertEqual(client.read_head().status, 200)
        lb.admin("/targets", "PUT", {"targets": []})
        self.assertEqual(client.read_all(), b"abc")
        self.assertEqual(self.drains(lb, 1)[0]["requests_cut"], 1)

    def test_an_idle_target_is_drained_at_once(self):
        one, other = self.target(name="one"), self.target(name="other")
        lb = self.balancer(one, other)
        with self.connect(lb.address) as client:
            for _ in range(2):
                client.get()
            self.assertEqual(lb.targets()[one.text]["idle_connections"], 1)
            lb.admin("/targets", "PUT", {"targets": [other.text]})
            self.assertEqual(self.drains(lb, 1)[0]["outcome"], "completed")
            one.wait_for(lambda t: t.open_connections == 0, "its kept connection is closed")
            self.assertEqual(client.get().text, "other")

    def test_a_target_that_comes_back_begins_anew_after_its_delay(self):
        one = self.target(name="one")
        lb = self.balancer(one, flags=("--deregistration-delay", "0.5"))
        lb.admin("/targets", "PUT", {"targets": []})
        lb.admin("/targets", "PUT", {"targets": [one.text]})
        self.assertEqual(lb.targets()[one.text]["state"], "draining")
        lb.wait_for_states({one.text: "healthy"})
        self.assertEqual(harness.fetch(lb.address).text, "one")

    def test_no_request_is_lost_while_targets_come_and_go(self):
        a, b = self.target(name="a"), self.target(name="b")
        lb = self.balancer(a, b, flags=("--deregistration-delay", "0.1"))
        stop, answers = threading.Event(), []
        def ask():
            with harness.Connection(lb.address) as client:
                while not stop.is_set():
                    answers.append(client.get().status)
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for one in clients:
            one.start()
        for leaving, staying in ((a, b), (b, a)) * 5:
            lb.admin("/targets", "PUT", {"targets": [staying.text]})
            harness.eventually(lambda: leaving.text not in lb.targets(), "it has left")
            lb.admin("/targets", "PUT", {"targets": [a.text, b.text]})
            lb.wait_for_states({a.text: "healthy", b.text: "healthy"})
        stop.set()
        for one in clients:
            one.join()
        self.assertEqual(set(answers), {200})
        self.assertGreater(len(answers), 100)


class GracefulStop(LoadBalancerTest):
    def test_sigterm_finishes_what_is_in_progress(self):
        target = self.target(lambda e: "quick" if e.request.path == "/quick" else e.hold() and "slow")
        lb = self.balancer(target)
        busy, idle = self.connect(lb.address), self.connect(lb.address)
        self.assertEqual(idle.get("/quick").text, "quick")
        busy.request("GET", "/slow")
        target.wait_for_requests(2)
        lb.program.send_signal(signal.SIGTERM)
        idle.wait_closed()
        with self.assertRaises(ConnectionRefusedError):
            harness.Connection(lb.address)
        self.assertEqual(lb.admin("/healthz", expect=503)["status"], "stopping")
        self.assertTrue(lb.observed()["stopping"])
        target.release()
        response = busy.read_response()
        self.assertEqual((response.text, response.header("connection")), ("slow", "close"))
        busy.wait_closed()
        self.assertEqual(lb.program.wait(), 0)
        self.assertEqual([split_log_line(line)[8] for line in self.log_lines()], ["200", "200"])

    def test_a_request_on_a_connection_that_was_just_made_is_answered(self):
        lb = self.balancer(self.target(name="t"))
        with self.connect(lb.address) as client:
            harness.eventually(lambda: lb.observed()["load_balancers"][0]["connections"] == 1, "it is accepted")
            lb.program.send_signal(signal.SIGTERM)
            harness.eventually(lambda: lb.observed()["stopping"], "it is stopping")
            response = client.get()
            self.assertEqual((response.text, response.header("connection")), ("t", "close"))
        self.assertEqual(lb.program.wait(), 0)

    def test_the_limit_ends_what_does_not_finish(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target, flags=("--stop-timeout", "0.3"))
        client = self.connect(lb.address)
        client.request("GET", "/")
        target.wait_for_requests(1)
        lb.program.send_signal(signal.SIGTERM)
        self.assertEqual(client.read_response().status, 503)
        self.assertEqual(lb.program.wait(), 0)

    def test_a_second_signal_ends_at_once(self):
        target = self.target(lambda e: e.hold() and None)
        lb = self.balancer(target, flags=("--stop-timeout", "600"))
        client = self.connect(lb.address)
        client.request("GET", "/")
        target.wait_for_requests(1)
        lb.program.send_signal(signal.SIGINT)
        harness.eventually(lambda: lb.observed()["stopping"], "it is stopping")
        lb.program.send_signal(signal.SIGINT)
        self.assertEqual(lb.program.wait(), 1)

    def test_stop_through_the_admin_interface(self):
        lb = self.balancer(self.target())
        self.assertEqual(lb.admin("/stop", "POST", expect=202), {"status": "stopping"})
        self.assertEqual(lb.program.wait(), 0)
