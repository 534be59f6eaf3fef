"""A scripted HTTP server that records what it saw."""

import contextlib
import socket
import struct
import threading
import time
import traceback

from kit.addresses import text_address
from kit.http_client import Connection, ConnectionEnded, Response
from kit.surroundings import scaled


class SeenRequest:
    """A request as the scripted target received it."""

    def __init__(self, method, path, version, headers, raw_head, connection):
        self.method, self.path, self.version, self.headers = method, path, version, headers
        self.raw_head = raw_head
        self.connection = connection    # number of the connection it came over, from 1
        self.body = b""
        self.time = time.monotonic()

    header = Response.header
    all = Response.all

    def __repr__(self):
        return f"SeenRequest({self.method} {self.path} on connection {self.connection}, {self.headers})"


class Exchange:
    """What a behaviour of a Target acts on: one request and the connection it came over."""

    def __init__(self, target, connection, request):
        self.target, self.connection, self.request = target, connection, request
        self.answered = False

    def send(self, content):
        """Sends raw bytes; the behaviour answers by itself then."""
        self.answered = True
        self.connection.send(content)

    def respond(self, status=200, body=b"", headers=(), reason="Scripted"):
        """A whole response with Content-Length."""
        content = body if isinstance(body, bytes) else str(body).encode()
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if not {name.lower() for name, _ in pairs} & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(content))))
        head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
        self.send(head.encode("latin-1") + (b"" if self.request.method == "HEAD" else content))

    def read_body(self):
        """Reads the request's body (already done unless the target was made with stream_bodies=True)."""
        if "chunked" in (self.request.header("transfer-encoding") or "").lower():
            self.connection._read_chunks(self.request)
        elif self.request.header("content-length"):
            self.request.body = self.connection._take(int(self.request.header("content-length")))
        return self.request.body

    def close(self):
        """Closes in an orderly way without (further) answer."""
        self.answered = True
        self.connection.close()

    def reset(self):
        self.answered = True
        self.connection.reset()

    def hold(self):
        """Does not answer until target.release() is called or the peer goes away; returns True when released."""
        while not self.target.released.wait(0.02):
            if self.target.stopping.is_set() or not self.connection.is_open():
                return False
        return True


class Target:
    """An HTTP server in threads whose behaviour is a callback, and that records what it saw.

        with Target(lambda exchange: exchange.respond(200, "hello")) as target: ...
        target.behaviour = lambda exchange: exchange.reset()       # may change at any time
        target.requests(path="/x")                                 # what came, without health checks

    A behaviour gets an Exchange; what it returns, if it has not answered, is the body of a 200. health_path is
    answered apart, with health_status (settable; None leaves it unanswered), and recorded in .health_requests.
    """

    def __init__(self, behaviour=None, name="target", health_path="/healthz", address=("127.0.0.1", 0),
                 stream_bodies=False, receive_buffer=None):
        self.behaviour = behaviour or (lambda exchange: self.name)
        self.name, self.health_path, self.health_status = name, health_path, 200
        self.stream_bodies, self.receive_buffer = stream_bodies, receive_buffer
        self.seen, self.health_requests, self.errors = [], [], []
        self.accepted = 0
        self.released, self.stopping = threading.Event(), threading.Event()
        self._changed = threading.Condition()
        self._open = set()
        self._wanted = address
        self._listener = None
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def port(self):
        return self.address[1]

    @property
    def text(self):
        """host:port, as --target takes it."""
        return text_address(self.address)

    # -- control

    def listen(self):
        """Starts listening (again on the same address after stop_listening)."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self._listener.bind(self._wanted)
        self._listener.listen(512)
        self.address = self._wanted = self._listener.getsockname()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop_listening(self):
        """New connections are refused from now on; those that exist go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close_connections(self, reset=False):
        """Ends every open connection."""
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                if reset:
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.socket.shutdown(socket.SHUT_RDWR)
                connection.close()

    def release(self):
        """Lets every behaviour in hold() go on."""
        self.released.set()

    def stop(self):
        self.stopping.set()
        self.released.set()
        self.stop_listening()
        self.close_connections()

    # -- what was seen

    @property
    def open_connections(self):
        with self._changed:
            return len(self._open)

    def requests(self, path=None, method=None):
        with self._changed:
            return [one for one in self.seen if path in (None, one.path) and method in (None, one.method)]

    def wait_for(self, condition, what, timeout=10.0):
        """Waits until condition(self) is true; woken by everything that happens here."""
        end = time.monotonic() + scaled(timeout)
        with self._changed:
            while not (value := condition(self)):
                if not self._changed.wait(min(0.2, max(0.0, end - time.monotonic()))) and time.monotonic() > end:
                    raise AssertionError(f"{self.name}: waited {scaled(timeout):.1f} s in vain until {what}; "
                                         f"seen: {self.seen[-5:]}, connections: {len(self._open)}")
            return value

    def wait_for_requests(self, count, timeout=10.0):
        return self.wait_for(lambda target: target.seen if len(target.seen) >= count else None,
                             f"{count} requests came", timeout)

    def wait_for_checks(self, count, timeout=10.0):
        return self.wait_for(lambda target: len(target.health_requests) >= count,
                             f"{count} health checks came", timeout)

    # -- serving

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection.__new__(Connection)
            connection.socket, connection.buffer = peer, b""
            connection.address, connection.timeout = peer.getpeername(), None
            with self._changed:
                self.accepted += 1
                number = self.accepted
                self._open.add(connection)
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            while not self.stopping.is_set():
                request = self._read_request(connection, number)
                if request is None:
                    break
                exchange = Exchange(self, connection, request)
                if not self.stream_bodies:
                    exchange.read_body()
                self._answer(exchange)
                if connection.socket.fileno() < 0 or (request.header("connection") or "").lower() == "close":
                    break
        except (OSError, ConnectionEnded):
            pass  # the peer went away, or the test ended the connection: a scripted target has nothing to add
        except Exception:  # a mistake in the test's own behaviour must be seen
            self.errors.append(traceback.format_exc())
        finally:
            connection.close()
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()

    def _read_request(self, connection, number):
        while b"\r\n\r\n" not in connection.buffer:
            try:
                connection._fill()
            except (ConnectionEnded, OSError):
                return None
        raw = connection.buffer[:connection.buffer.find(b"\r\n\r\n") + 4]
        method, path, version = connection._take_line().decode("latin-1").split(" ", 2)
        return SeenRequest(method, path, version, connection._read_fields(), raw, number)

    def _answer(self, exchange):
        request = exchange.request
        if self.health_path is not None and request.path == self.health_path:
            with self._changed:
                self.health_requests.append(request)
                self._changed.notify_all()
            if self.health_status is None:
                exchange.hold()
            else:
                exchange.respond(self.health_status, "ok" if self.health_status == 200 else "not ok")
            return
        with self._changed:
            self.seen.append(request)
            self._changed.notify_all()
        result = self.behaviour(exchange)
        if not exchange.answered and result is not None:
            exchange.respond(200, result)
