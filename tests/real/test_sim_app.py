"""A program of the user's own behind the balancer: it is started, checked, released to a second version, and ended with
everything that it started, daemons too. What is wrong with one is said in a line with the fix and the program's last
lines, not by a time-out.
"""

import shutil
import sys
import unittest

import harness
from tier import TierTest

# It shows its environment, so that a test sees what an instance is given.
NODE_SERVER = """
const http = require('http');
http.createServer((request, response) => {
  console.log(request.method + ' ' + request.url);
  if (request.url === '/version') return response.end('COMMIT');
  const e = process.env;
  response.end(JSON.stringify({version: 'VERSION', port: e.PORT, host: e.HOST, instance: e.RR_INSTANCE_ID, zone: e.RR_ZONE,
                               image: e.RR_IMAGE_ID, folder: process.cwd()}));
}).listen(process.env.PORT);
"""

# Forks twice into a session of its own, closes everything, clears its environment but for the test's mark, and stays.
DAEMON = """
import http.server, os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3): os.dup2(null, number)
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(3600)"],
                  {"RR_TEST_MARK": os.environ["RR_TEST_MARK"]})
    os._exit(0)
os.wait()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def python_server(bind="os.environ['HOST'], int(os.environ['PORT'])", status="200", before=""):
    return f"""
import http.server, os, sys
{before}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.ThreadingHTTPServer(({bind}), Handler).serve_forever()
"""


class AppTest(TierTest):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def daemons(self):
        return [one for one in harness.marked_processes(self.mark) if "time.sleep(3600)" in one[1]]


class Node:
    """The same for both grounds: a Node.js http server, released to a second version."""

    def test_a_node_server_released_to_a_second_version(self):
        harness.need_command("node", "nodejs")
        for version in ("1", "2"):
            self.write(f"v{version}/server.js",
                       NODE_SERVER.replace("VERSION", version).replace("COMMIT", {"1": "c" * 40, "2": "d" * 40}[version]))
        up = self.up("--app", "node server.js", "--version-from", "path:/version", "--set", "target_group.deregistration_delay=1s",
                     "--set", "auto_scaling_group.health_check_grace_period=5s", "--load", 20, cwd=self.folder / "v1")
        self.assertIn("node server.js", up.stdout)
        status = self.wait_settled(60)
        seen = {}
        for _ in range(12):
            answer = harness.fetch(status["url"]).json()
            seen[answer["instance"]] = answer
        self.assertEqual(set(seen), {one["id"] for one in self.in_service(status)})
        for one in self.in_service(status):
            given = seen[one["id"]]
            self.assertEqual((given["zone"], given["image"], given["version"]), (one["zone"], one["image"], "1"))
            self.assertTrue(given["port"].isdigit())

        image = self.ok("image", "build", "--commit", "d" * 40, "--from", self.folder / "v2", "--app", "node server.js").stdout.strip()
        # The image is a copy: what becomes of the folder afterwards does not matter.
        shutil.rmtree(self.folder / "v2")
        self.ok("release", "--image", image, "--strategy", "double", timeout=180)
        after = self.wait_settled(60)
        self.assertEqual({harness.fetch(after["url"]).json()["version"] for _ in range(10)}, {"2"})
        self.assertEqual(after["load"]["failed"], 0, after["load"])

    def test_port_is_substituted(self):
        self.write("server.py", python_server(bind="'0.0.0.0', int(sys.argv[1])"))
        self.up("--app", f"{sys.executable} server.py {{port}}", cwd=self.folder)
        self.assertEqual(harness.curl(self.wait_settled(60)["url"]).status, 200)

    def test_a_daemon_of_the_program_ends_with_it(self):
        script = self.write("daemon.py", DAEMON)
        self.up("--app", f"{sys.executable} {script}", cwd=self.folder)
        status = self.wait_settled(60)
        harness.eventually(lambda: len(self.daemons()) == 2, "each instance has its daemon")
        self.ok("instance", "fail", self.in_service(status)[0]["id"])
        self.wait_status(lambda now: len(self.in_service(now)) == 2 and now["settled"], "it is replaced", 60)
        harness.eventually(lambda: len(self.daemons()) == 2, "the killed one's daemon is gone, the new one's is there")
        self.kill_rr_sim(self.rr_sim_pid())
        self.assert_no_process_left(timeout=10)

    def test_a_daemon_ends_with_an_orderly_stop_too(self):
        script = self.write("daemon.py", DAEMON)
        self.up("--app", f"{sys.executable} {script}", cwd=self.folder)
        harness.eventually(lambda: len(self.daemons()) == 2, "each instance has its daemon", 30)
        self.ok("down")
        self.assert_no_process_left()


class Diagnosis:
    """Each of these would otherwise be a group that launches and replaces for ever."""

    def diagnosed(self, *flags, mentions=(), lines=()):
        """`up` ends with 3 and says why, in the foreground and detached."""
        for detach in ((), ("-d",)):
            done = self.run_program(*self.up_command(*flags), *detach, timeout=90, cwd=self.folder)
            self.assertEqual(done.returncode, 3, done)
            for text in mentions:
                self.assertRegex(done.stderr, text)
            for text in lines:
                self.assertIn("  " + text, done.stderr)
            self.assert_no_process_left(timeout=10)

    def test_it_exits_early(self):
        self.write("app.py", "print('no database here', flush=True)\nraise SystemExit(7)\n")
        self.diagnosed("--app", f"{sys.executable} app.py", mentions=[r"7"], lines=["no database here"])

    def test_it_does_not_exist(self):
        self.diagnosed("--app", "no-such-program --port {port}", mentions=[r"127|not found"], lines=["/bin/sh: 1: no-such-program: not found"])

    def test_the_health_path_is_wrong(self):
        self.write("app.py", python_server(status="200 if self.path == '/up' else 404"))
        self.diagnosed("--app", f"{sys.executable} app.py", "--health-path", "/healthz", mentions=[r"/healthz", r"404"], lines=["serving"])

    def test_it_never_answers(self):
        self.write("app.py", "import time\nprint('thinking', flush=True)\ntime.sleep(3600)\n")
        self.diagnosed("--app", f"{sys.executable} app.py", mentions=[r"PORT"], lines=["thinking"])


class NodePlain(Node, AppTest):
    pass


class NodeNamespaces(Node, AppTest):
    ground = "namespaces"


class DiagnosisPlain(Diagnosis, AppTest):
    def test_it_ignores_port(self):
        fixed = harness.free_address("127.0.0.1")[1]
        self.write("app.py", python_server(bind=f"'127.0.0.1', {fixed}"))
        self.diagnosed("--app", f"{sys.executable} app.py", mentions=[r"PORT", str(fixed)])

    def test_it_binds_another_address(self):
        # An address of this machine that is none of those an instance is looked for at.
        self.write("app.py", python_server(bind="'127.77.7.7', int(os.environ['PORT'])"))
        self.diagnosed("--app", f"{sys.executable} app.py", mentions=[r"127\.77\.7\.7"])


class DiagnosisNamespaces(Diagnosis, AppTest):
    ground = "namespaces"

    def test_it_binds_loopback_only(self):
        self.write("app.py", python_server(bind="'127.0.0.1', int(os.environ['PORT'])"))
        self.diagnosed("--app", f"{sys.executable} app.py", mentions=[r"127\.0\.0\.1"])


if __name__ == "__main__":
    unittest.main()
