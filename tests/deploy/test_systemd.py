"""The bundle on a machine where systemd runs: the real systemd, with the application's unit and all its restrictions.

An instance that fetches the bundle when it boots runs `install --start`; a bake runs `install --image`, whose self-test
starts the unit. Both happen here. Then systemd does what it does on an instance: it waits for READY=1, ends a program that
gives no sign of life and starts it anew, and stops it with SIGTERM.
"""

import json
import os
import re
import shutil
import signal
import unittest

import harness
from kit.deployment import make_bundle
from kit.process_table import parent_of
from kit.systemd_host import SystemdHost

COMMIT = "814d1293e6b73a8810435611c49a52a6033c3545"
NODE_PROGRAM = """
const hot = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
require("http").createServer((q, s) => s.end(JSON.stringify({ commit: process.env.APP_COMMIT, sum: hot(5e6) })))
  .listen(Number(process.env.PORT), process.env.HOST);
"""
PORT = 8080  # of the settings; the machine's network is its own


class SystemdTest(harness.TestCase):
    """Only in ./check --all: each boots a machine."""

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all")

    def host(self, application, **changes):
        """A machine with the bundle unpacked on it, not installed yet."""
        bundle = make_bundle(self, application, COMMIT, "28", {key.replace("__", "."): value for key, value in changes.items()})
        host = SystemdHost(self)
        host.unpack(bundle)
        return host

    def webapp(self, **changes):
        if harness.sanitizer(harness.program("rr-webapp")):
            harness.skip("a sanitizer maps memory that the unit forbids")
        application = self.folder / "application"
        application.mkdir()
        shutil.copy(harness.program("rr-webapp"), application)
        return self.host(application, **changes)

    def node(self, **changes):
        harness.need_command("node", "nodejs")
        application = self.folder / "application"
        application.mkdir()
        (application / "server.js").write_text(NODE_PROGRAM)
        return self.host(application, **{"application__name": "small-program", "application__start_command": "node server.js",
                                         "application__health_check_path": "/", "application__version_from": "path:/",
                                         "unit__notify": False, **changes})

    def installed(self, host, how):
        done = host.run("/tmp/bundle/install", *how.split())
        self.assertEqual(done.returncode, 0, f"{done}\n{host.program.tail()}")
        return done

    def main_process(self, host, unit):
        """Its number on this machine, and what the kernel says of it."""
        [inner] = host.show(unit, "MainPID").values()
        outer = next(pid for pid in harness.all_pids() if parent_of(pid) == host.pid and
                     re.search(rf"^NSpid:\s+{pid}\s+{inner}$", self.status(pid), re.MULTILINE))
        return outer, self.status(outer)

    @staticmethod
    def status(pid):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                return file.read()
        except OSError:
            return ""


class WebServer(SystemdTest):
    def test_an_instance_that_fetched_the_bundle_serves_with_nothing_to_lose(self):
        host = self.webapp()
        self.installed(host, "--start")  # Type=notify: it returns when READY=1 was heard
        shown = host.show("rr-webapp.service", "ActiveState", "SubState", "StatusText", "NotifyAccess")
        self.assertEqual(shown, {"ActiveState": "active", "SubState": "running", "NotifyAccess": "main",
                                 "StatusText": f"listening on 0.0.0.0:{PORT}"})
        said = json.loads(host.get(PORT, "/version"))
        self.assertEqual((said["commit"], said["build"]), (COMMIT, "28"))
        _, status = self.main_process(host, "rr-webapp.service")
        self.assertRegex(status, r"Name:\s+rr-webapp\n")
        self.assertRegex(status, r"CapEff:\s+0+\n")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")
        self.assertRegex(status, r"Seccomp:\s+2\n")
        self.assertNotRegex(status, r"Uid:\s+0\s")

    def test_a_program_that_hangs_is_started_anew(self):
        host = self.webapp(unit__watchdog="1s", unit__restart_delay="0s")
        self.installed(host, "--start")
        process, _ = self.main_process(host, "rr-webapp.service")
        os.kill(process, signal.SIGSTOP)
        harness.eventually(lambda: host.show("rr-webapp.service", "NRestarts", "ActiveState") ==
                           {"NRestarts": "1", "ActiveState": "active"}, "it was started anew", timeout=30)
        self.assertEqual(host.get(PORT, "/healthz"), "ok\n")
        self.assertNotEqual(self.main_process(host, "rr-webapp.service")[0], process)

    def test_a_stop_waits_for_the_lame_duck_and_is_clean(self):
        host = self.webapp(application__start_command="./rr-webapp --lame-duck 700ms")
        self.installed(host, "--start")
        host.run("systemctl", "start", "multi-user.target")  # wants the unit: so systemd remembers how it ended
        done = host.run("systemctl", "stop", "rr-webapp.service")
        self.assertEqual(done.returncode, 0, done)
        self.assertGreaterEqual(done.seconds, 0.7)
        self.assertEqual(host.show("rr-webapp.service", "ActiveState", "Result", "ExecMainStatus", "ExecMainCode"),
                         {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0", "ExecMainCode": "1"})

    def test_a_bake_tests_the_unit_itself(self):
        host = self.webapp()
        done = self.installed(host, "--image --without-agent")
        self.assertIn(f"selftest: rr-webapp answers on port {PORT} and tells its commit {COMMIT}", done.stdout)
        self.assertEqual(host.show("rr-webapp.service", "ActiveState", "UnitFileState"),
                         {"ActiveState": "inactive", "UnitFileState": "enabled"})

    def test_a_newer_bundle_takes_the_place_of_the_older(self):
        host = self.webapp(application__start_command="./rr-webapp --lame-duck 0")
        self.installed(host, "--start")
        shutil.rmtree(host.machine / "tmp/bundle")
        host.unpack(make_bundle(self, self.folder / "application", "c0ffee1", "29"))
        self.installed(host, "--start")
        said = json.loads(host.get(PORT, "/version"))
        self.assertEqual((said["commit"], said["build"]), ("c0ffee1", "29"))
        self.assertEqual(os.readlink(host.machine / "opt/rr-webapp/current"), "29-c0ffee1")


class NodeProgram(SystemdTest):
    def test_it_runs_where_its_compiler_may_write_what_it_runs(self):
        host = self.node(unit__write_execute_memory=True)
        self.installed(host, "--start")
        body = harness.eventually(lambda: host.get(PORT, "/"), "it serves", timeout=30)
        self.assertEqual(json.loads(body)["commit"], COMMIT)

    def test_a_bake_finds_that_it_may_not(self):
        """With memory that is never both, V8 cannot start; the self-test says so and there is no image."""
        host = self.node(unit__write_execute_memory=False)
        done = host.run("/tmp/bundle/install", "--image", "--without-agent", timeout=120)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertIn("selftest: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
