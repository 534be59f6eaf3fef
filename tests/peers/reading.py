"""What was on the wire, read strictly: the requests that a target saw, the answers that a client got.

Nothing here repairs anything. Whatever another server might read differently is named as an oddity: a comparison of proxies
is a comparison of what they let through.
"""

import dataclasses
import re

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
FRAMING = {b"contentlength": b"content-length", b"transferencoding": b"transfer-encoding"}
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?")


@dataclasses.dataclass
class Message:
    """One request or answer as it was sent."""

    start: bytes                 # its first line
    lines: list                  # its header lines
    body: bytes = b""            # with the chunks' own bytes taken away
    framing: str = "no body"     # "no body", "3 bytes", "chunked" or "until close"
    whole: bool = False          # False: it stopped before its own end
    oddities: list = dataclasses.field(default_factory=list)

    def values(self, name):
        found = []
        for line in self.lines:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                found.append(value.strip(b" \t"))
        return found

    @property
    def status(self):
        """Of an answer; 0 for what is none."""
        match = re.match(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |$)", self.start)
        return int(match.group(1)) if match else 0


def head_oddities(message):
    """What in the head another reader could take for something else."""
    found = []
    for line in message.lines:
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            found.append("a folded line")
        elif not colon:
            found.append("a line without a colon")
        elif not TOKEN.fullmatch(name):
            found.append(f"the name {name.decode('latin-1')!r}")
        elif CONTROLS.search(value):
            found.append("a control character in a value")
        plain = re.sub(rb"[^a-z]", b"", name.lower())
        if plain in FRAMING and name.lower() != FRAMING[plain] and "the name" not in " ".join(found):
            found.append(f"`{name.decode('latin-1')}`")
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        found.append("two framings")
    if any(not one.isdigit() for one in lengths) or any(one.lower() != b"chunked" for one in codings):
        found.append("a framing that is none")
    return found


def request_oddities(message):
    found = []
    words = message.start.split(b" ")
    if len(words) != 3:
        found.append("a space in the target")
    elif words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        found.append("the version " + words[2].decode("latin-1"))
    if CONTROLS.search(message.start):
        found.append("a control character in the request line")
    hosts = message.values(b"host")
    if len(hosts) != 1:
        found.append(f"{len(hosts)} Host headers")
    elif not HOST.fullmatch(hosts[0]):
        found.append(f"the host {hosts[0].decode('latin-1')!r}")
    return found


def read_chunks(message, content):
    """Takes the chunks off; returns what is behind them."""
    while True:
        line, end, rest = content.partition(b"\r\n")
        if not end:
            return b""
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", line):
            extended = re.match(rb"[0-9A-Fa-f]+[ \t]*;", line)
            message.oddities.append("a chunk's extension" if extended else "a chunk line that is none")
            if not re.match(rb"[0-9A-Fa-f]{1,16}(?![0-9A-Fa-f])", line):
                return b""
        size = int(re.match(rb"[0-9A-Fa-f]+", line).group(), 16)
        if size == 0:
            return read_trailers(message, rest)
        message.body += rest[:size]
        if len(rest) < size + 2:
            return b""
        if rest[size:size + 2] != b"\r\n":
            message.oddities.append("a chunk longer than it says")
            return b""
        content = rest[size + 2:]


def read_trailers(message, content):
    while True:
        line, end, content = content.partition(b"\r\n")
        if not end:
            return b""
        if not line:
            message.whole = True
            return content
        if re.match(rb"(?i)content-length|transfer-encoding|host", line):
            message.oddities.append("a trailer about framing or host")


def read_message(content, has_body):
    """The first message and what is behind it. has_body(message): False where its kind never has one."""
    head, end, rest = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    message = Message(lines[0], lines[1:])
    if not end:
        return message, b""
    message.oddities = head_oddities(message)
    codings, lengths = message.values(b"transfer-encoding"), message.values(b"content-length")
    if not has_body(message):
        message.whole = True
        return message, rest
    if codings:
        message.framing = "chunked"
        return message, read_chunks(message, rest)
    if lengths and lengths[0].isdigit():
        size = int(lengths[0])
        message.framing = f"{size} bytes"
        message.body, message.whole = rest[:size], len(rest) >= size
        return message, rest[size:]
    if message.start.startswith(b"HTTP/"):
        message.framing, message.body = "until close", rest
        return message, b""
    message.whole = True
    return message, rest


def read_requests(content):
    """All requests on one connection of a target."""
    found = []
    while content:
        message, content = read_message(content, lambda one: True)
        message.oddities += request_oddities(message)
        found.append(message)
    return found


def read_answers(content, methods, closed):
    """All answers on one connection of a client. closed: whether the peer ended it in an orderly way."""
    found, methods = [], list(methods)
    while content:
        def has_body(message):
            method = methods[0] if methods else "GET"
            return not (method == "HEAD" or message.status in (204, 304) or 100 <= message.status < 200)
        message, content = read_message(content, has_body)
        if message.framing == "until close" and message.status:
            message.whole = closed
        found.append(message)
        if message.status >= 200 and methods:
            methods.pop(0)
    return found
