"""A machine of the test's own where systemd runs: the real one, as process 1 of its own process-id namespace, with only the
units that the test put there. Its network has nothing but loopback. It ends with the test.
"""

import contextlib
import glob
import os
import subprocess

from kit.machine import ENTER, make_machine
from kit.process_table import all_pids, parent_of
from kit.surroundings import in_private_network, need_command, skip
from kit.waiting import eventually

SYSTEMD = "/lib/systemd/systemd"
# The kernel's file systems as the new namespaces have them, then systemd in place of this shell. The machine has a control group
# of its own ($1): two machines whose root was the same would remove each other's groups, of units that are called alike.
_BOOT = f"""set -e
mount -t tmpfs -o mode=755 tmpfs /run
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$1" && echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"
umount /sys/fs/cgroup
exec unshare --cgroup sh -c "$2"
"""
_START = f"""set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t proc proc /proc
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test \\
  SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system \\
  {SYSTEMD} --system --unit=test.target --log-target=console --log-level=info --show-status=no
"""
# What a service is ordered by, with nothing behind them: the machine boots for the test's units alone.
_TARGETS = ("test", "sysinit", "basic", "shutdown", "multi-user", "network", "network-online")


class SystemdHost:
    def __init__(self, test):
        if subprocess.run([SYSTEMD, "--version"], capture_output=True, check=False).returncode != 0:
            skip("systemd is not installed")
        self.test = test
        self.machine = make_machine(test)
        for name in _TARGETS:
            (self.machine / f"etc/systemd/system/{name}.target").write_text(f"[Unit]\nDescription={name}\n")
        self._nsenter = need_command("nsenter", "util-linux")
        self.program = test.start(*in_private_network(
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc", "sh", "-c", ENTER, "sh",
            self.machine, "sh", "-c", _BOOT, "sh", f"rr-test-{test.mark}", _START), name="systemd")
        test.addCleanup(self._remove_group, f"rr-test-{test.mark}")
        self.pid = eventually(self._first_process, "the machine has a first process")
        eventually(self._booted, "systemd has booted", timeout=30)

    def _first_process(self):
        return next((pid for pid in all_pids() if parent_of(pid) == self.program.pid), None)

    def _remove_group(self, name):
        """With everything that ran in it; the kernel forgets a group only when it is empty."""
        self.program.kill()
        for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            for group in glob.glob(f"{root}/**/{name}", recursive=True):
                eventually(lambda group=group: self._removed(group) or None, f"{group} is removed")

    @staticmethod
    def _removed(group):
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        return not os.path.exists(group)

    def _booted(self):
        if not self.program.running:
            skip(f"systemd does not run in namespaces here: {' '.join(self.program.lines()[-2:])}")
        return self.run("systemctl", "is-active", "test.target").returncode == 0

    def run(self, *command, timeout=60):
        """Runs a command on the machine, as root."""
        return self.test.run_program(self._nsenter, "--target", self.pid, "--mount", "--pid", "--net", "--uts", "--ipc",
                                     "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command, timeout=timeout)

    def unpack(self, bundle):
        """The bundle in /tmp/bundle, as a bake and an instance that boots have it."""
        folder = self.machine / "tmp/bundle"
        folder.mkdir()
        subprocess.run(["tar", "-xzf", str(bundle), "-C", str(folder), "--no-same-owner"], check=True)

    def show(self, unit, *names):
        """{name: value} of a unit's properties."""
        done = self.run("systemctl", "show", unit, *[f"--property={name}" for name in names])
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def get(self, port, path):
        """The body of an answer, or None."""
        done = self.run("curl", "--silent", "--fail", "--max-time", "2", f"http://127.0.0.1:{port}{path}")
        return done.stdout if done.returncode == 0 else None
