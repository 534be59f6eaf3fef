"""What an idle kept connection costs rr-lb: memory of its own (not the kernel's), of a few and of many clients that had one answer."""

import contextlib
import http.server
import pathlib
import re
import resource
import socket
import subprocess
import threading
import time

FEW, MANY = 1_000, 9_000
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer is one write: two would wait for each other

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def balancer(program):
    """(its pid, the port that it listens on), before a target."""
    target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    process = subprocess.Popen([str(program), "--listen", "127.0.0.1:0", "--target", f"127.0.0.1:{target.server_port}", "--unrestricted",
                                "--health-interval", "5", "--idle-timeout", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        yield process.pid, port_of(process)
    finally:
        process.terminate()
        process.communicate(timeout=30)
        target.shutdown()
        target.server_close()


def port_of(process):
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"listening on \S*:(\d+)", line):
            return int(found.group(1))
    raise RuntimeError(f"rr-lb did not start: {said.strip()}")


def own_bytes(pid):
    """What a process has in memory, shared pages by its share."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE).group(1)) * 1024


def ask(client):
    """The status of the answer, which is read whole."""
    client.sendall(REQUEST)
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0 or len(answer) < end + 4 + length_of(answer[:end]):
        data = client.recv(4096)
        if not data:
            raise RuntimeError(f"the answer is cut off: {answer!r}")
        answer += data
    return int(answer.split()[1])


def length_of(head):
    found = re.search(rb"^content-length: *(\d+)", head, re.MULTILINE | re.IGNORECASE)
    return int(found.group(1)) if found else 0


def connect(port, clients, wanted):
    """So many clients in all, each with one answer."""
    while len(clients) < wanted:
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
        clients.append(client)
        if (status := ask(client)) != 200:
            raise RuntimeError(f"status {status}")


def wait_until_healthy(port):
    """The first health check may not be over yet."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            with contextlib.suppress(RuntimeError):
                if ask(client) == 200:
                    return
        time.sleep(0.05)
    raise RuntimeError("rr-lb's target did not become healthy")


def measure(program, few=FEW, many=MANY):
    """Bytes that each connection beyond the first few adds. Fewer are opened where the system allows fewer files."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    many = many if most == resource.RLIM_INFINITY else min(many, most - 200)
    if many <= few:
        raise RuntimeError(f"idle connections: at most {most} files may be open, {few + 201} are needed (ulimit -Hn)")
    clients = []
    with balancer(program) as (pid, port):
        try:
            wait_until_healthy(port)
            connect(port, clients, few)
            before = own_bytes(pid)
            connect(port, clients, many)
            after = own_bytes(pid)
        finally:
            for client in clients:
                client.close()
    return {"few": few, "many": many, "bytes_with_few": before, "bytes_with_many": after,
            "bytes_a_connection": (after - before) / (many - few)}
