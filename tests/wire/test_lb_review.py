#!/usr/bin/env python3
"""What a hostile reading of rr-lb found, each as a small story that once ended badly: a target that moves while it
answers, clients in the kernel's queue when the process is told to stop, a log that nobody reads, a flood of clients
that leaves no descriptor for the health checks, a health page larger than anybody would write."""

import json
import os
import signal

import harness
from balancer import QUICK, Balancer, LoadBalancerTest, split_log_line


def flags_of(settings):
    return [part for pair in settings.items() for part in pair]


class Moves(LoadBalancerTest):
    def test_a_connection_to_where_a_target_was_is_not_used_again(self):
        """The wire address changes while a request is in progress. Its connection leads to whoever is at the old
        address now: another instance, by then."""
        old = self.target(lambda e: e.hold() and "old" if e.request.path == "/slow" else "old")
        new = self.target(lambda e: "new")
        lb = self.balancer(wait=False)
        def move_to(target):
            lb.admin("/targets", "PUT", {"targets": [{"id": "i-1", "address": "172.31.16.10:8080",
                                                      "wire": target.text}]})
        move_to(old)
        lb.wait_for_states({"172.31.16.10:8080": "healthy"})
        slow, other = self.connect(lb.address), self.connect(lb.address)
        slow.request("GET", "/slow")
        old.wait_for_requests(1)
        move_to(new)
        old.release()
        self.assertEqual(slow.read_response().text, "old")
        self.assertEqual([other.get().text for _ in range(3)], ["new"] * 3)


class Queues(LoadBalancerTest):
    QUEUED = 600  # more than are accepted in one pass of the loop (256), fewer than the backlog (1024)

    def stopped_with_a_queue(self, lb):
        """Clients that connected and asked while the process was stopped."""
        lb.program.send_signal(signal.SIGSTOP)
        clients = [self.connect(lb.address) for _ in range(self.QUEUED)]
        for client in clients:
            client.request("GET", "/")
        return clients

    def test_whoever_connected_before_sigterm_is_answered(self):
        lb = self.balancer(self.target())
        clients = self.stopped_with_a_queue(lb)
        lb.program.send_signal(signal.SIGTERM)
        lb.program.send_signal(signal.SIGCONT)
        self.assertEqual({client.read_response().status for client in clients}, {200})
        self.assertEqual(lb.program.wait(), 0)

    def test_whoever_connected_before_a_listener_was_removed_is_answered(self):
        """By a 503, as the listener has gone by then; a reset would tell nobody why."""
        lb = self.balancer(self.target())
        config = lb.admin("/config")
        config["generation"] += 1
        config["load_balancers"] = []
        admin = self.connect(lb.admin_address)
        clients = self.stopped_with_a_queue(lb)
        admin.request("PUT", "/desired", body=json.dumps(config))
        lb.program.send_signal(signal.SIGCONT)
        self.assertEqual(admin.read_response().status, 200)
        self.assertLessEqual({client.read_response().status for client in clients}, {200, 503})


class Logs(LoadBalancerTest):
    def test_a_log_that_nobody_reads_holds_no_request_up(self):
        target = self.target()
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        # The child opens the pipe by its name and keeps no other end of it.
        lb = Balancer(self.start("rr-lb", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--unrestricted",
                                 "--access-log", f"/proc/{os.getpid()}/fd/{writing}", "--target", target.text,
                                 *flags_of(QUICK)))
        lb.wait_for_states({target.text: "healthy"})
        client = self.connect(lb.address)
        # A pipe holds 64 KiB, each line more than 1 KiB.
        for _ in range(200):
            self.assertEqual(client.get("/" + "q" * 1024).status, 200)


class Exhaustion(LoadBalancerTest):
    def test_a_flood_of_clients_leaves_descriptors_for_targets_health_checks_and_the_operator(self):
        """More clients connect than the process may have descriptors, and say nothing. Without a reserve no health
        check could be made, every target would be sick, and an Auto Scaling group would replace them all."""
        target = self.target()
        limit = 96
        lb = Balancer(self.start("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", harness.program("rr-lb"),
                                 "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--unrestricted",
                                 "--target", target.text, *flags_of(QUICK)))
        lb.wait_for_states({target.text: "healthy"})
        first = self.connect(lb.address)
        flood = [self.connect(lb.address) for _ in range(2 * limit)]
        connections = lambda: lb.observed()["load_balancers"][0]["connections"]
        before = len(target.health_requests)
        harness.eventually(lambda: len(target.health_requests) >= before + 5 and connections() > limit // 2,
                           "health checks are made all the while")
        self.assertLess(connections(), limit - limit // 4)
        self.assertEqual(first.get().status, 200)
        self.assertEqual(lb.targets()[target.text]["state"], "healthy")
        for one in flood:
            one.close()
        with self.connect(lb.address) as late:  # waits in the queue until there is room
            self.assertEqual(late.get().status, 200)
        self.assertNotIn("unhealthy", lb.program.text())

    def test_a_head_that_comes_byte_by_byte_has_an_end(self):
        lb = self.balancer(self.target(), flags=("--idle-timeout", "1"))
        client = self.connect(lb.address)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        client.socket.settimeout(0.2)
        came = b""
        for _ in range(100):  # 20 s, each byte well within the idle timeout of the one before
            try:
                client.send(b"x")
                came = client.socket.recv(4096)
                break
            except TimeoutError:
                continue
        self.assertTrue(came.startswith(b"HTTP/1.1 408 "), came)


class HealthPages(LoadBalancerTest):
    def test_a_large_page_is_a_healthy_one(self):
        def behaviour(exchange):
            exchange.respond(200, b"x" * (3 << 20))
        target = self.target(behaviour, health_path="/none")
        lb = self.balancer(target, flags=("--health-path", "/large", "--health-interval", "0.5"), wait=False)
        lb.wait_for_states({target.text: "healthy"})


class LogLines(LoadBalancerTest):
    def test_whoever_is_answered_here_has_a_trace_id_in_the_log(self):
        lb = self.balancer()
        with self.connect(lb.address) as client:
            self.assertEqual(client.get().status, 503)
            self.assertEqual(client.get("/", {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}).status,
                             503)
            client.request("TRACE", "/")
            self.assertEqual(client.read_response().status, 405)
        traces = [split_log_line(line)[17] for line in self.log_lines(lb)]
        new = r"1-[0-9a-f]{8}-[0-9a-f]{24}"
        self.assertRegex(traces[0], f"^Root={new}$")
        self.assertRegex(traces[1], f"^Self={new};Root=1-67891233-abcdef012345678912345678$")
        self.assertRegex(traces[2], f"^Root={new}$")
