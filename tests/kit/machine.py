"""A machine of the test's own: a mount namespace on this one, with the whole system read-only and an /etc, /opt, /var, /home,
/root, /run and /tmp of its own below one folder, which is what is left when it has ended.
"""

import os
import pathlib
import shutil
import subprocess

from kit.surroundings import need_command, skip

OWN = ("etc", "opt", "var", "home", "root", "run", "tmp")
# "$1" is the folder that has the machine's own folders; then the command.
ENTER = """set -e
machine=$1
shift
mount --make-rprivate /
for name in etc opt var home root run tmp; do mount --bind "$machine/$name" "/$name"; done
# Busy while any file of it is open for writing in here, as mount's own is for a moment.
for try in 1 2 3 4 5 6 7 8 9; do mount -o remount,bind,ro / 2>/dev/null && break; sleep 0.1; done
mount -o remount,bind,ro /
exec "$@"
"""


def inside(machine, *command):
    """The command line that runs a command on the machine."""
    return [need_command("unshare", "util-linux"), "--mount", "sh", "-c", ENTER, "sh", str(machine), *map(str, command)]


def make_machine(test, name="machine"):
    """The folder of a new machine, below the test's folder. Skips where such a machine cannot be."""
    if os.geteuid() != 0:
        skip("a machine in a mount namespace needs root")
    machine = pathlib.Path(test.folder) / name
    for own in OWN:
        (machine / own).mkdir(parents=True)
    shutil.rmtree(machine / "etc")
    subprocess.run(["cp", "-a", "/etc", str(machine / "etc")], check=True)
    shutil.rmtree(machine / "etc/systemd/system", ignore_errors=True)
    (machine / "etc/systemd/system").mkdir(parents=True)
    (machine / "var/lib/systemd").mkdir(parents=True)
    (machine / "tmp").chmod(0o1777)
    # As an image's base has them, so that a test sees whether they are gone from the image.
    (machine / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (machine / "etc/ssh").mkdir(exist_ok=True)
    (machine / "etc/ssh/ssh_host_ed25519_key").write_text("not a key\n")
    if subprocess.run(inside(machine, "true"), capture_output=True, check=False).returncode != 0:
        skip("mount namespaces are not allowed here")
    return machine
