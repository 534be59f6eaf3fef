"""A raw HTTP client: sends any bytes, reads one framed response, or everything until the end."""

import contextlib
import json
import select
import socket
import struct

from kit.addresses import parse_address, text_address
from kit.surroundings import scaled


class Response:
    """One HTTP response as it was on the wire."""

    def __init__(self, version, status, reason, headers):
        self.version, self.status, self.reason = version, status, reason
        self.headers = headers    # [(name, value)] in order, names as written
        self.body = b""
        self.trailers = []
        self.interim = []         # 1xx responses that came before
        self.raw_head = b""
        self.framing = "none"     # "length", "chunked", "close" or "none"

    def header(self, name, default=None):
        """The value of the first header of that name, any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Response({self.status} {self.reason}, {self.headers}, {len(self.body)} bytes: {self.body[:200]!r})"


class ConnectionEnded(AssertionError):
    """The peer closed (or reset) before the response was whole."""


class Connection:
    """A raw connection to a server: any bytes may be sent, one response at a time is read.

    receive_buffer   sets SO_RCVBUF before connecting: a slow reader needs a small one
    source           (host, port) to bind to, e.g. to be seen as another client
    """

    def __init__(self, address, timeout=10.0, source=None, receive_buffer=None):
        self.address = parse_address(address)
        self.timeout = scaled(timeout)
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        self.socket.settimeout(self.timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind(source)
        try:
            self.socket.connect(self.address)
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def local_address(self):
        return self.socket.getsockname()

    # -- sending

    def send(self, content):
        """Sends bytes, or text as it stands."""
        self.socket.sendall(content if isinstance(content, bytes) else content.encode())

    def request(self, method, path, headers=(), body=b"", version="HTTP/1.1", host=True):
        """Sends one request. headers: a dict or a list of pairs; Host and Content-Length are added unless given."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        names = {name.lower() for name, _ in pairs}
        if host and "host" not in names:
            pairs.insert(0, ("Host", text_address(self.address)))
        if body and not names & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(body))))
        head = f"{method} {path} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
        self.send(head.encode("latin-1") + (body if isinstance(body, bytes) else body.encode()))

    def get(self, path="/", headers=()):
        """A GET and its response."""
        self.request("GET", path, headers)
        return self.read_response()

    # -- reading

    def _fill(self):
        try:
            chunk = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing more came from {text_address(self.address)} within {self.timeout:.1f} s; "
                                 f"unread so far: {self.buffer[:300]!r}") from None
        except ConnectionResetError:
            raise ConnectionEnded(f"reset by {text_address(self.address)}; unread: {self.buffer[:300]!r}") from None
        if not chunk:
            raise ConnectionEnded(f"closed by {text_address(self.address)}; unread: {self.buffer[:300]!r}")
        self.buffer += chunk

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _take_line(self):
        while b"\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def _read_fields(self):
        fields = []
        while True:
            line = self._take_line()
            if not line:
                return fields
            name, _, value = line.partition(b":")
            fields.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def read_head(self):
        """Reads a status line and headers and leaves the body unread."""
        while b"\r\n\r\n" not in self.buffer and b"\n\n" not in self.buffer:
            self._fill()
        end = self.buffer.find(b"\r\n\r\n")
        raw = self.buffer[:end + 4] if end >= 0 else self.buffer
        version, _, rest = self._take_line().decode("latin-1").partition(" ")
        status, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/") or not status.isdigit():
            raise AssertionError(f"not a status line: {version!r} {rest!r}")
        response = Response(version, int(status), reason, self._read_fields())
        response.raw_head = raw
        return response

    def read_response(self, method="GET"):
        """Reads one whole response by its framing (HEAD, 204 and 304 have no body); 1xx ones are in .interim."""
        interim = []
        response = self.read_head()
        while 100 <= response.status < 200 and response.status != 101:
            interim.append(response)
            response = self.read_head()
        response.interim = interim
        if method == "HEAD" or response.status in (101, 204, 304):
            return response
        if "chunked" in (response.header("transfer-encoding") or "").lower():
            response.framing = "chunked"
            self._read_chunks(response)
        elif response.header("content-length") is not None:
            response.framing = "length"
            response.body = self._take(int(response.header("content-length")))
        elif method != "CONNECT":
            response.framing = "close"
            response.body = self.read_all()
        return response

    def _read_chunks(self, response):
        pieces = []
        while True:
            size = int(self._take_line().split(b";")[0], 16)
            if size == 0:
                break
            pieces.append(self._take(size))
            if self._take(2) != b"\r\n":
                raise AssertionError("a chunk does not end with CR LF")
        response.body = b"".join(pieces)
        response.trailers = self._read_fields()

    def read_some(self, limit=65536):
        """What is there, at most `limit` bytes; waits for the first byte; b"" at the end of the stream."""
        if not self.buffer:
            try:
                self._fill()
            except ConnectionEnded:
                return b""
        taken, self.buffer = self.buffer[:limit], self.buffer[limit:]
        return taken

    def read_all(self):
        """Everything until the peer closes or resets."""
        with contextlib.suppress(ConnectionEnded):
            while True:
                self._fill()
        taken, self.buffer = self.buffer, b""
        return taken

    def wait_closed(self):
        """Waits until the peer closes; fails when it sends something instead."""
        if rest := self.read_all():
            raise AssertionError(f"expected the end of the connection, got {rest[:300]!r}")

    def is_open(self):
        """True when the peer has neither closed nor sent anything unread (a look, not a wait)."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return not readable

    # -- ending

    def half_close(self):
        """Says that nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends with a reset instead of an orderly close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def fetch(address, path="/", method="GET", headers=(), body=b"", timeout=10.0):
    """One request over a connection of its own; returns the Response."""
    with Connection(address, timeout) as connection:
        connection.request(method, path, headers, body)
        return connection.read_response(method)
