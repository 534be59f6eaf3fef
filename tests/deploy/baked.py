"""What a bake needs beside Packer when no AWS is there, and what it leaves: the unit with its environment."""

import re
import shlex

# What stands for the distribution's package manager: it writes down what it was asked to install.
DNF = '#!/bin/sh\necho "$@" >>/opt/machine/dnf-calls\n'


def neutral_variables(host, endpoint, image):
    """{name: value} of packer/neutral's, for a bake on this SshHost with the EC2 API at `endpoint`."""
    (host.machine / "opt/machine/bin").mkdir(parents=True)
    (host.machine / "opt/machine/bin/dnf").write_text(DNF)
    (host.machine / "opt/machine/bin/dnf").chmod(0o755)
    return {"endpoint": endpoint, "source_ami": image, "ssh_host": host.host, "ssh_port": host.port,
            "ssh_username": "root", "ssh_private_key_file": host.key,
            "agent": "false",  # there is no CloudWatch, and no rpm on the machine
            "become": "env PATH=/opt/machine/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def unquoted(value):
    """A value of systemd's EnvironmentFile."""
    if value.startswith('"'):
        return re.sub(r'\\(["\\$`])', r"\1", value[1:-1])
    return value


def environment_file(path):
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: unquoted(value) for name, value in pairs}


def unit_values(path):
    """{key: [values]} of a unit's [Service]."""
    section = path.read_text().split("[Service]\n")[1].split("\n[")[0]
    found = {}
    for line in section.splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def unit_environment(machine, unit):
    """What the files that the unit names make of its program's environment."""
    environment = {"PATH": "/usr/bin:/bin"}
    for path in unit["EnvironmentFile"]:
        environment.update(environment_file(machine / path.lstrip("/")))
    return environment


# What a tier says to a program that it starts: where to listen, and which of the instances it is.
OF_THE_TIER = ("HOST", "PORT", "RR_INSTANCE_ID", "RR_ZONE", "RR_HOST_NAME")


def write_start(machine, name, tree, kept=()):
    """Writes tree/serve, which starts in a copy of the baked tree (/opt and /etc below `tree`) what the unit starts, with the
    unit's environment and nothing else. Where it listens and who it is are the tier's to say; `kept` names further
    variables that it hands on."""
    unit = unit_values(machine / f"etc/systemd/system/{name}.service")
    [folder], [command] = unit["WorkingDirectory"], unit["ExecStart"]
    assigned = [shlex.quote(f"{key}={value}") for key, value in unit_environment(machine, unit).items() if key not in OF_THE_TIER]
    handed = [f'{key}="${key}"' for key in (*OF_THE_TIER, *kept)]
    script = tree / "serve"
    script.write_text(f'#!/bin/sh\nexec env -i --chdir=".{folder}" {" ".join(assigned + handed)} "$PWD{command}"\n')
    script.chmod(0o755)
