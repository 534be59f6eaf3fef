"""A machine of the test's own that SSH reaches: what stands for an instance while an image is baked.

It is a mount namespace on this machine: the whole system read-only, with an /etc, /opt, /var, /home, /root, /run and /tmp
of its own below one folder, which is what the bake leaves behind. dropbear serves it on a loopback address, on a port of
the kernel's choice, with keys made for the test. It ends with the test.
"""

import os
import pathlib
import shutil
import socket
import subprocess

from kit.addresses import free_address
from kit.surroundings import need_command, skip
from kit.waiting import eventually

OWN = ("etc", "opt", "var", "home", "root", "run", "tmp")
# "$1" is the folder that has the machine's own folders; then the command.
_ENTER = """set -e
machine=$1
shift
mount --make-rprivate /
for name in etc opt var home root run tmp; do mount --bind "$machine/$name" "/$name"; done
mount -o remount,bind,ro /
exec "$@"
"""


def inside(machine, *command):
    """The command line that runs a command on the machine."""
    return [need_command("unshare", "util-linux"), "--mount", "sh", "-c", _ENTER, "sh", str(machine), *map(str, command)]


class SshHost:
    """machine: the folder with the machine's own folders. key: the file that lets one in, as root."""

    def __init__(self, test):
        if os.geteuid() != 0:
            skip("an SSH host in a mount namespace needs root")
        need_command("dropbear", "dropbear-bin")
        need_command("scp", "openssh-client")
        self.machine = pathlib.Path(test.folder) / "machine"
        self._make_folders()
        if subprocess.run(inside(self.machine, "true"), capture_output=True, check=False).returncode != 0:
            skip("mount namespaces are not allowed here")
        self.key = self._make_keys(pathlib.Path(test.folder))
        self.host, self.port = free_address()
        keys = [part for kind in ("rsa", "ecdsa", "ed25519") for part in ("-r", f"/etc/dropbear/{kind}")]
        # No forwarding, no passwords, in the foreground.
        self.program = test.start(*inside(self.machine, "dropbear", "-F", "-E", "-s", "-j", "-k", "-p", f"{self.host}:{self.port}",
                                          "-P", "/run/dropbear.pid", *keys), name="dropbear")
        eventually(self._answers, "dropbear answers")

    def _make_folders(self):
        for name in OWN:
            (self.machine / name).mkdir(parents=True)
        shutil.rmtree(self.machine / "etc")
        subprocess.run(["cp", "-a", "/etc", str(self.machine / "etc")], check=True)
        (self.machine / "tmp").chmod(0o1777)
        (self.machine / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
        (self.machine / "var/lib/systemd").mkdir(parents=True)
        # As an image's base has them, so that a test sees whether they are gone from the image.
        (self.machine / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (self.machine / "etc/ssh").mkdir(exist_ok=True)
        (self.machine / "etc/ssh/ssh_host_ed25519_key").write_text("not a key\n")

    def _make_keys(self, folder):
        need_command("ssh-keygen", "openssh-client")
        (self.machine / "etc/dropbear").mkdir(exist_ok=True)
        for kind in ("rsa", "ecdsa", "ed25519"):
            subprocess.run(["dropbearkey", "-t", kind, "-f", str(self.machine / "etc/dropbear" / kind)],
                           capture_output=True, check=True)
        key = folder / "bake-key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(key)], check=True)
        (self.machine / "root/.ssh").mkdir(mode=0o700)
        authorized = self.machine / "root/.ssh/authorized_keys"
        authorized.write_text(key.with_suffix(".pub").read_text())
        authorized.chmod(0o600)
        (self.machine / "root").chmod(0o700)
        return key

    def _answers(self):
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as one:
                return one.recv(16).startswith(b"SSH-")
        except OSError:
            return False
