"""A checkout of the test's own, in which rr-deploy finds its settings, Terraform's files and Packer's. Terraform's state lies in a
file beside them, its provider comes from this machine.
"""

import shutil

import harness
from terraform import kept_provider, need_tool, provider_mirror


class Checkout:
    """folder; `settings` is the environment's file, to be changed; `endpoint` is where every tool is led to."""

    def __init__(self, test, endpoint):
        need_tool("terraform")
        self.mirror = provider_mirror()
        self.attached = {}
        self.test, self.endpoint = test, endpoint
        self.folder = test.folder / "checkout"
        for part in ("terraform", "deploy/settings", "packer"):
            shutil.copytree(harness.ROOT / part, self.folder / part, symlinks=True,
                            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*_override.tf"))
        self.settings = self.folder / "deploy/settings/local.yaml"
        (self.folder / "terraform/backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.configuration = test.folder / "terraformrc"
        self.configuration.write_text(
            f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n')

    def keep_provider(self):
        """One provider for all commands that follow: its start costs more than most of them do."""
        self.attached = kept_provider(self.test, self.mirror, self.endpoint.environment())

    def deploy(self, *words, code=0, timeout=300, environment=None):
        """Runs rr-deploy here; fails the test when it ends with another code."""
        done = self.test.run_program("rr-deploy", *words, cwd=self.folder, timeout=timeout, environment={
            **self.endpoint.environment(), "CI_COMMIT": None, "TF_CLI_CONFIG_FILE": str(self.configuration), **self.attached,
            **(environment or {})})
        self.test.assertEqual(done.returncode, code, done)
        return done
