"""WebSocket and other upgrades: a 101 makes a tunnel out of two connections.

A scripted target switches protocols, or declines to. The judge looks at the handshake on both sides, at bytes in both
directions (those that came too early among them), at back-pressure, at how a tunnel ends and what the log says of it.
What no tunnel may follow stays HTTP: h2c, an upgrade that Connection does not name, a 101 that nobody asked for.
"""

import hashlib
import threading

import harness
from balancer import LoadBalancerTest, split_log_line

ASK = (b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def echo(exchange, prefix=b"", greeting=b""):
    """Switches, then returns every byte until the client is done."""
    exchange.send(SWITCH + greeting)
    while piece := exchange.connection.read_some():
        exchange.connection.send(prefix + piece)
    exchange.close()


def ask_for(protocol, connection=b"Upgrade"):
    return b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: " + connection + b"\r\nUpgrade: " + protocol + b"\r\n\r\n"


class Tunnels(LoadBalancerTest):
    def opened(self, lb, content=ASK):
        client = self.connect(lb.address)
        client.send(content)
        head = client.read_head()
        self.assertEqual(head.status, 101)
        return client, head

    def test_a_websocket_is_a_tunnel_in_both_directions(self):
        target = self.target(lambda e: echo(e, greeting=b"hello"))
        lb = self.balancer(target)
        client, head = self.opened(lb)
        self.assertEqual([(n, v) for n, v in head.headers if n != "Sec-WebSocket-Accept"],
                         [("Connection", "upgrade"), ("Upgrade", "websocket")])
        self.assertEqual(head.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual(client._take(5), b"hello", "what came behind the 101 is passed on")
        for message in (b"\x81\x85\x00\x01\x02\x03abcde", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", bytes(range(256))):
            client.send(message)
            self.assertEqual(client._take(len(message)), message)
        seen = target.requests()
        self.assertEqual([one.path for one in seen], ["/chat"])
        self.assertEqual((seen[0].all("connection"), seen[0].all("upgrade")), (["upgrade"], ["websocket"]))
        self.assertEqual(seen[0].header("sec-websocket-version"), "13")
        self.assertEqual(seen[0].header("x-forwarded-for"), "127.0.0.1")
        client.close()
        target.wait_for(lambda t: t.open_connections == 0, "the target's connection is closed")
        fields = split_log_line(self.log_lines(lb)[0])
        # Everything is counted: the messages (the first has 11 bytes) each way beside the handshake, 5 of greeting.
        messages = 11 + len(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") + 256
        self.assertEqual((fields[0], fields[8:11]), ("ws", ["101", "101", str(len(ASK) + messages)]))
        self.assertEqual(int(fields[11]), len(head.raw_head) + 5 + messages)

    def test_what_the_client_sends_too_early_is_for_the_tunnel(self):
        target = self.target(lambda e: e.hold() and echo(e))
        lb = self.balancer(target)
        client = self.connect(lb.address)
        early = b"GET /early HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(ASK + early)
        target.wait_for_requests(1)
        client.send(b"more")
        target.release()
        self.assertEqual(client.read_head().status, 101)
        self.assertEqual(client._take(len(early) + 4), early + b"more")
        self.assertEqual([one.path for one in target.requests()], ["/chat"])

    def test_what_was_sent_too_early_is_no_request_when_the_target_declines(self):
        target = self.target(lambda e: e.respond(200, "no"))
        lb = self.balancer(target)
        with self.connect(lb.address) as client:
            client.send(ASK + b"GET /early HTTP/1.1\r\nHost: a\r\n\r\n")
            response = client.read_response()
            self.assertEqual((response.status, response.text, response.header("connection")), (200, "no", "close"))
            client.wait_closed()
        self.assertEqual([one.path for one in target.requests()], ["/chat"])
        harness.fetch(lb.address)
        self.assertEqual(len({one.connection for one in target.requests()}), 1, "the target's connection is as good as new")

    def test_what_was_sent_too_early_is_no_request_when_the_load_balancer_answers(self):
        target = self.target()
        lb = self.balancer(target)
        lb.admin("/targets", "PUT", {"targets": []})
        with self.connect(lb.address) as client:
            client.send(ASK + b"GET /early HTTP/1.1\r\nHost: a\r\n\r\n")
            response = client.read_response()
            self.assertEqual((response.status, response.header("connection")), (503, "close"))
            client.wait_closed()
        self.assertEqual(len(self.log_lines(lb)), 1)

    def test_any_protocol_that_the_target_accepts(self):
        target = self.target(lambda e: e.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                                              b"Upgrade: irc/6.9\r\n\r\nready") or e.connection.read_all())
        lb = self.balancer(target)
        client, head = self.opened(lb, ask_for(b"irc/6.9"))
        self.assertEqual((head.header("upgrade"), client._take(5)), ("irc/6.9", b"ready"))

    def test_h2c_is_never_passed_on_nor_is_what_connection_does_not_name(self):
        target = self.target(lambda e: "plain")
        lb = self.balancer(target)
        for content in (ask_for(b"h2c"), ask_for(b"HTTP/2.0"), ask_for(b"websocket", b"keep-alive"),
                        ask_for(b"websocket").replace(b"HTTP/1.1", b"HTTP/1.0", 1),
                        ask_for(b"websocket").replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n{}")):
            with self.subTest(content), self.connect(lb.address) as client:
                client.send(content)
                self.assertEqual(client.read_response().text, "plain")
                seen = target.requests()[-1]
                self.assertEqual((seen.header("upgrade"), seen.header("connection")), (None, None))
        with self.connect(lb.address) as client:
            client.send(ask_for(b"h2c, websocket"))
            client.read_response()
        self.assertEqual(target.requests()[-1].all("upgrade"), ["websocket"])

    def test_a_switch_that_is_none_is_502(self):
        answers = {
            "unasked": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", SWITCH),
            "without a protocol": (ASK, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
            "to h2c": (ASK, SWITCH.replace(b"websocket", b"h2c", 1)),
            "to h2c that was asked for": (ask_for(b"h2c, websocket"), SWITCH.replace(b"websocket", b"h2c", 1)),
            "to another protocol": (ASK, SWITCH.replace(b"websocket", b"irc/6.9", 1)),
            "to two": (ask_for(b"irc/6.9, websocket"), SWITCH.replace(b"websocket", b"irc/6.9, websocket", 1)),
            "to two in two fields": (ask_for(b"irc/6.9, websocket"),
                                     SWITCH.replace(b"\r\n", b"\r\nUpgrade: irc/6.9\r\n", 1)),
            "after a body": (ASK.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n{}"), SWITCH),
        }
        target = self.target()
        lb = self.balancer(target)
        for what, (content, answer) in answers.items():
            with self.subTest(what), self.connect(lb.address) as client:
                target.behaviour = lambda e, bytes_=answer: e.send(bytes_)
                client.send(content)
                self.assertEqual(client.read_response().status, 502)

    def test_silence_of_both_sides_ends_it_and_one_side_is_enough_to_keep_it(self):
        def talk(exchange):
            exchange.send(SWITCH)
            for _ in range(10):  # ten pieces, each well within the idle timeout, together well beyond it
                exchange.target.released.wait(0.2)
                exchange.connection.send(b"x")
            exchange.connection.read_all()
        lb = self.balancer(self.target(talk), flags=("--idle-timeout", "1"))
        client, _ = self.opened(lb)
        self.assertEqual(client._take(10), b"x" * 10)
        self.assertEqual(client.read_all(), b"", "then it is closed")

    def test_the_end_of_either_side_comes_behind_all_that_it_said(self):
        last = b"last words" * 10000
        target = self.target(lambda e: e.send(SWITCH + last) or e.close())
        lb = self.balancer(target)
        client, _ = self.opened(lb)
        self.assertEqual(client.read_all(), last)
        got = []
        target.behaviour = lambda e: e.send(SWITCH) or got.append(e.connection.read_all())
        client, _ = self.opened(lb)
        client.send(last)
        client.half_close()
        target.wait_for(lambda t: got, "the target read to the end")
        self.assertEqual(got[0], last)

    def test_a_reset_of_the_target_is_a_reset_for_the_client(self):
        target = self.target(lambda e: e.send(SWITCH) or (e.hold(), e.reset()))
        lb = self.balancer(target)
        client, _ = self.opened(lb)
        target.release()
        with self.assertRaises(harness.ConnectionEnded) as ended:
            client._fill()
        self.assertIn("reset", str(ended.exception))

    def test_a_slow_reader_holds_the_other_side_back_and_nothing_is_lost(self):
        limit, block = 64 << 20, bytes(range(256)) * 256
        sent = []
        def pour(exchange):
            exchange.send(SWITCH)
            exchange.connection.socket.settimeout(0.5)
            total = 0
            try:
                while total < limit:
                    total += exchange.connection.socket.send(block[total % len(block):])
            except TimeoutError:
                pass
            sent.append(total)
            exchange.close()
        target = self.target(pour)
        lb = self.balancer(target)
        client, _ = self.opened(lb)
        target.wait_for(lambda t: sent, "the target stopped sending, because nobody took it", timeout=60)
        self.assertLess(sent[0], limit, "back-pressure stopped it")
        got = client.read_all()
        self.assertEqual(hashlib.sha256(got).digest(),
                         hashlib.sha256((block * (sent[0] // len(block) + 1))[:sent[0]]).digest())

    def test_a_slow_target_holds_the_client_back_and_nothing_is_lost(self):
        limit, block = 64 << 20, bytes(range(256)) * 256
        got = []
        target = self.target(lambda e: e.send(SWITCH) or e.target.released.wait(60) and got.append(e.connection.read_all()))
        lb = self.balancer(target)
        client, _ = self.opened(lb)
        client.socket.settimeout(0.5)
        total = 0
        try:
            while total < limit:
                total += client.socket.send(block[total % len(block):])
        except TimeoutError:
            pass
        self.assertLess(total, limit, "back-pressure stopped the client")
        client.half_close()
        target.release()
        target.wait_for(lambda t: got, "the target read to the end", timeout=60)
        self.assertEqual(hashlib.sha256(got[0]).digest(),
                         hashlib.sha256((block * (total // len(block) + 1))[:total]).digest())

    def test_both_directions_at_once(self):
        target = self.target(echo)
        lb = self.balancer(target)
        client, _ = self.opened(lb)
        blob = bytes(range(256)) * 16384  # 4 MiB
        writer = threading.Thread(target=client.socket.sendall, args=(blob,))
        writer.start()
        self.assertEqual(client._take(len(blob)), blob)
        writer.join()

    def test_the_end_of_the_deregistration_delay_closes_it(self):
        target = self.target(echo)
        lb = self.balancer(target, flags=("--deregistration-delay", "1"))
        client, _ = self.opened(lb)
        client.send(b"before")
        self.assertEqual(client._take(6), b"before")
        lb.admin("/targets", "PUT", {"targets": []})
        client.send(b"while draining")
        self.assertEqual(client._take(14), b"while draining")
        client.wait_closed()

    def test_the_end_of_the_process_closes_it(self):
        lb = self.balancer(self.target(echo), flags=("--stop-timeout", "0.3"))
        client, _ = self.opened(lb)
        lb.program.stop()
        client.wait_closed()
