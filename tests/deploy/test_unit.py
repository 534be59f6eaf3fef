"""The systemd unit of an instance: how little it leaves to a program that was taken over, and that the programs can live
with that.

The unit is the one that packer/bundle puts into a bundle. systemd-analyze judges it offline; strace shows whether rr-webapp
and a Node.js program use a system call that the unit filters out.
"""

import os
import re
import signal
import subprocess
import tarfile
import unittest

import harness
from kit.deployment import make_bundle

EXPOSURE = 1.5  # of 10; what is left is being a network server
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(", re.MULTILINE)


class UnitTest(harness.TestCase):
    def unit(self, **changes):
        """The unit's file, as it is in a bundle of the environment `local`, with other values of its section `unit`."""
        application = self.folder / "application"
        application.mkdir(exist_ok=True)
        (application / "program").write_text("#!/bin/sh\n")
        bundle = make_bundle(self, application, "a" * 40, "1", {f"unit.{name}": value for name, value in changes.items()})
        with tarfile.open(bundle) as archive:
            text = archive.extractfile("application.service").read().decode()
        path = self.folder / "rr-webapp.service"
        path.write_text(text)
        return path

    def exposure(self, path):
        """systemd-analyze's figure, and whether the gate lets it pass."""
        command = [harness.need_command("systemd-analyze", "systemd"), "security", "--offline=yes"]
        shown = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        if "unrecognized option" in shown.stderr:
            harness.skip("systemd-analyze is too old to judge a unit offline")
        figure = re.search(r"Overall exposure level for \S+: ([\d.]+)", shown.stdout)
        self.assertIsNotNone(figure, shown)
        gate = subprocess.run([*command, f"--threshold={round(10 * EXPOSURE)}", str(path)], capture_output=True, text=True,
                              check=False)
        return float(figure.group(1)), gate.returncode == 0


class Hardening(UnitTest):
    def test_the_unit_of_the_web_server_exposes_little(self):
        figure, passed = self.exposure(self.unit())
        self.assertLessEqual(figure, EXPOSURE)
        self.assertTrue(passed)

    def test_so_does_that_of_a_program_with_a_just_in_time_compiler(self):
        path = self.unit(write_execute_memory=True, notify=False)
        figure, passed = self.exposure(path)
        self.assertLessEqual(figure, EXPOSURE)
        self.assertTrue(passed)
        self.assertIn("\nMemoryDenyWriteExecute=no\n", path.read_text())

    def test_the_gate_sees_what_is_missing(self):
        path = self.unit()
        path.write_text(re.sub(r"^(CapabilityBoundingSet|SystemCallFilter|ProtectSystem)=.*\n", "", path.read_text(),
                               flags=re.MULTILINE))
        figure, passed = self.exposure(path)
        self.assertGreater(figure, EXPOSURE)
        self.assertFalse(passed)

    def test_systemd_knows_every_line(self):
        path = self.unit()
        program = harness.need_command("systemd-analyze", "systemd")
        # The command is not there on this machine; everything else has to be right.
        runnable = path.read_text().replace("ExecStart=/opt/rr-webapp/current/start", "ExecStart=/bin/true")
        path.write_text(runnable)
        done = subprocess.run([program, "verify", "--man=no", "--recursive-errors=no", str(path)], capture_output=True,
                              text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if path.name in line]
        self.assertEqual((done.returncode, complaints), (0, []), done.stderr)

    def test_no_value_is_left_to_be_filled_in(self):
        text = self.unit().read_text()
        self.assertIsNone(re.search(r"@\w+@", text), text)


class SystemCalls(UnitTest):
    """What the filter leaves out fails with EPERM; a program that needs it would start and be broken."""

    @staticmethod
    def group(name):
        """The calls of a group of systemd's, the groups in it included."""
        shown = subprocess.run([harness.need_command("systemd-analyze", "systemd"), "syscall-filter", "--no-pager", name],
                               capture_output=True, text=True, check=True).stdout
        found = set()
        for word in re.findall(r"^    (\S+)$", shown, re.MULTILINE):
            found |= SystemCalls.group(word) if word.startswith("@") else {word}
        return found

    def allowed(self):
        text = self.unit().read_text()
        filters = re.findall(r"^SystemCallFilter=(~?)(.+)$", text, re.MULTILINE)
        self.assertEqual([sign for sign, _ in filters], ["", "~"])
        named, taken = ([self.group(name) for name in names.split()] for _, names in filters)
        # systemd always allows what it needs itself to start the program.
        return (set().union(*named) - set().union(*taken)) | self.group("@default")

    def used(self, *command, environment, ask):
        """The calls that a program makes from its start over `ask(address)` to its end by SIGTERM."""
        strace = harness.need_command("strace")
        if self.run_program(strace, "-qq", "-o", "/dev/null", "true").returncode != 0:
            harness.skip("processes may not be traced here")
        trace = self.folder / "trace"
        host, port = harness.free_address()
        one = self.start(strace, "-f", "-qq", "-o", trace, *command,
                         environment={"HOST": host, "PORT": port, **environment})
        ask(f"{host}:{port}")
        [child] = [pid for pid, parent in ((pid, harness.parent_of(pid)) for pid in harness.all_pids()) if parent == one.pid]
        os.kill(child, signal.SIGTERM)
        one.wait(20)
        return set(CALL.findall(trace.read_text()))

    def answers(self, address, path):
        def ask():
            try:
                return harness.fetch(address, path).status == 200
            except OSError:
                return False
        harness.eventually(ask, f"{path} is answered", timeout=30)

    def test_the_web_server_uses_none_that_is_left_out(self):
        if harness.sanitizer(harness.program("rr-webapp")):
            harness.skip("a sanitizer uses more calls than the program")
        used = self.used(harness.program("rr-webapp"), "--lame-duck", "0",
                         environment={"NOTIFY_SOCKET": f"@{self.mark}", "WATCHDOG_USEC": "200000"},
                         ask=lambda address: [self.answers(address, path) for path in ("/", "/version", "/delay?ms=300")])
        self.assertIn("accept4", used)
        self.assertEqual(used - self.allowed(), set())

    def test_neither_does_a_node_program(self):
        program = self.folder / "server.js"
        program.write_text("require('http').createServer((q, s) => s.end('ok'))"
                           ".listen(Number(process.env.PORT), process.env.HOST);\n")
        used = self.used(harness.need_command("node", "nodejs"), program, environment={},
                         ask=lambda address: self.answers(address, "/"))
        self.assertIn("accept4", used)
        # V8 asks whether the processor has protection keys, and does without them.
        self.assertLessEqual(used - self.allowed(), {"pkey_alloc"})


if __name__ == "__main__":
    unittest.main()
