"""rr-lb under test: how it is started, asked and waited for."""

import json
import re

import harness

QUICK = {"--health-path": "/healthz", "--health-interval": "0.1", "--health-timeout": "2", "--healthy-threshold": "2",
         "--unhealthy-threshold": "2"}


class Balancer:
    """A running rr-lb: .address of its listener, .admin_address, .program."""

    def __init__(self, program, listens=True):
        self.program = program
        self.address = program.wait_for(r"^listening on (\S+)$").group(1) if listens else None
        self.admin_address = program.wait_for(r"^admin on (\S+)$").group(1)

    @property
    def port(self):
        return int(self.address.rpartition(":")[2])

    def admin(self, path, method="GET", body=None, expect=200):
        """A request to the admin interface; its JSON."""
        content = b"" if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
        response = harness.fetch(self.admin_address, path, method, body=content)
        if response.status != expect:
            raise AssertionError(f"{method} {path}: expected {expect}, got {response}")
        return response.json()

    def observed(self, since=None):
        return self.admin("/observed" + (f"?drains_since={since}" if since is not None else ""))

    def targets(self, group=0):
        """The targets of one group by address."""
        return {one["address"]: one for one in self.admin("/targets")["target_groups"][group]["targets"]}

    def wait_for_states(self, expected, timeout=10.0):
        """Waits until every named target ({address: state}) is in its state."""
        def reached():
            seen = {address: one["state"] for address, one in self.targets().items()}
            return all(seen.get(address) == state for address, state in expected.items())
        harness.eventually(reached, f"the targets are {expected}; they are {self.targets()}", timeout)

    def own_responses(self):
        return self.observed()["load_balancers"][0]["counters"]["own_responses"]


class LoadBalancerTest(harness.TestCase):
    """A test with one rr-lb (or more) and scripted targets."""

    def balancer(self, *targets, flags=(), wait=True, environment=None, pass_fds=()):
        """Starts rr-lb in front of the targets and waits until they are healthy."""
        command = ["rr-lb", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                   "--access-log", self.folder / "access.log", "--unrestricted"]
        for flag, value in QUICK.items():
            if flag not in flags:
                command += [flag, value]
        for target in targets:
            command += ["--target", target if isinstance(target, str) else target.text]
        one = Balancer(self.start(*command, *flags, environment=environment, pass_fds=pass_fds))
        if wait and targets:
            one.wait_for_states({t if isinstance(t, str) else t.text: "healthy" for t in targets})
        return one

    def log_lines(self, balancer=None):
        """The access log so far; ends the balancer first so that everything is written."""
        if balancer is not None:
            balancer.program.stop()
        return (self.folder / "access.log").read_text().splitlines()

    def assert_error_page(self, raw, status, text, connection):
        """The bytes on the wire are those of the ALB's own page, to the last one (but the date's digits)."""
        page = (f"<html>\r\n<head><title>{status} {text}</title></head>\r\n<body>\r\n"
                f"<center><h1>{status} {text}</h1></center>\r\n</body>\r\n</html>\r\n")
        head = (f"HTTP/1.1 {status} {text}\r\nServer: awselb/2.0\r\nDate: DATE\r\nContent-Type: text/html\r\n"
                f"Content-Length: {len(page)}\r\nConnection: {connection}\r\n\r\n")
        expected = re.escape(head + page).replace("DATE", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
        self.assertRegex(raw.decode("latin-1"), f"^{expected}$")


def raw_exchange(address, content, timeout=10.0):
    """Sends bytes over a connection of its own and returns everything until the end of it."""
    with harness.Connection(address, timeout) as connection:
        connection.send(content)
        return connection.read_all()


def split_log_line(line):
    """The fields of an access-log line, quotes removed."""
    return [quoted if plain == "" else plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
