"""Terraform for the tests: a copy of the repository's terraform/, a provider from this machine, and the settings as
variables. Nothing is written into the repository and nothing is fetched.

The provider comes from a folder in Terraform's own layout (HOST/NAMESPACE/TYPE/VERSION/PLATFORM): RR_TERRAFORM_MIRROR names
it, or it lies where such folders usually are. Without one the tests skip.
"""

import functools
import glob
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess

import harness

USUAL_MIRRORS = ["~/.terraform.d/plugins", "~/.terraform.d/plugin-cache", "~/.local/share/terraform/plugins",
                 "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*"]
PROVIDER = "registry.terraform.io/hashicorp/aws"
HTTP_PROVIDER = "registry.terraform.io/hashicorp/http"


def need_tool(name):
    """The path of a tool that no distribution has; skips, visibly, without it."""
    return shutil.which(name) or harness.skip(f"{name} is not installed")


@functools.cache
def provider_mirror():
    """The folder that the AWS provider can be taken from; skips when there is none."""
    given = os.environ.get("RR_TERRAFORM_MIRROR")
    for pattern in [given] if given else [os.environ.get("TF_PLUGIN_CACHE_DIR") or "", *USUAL_MIRRORS]:
        for folder in sorted(glob.glob(os.path.expanduser(pattern))):
            if (pathlib.Path(folder) / PROVIDER).is_dir():
                return folder
    harness.skip(f"no AWS provider{' in ' + given if given else ''}: RR_TERRAFORM_MIRROR names a folder with {PROVIDER}, "
                 "as `terraform providers mirror FOLDER` makes it")


def has_http_provider():
    """Whether the folder has the provider that examples/complete asks the tier with."""
    return (pathlib.Path(provider_mirror()) / HTTP_PROVIDER).is_dir()


def provider_program(mirror):
    """The provider's program in the version that terraform/.terraform.lock.hcl pins; None where the folder has archives."""
    lock = (harness.ROOT / "terraform/.terraform.lock.hcl").read_text(encoding="utf-8")
    version = re.search(rf'provider "{re.escape(PROVIDER)}" {{\n  version +="([\d.]+)"', lock.replace("= ", "=")).group(1)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return next(iter(sorted((pathlib.Path(mirror) / PROVIDER / version / f"linux_{machine}").glob("terraform-provider-aws_*"))), None)


def kept_provider(test, mirror, environment=None):
    """Starts the provider, and returns the variables that lead Terraform to it; none where it cannot be kept."""
    program = provider_program(mirror)
    if program is None:
        return {}
    # Configured a second time, the provider cannot take a bundle of certificates again.
    surroundings = {"AWS_CA_BUNDLE": None, **(environment or {})}
    kept = test.start(program, "-debug", name="provider", environment=surroundings)
    found = kept.wait_for(r"TF_REATTACH_PROVIDERS='(\{.*\})'", timeout=120)
    return {"TF_REATTACH_PROVIDERS": found.group(1)}


def settings_for(receiver, environment="production", text=None, folder=None):
    """What a receiver gets of an environment's settings; of `text` (written below `folder`) when it is given."""
    file = harness.ROOT / "deploy" / "settings" / f"{environment}.yaml"
    if text is not None:
        file = pathlib.Path(folder) / f"{environment}.yaml"
        file.write_text(text, encoding="utf-8")
    done = subprocess.run([harness.program("rr-deploy"), "settings", "render", "--for", receiver, str(file)], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the settings are refused:\n{done.stderr}")
    return done.stdout


class Workspace:
    """A copy of terraform/ in which one root can be initialised, planned and applied."""

    def __init__(self, test, root=".", with_provider=True):
        self.test = test
        self.program = need_tool("terraform")
        self.mirror = provider_mirror() if with_provider else None
        self.copy = test.folder / "terraform"
        if not self.copy.exists():
            shutil.copytree(harness.ROOT / "terraform", self.copy, symlinks=True,
                            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*_override.tf"))
        self.root = self.copy / root
        self.configuration = test.folder / "terraformrc"
        mirrored = (f'provider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n'
                    if self.mirror else "")
        self.configuration.write_text("disable_checkpoint = true\n" + mirrored, encoding="utf-8")
        self.attached = {}

    def keep_provider(self, environment=None):
        """One provider for all commands that follow, in this environment: its start costs more than most commands do. It is
        the same program; `init`, which looks whether it is the one of the lock file, still starts its own."""
        self.attached = kept_provider(self.test, self.mirror, environment)

    def run(self, *arguments, timeout=240, environment=None, expected=(0,)):
        """One terraform command in the root; fails the test when its exit code is another."""
        surroundings = {"TF_CLI_CONFIG_FILE": str(self.configuration), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0",
                        "CHECKPOINT_DISABLE": "1", **({} if arguments[0] == "init" else self.attached), **(environment or {})}
        command = [self.program, f"-chdir={self.root}", arguments[0], *arguments[1:]]
        done = self.test.run_program(*command, timeout=timeout, environment=surroundings)
        self.test.assertIn(done.returncode, expected, done)
        return done

    def use_local_state(self):
        """The state beside the copy instead of in a bucket: backend.tf says that this is how."""
        (self.root / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")

    def variables(self, name="settings", environment="production", change=None):
        """Writes the environment's variables to a file, with `change(variables)` applied, and returns its path."""
        variables = json.loads(settings_for("terraform", environment))
        if change is not None:
            change(variables)
        file = self.test.folder / f"{name}.tfvars.json"
        file.write_text(json.dumps(variables), encoding="utf-8")
        return str(file)
