"""A machine of the test's own that SSH reaches: what stands for an instance while an image is baked.

dropbear serves it on a loopback address, on a port of the kernel's choice, with keys made for the test. It ends with the test.
"""

import pathlib
import socket
import subprocess

from kit.addresses import free_address
from kit.machine import inside, make_machine
from kit.surroundings import need_command
from kit.waiting import eventually


class SshHost:
    """machine: the folder with the machine's own folders, `name` of the test's. key: the file that lets one in, as root."""

    def __init__(self, test, name="machine"):
        need_command("dropbear", "dropbear-bin")
        need_command("scp", "openssh-client")
        self.machine = make_machine(test, name)
        self.key = self._make_keys(pathlib.Path(test.folder) / f"{name}-key")
        self.host, self.port = free_address()
        keys = [part for kind in ("rsa", "ecdsa", "ed25519") for part in ("-r", f"/etc/dropbear/{kind}")]
        # No forwarding, no passwords, in the foreground.
        self.program = test.start(*inside(self.machine, "dropbear", "-F", "-E", "-s", "-j", "-k", "-p", f"{self.host}:{self.port}",
                                          "-P", "/run/dropbear.pid", *keys), name="dropbear")
        eventually(self._answers, "dropbear answers")

    def _make_keys(self, key):
        need_command("ssh-keygen", "openssh-client")
        (self.machine / "etc/dropbear").mkdir(exist_ok=True)
        for kind in ("rsa", "ecdsa", "ed25519"):
            subprocess.run(["dropbearkey", "-t", kind, "-f", str(self.machine / "etc/dropbear" / kind)],
                           capture_output=True, check=True)
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
