"""A checkout of the test's own, in which rr-deploy finds its settings, Terraform's files and Packer's. Terraform's state lies in a
file beside them, its provider comes from this machine.
"""

import shutil
import subprocess

import harness
from terraform import kept_provider, need_tool, provider_mirror


# What the CI of this very run may have set: a test has a commit and a build of its own.
NO_CI = dict.fromkeys(("CI_COMMIT", "CI_BUILD", "GITHUB_SHA", "GITHUB_RUN_NUMBER", "CODEBUILD_RESOLVED_SOURCE_VERSION",
                       "CODEBUILD_BUILD_NUMBER", "TRAVIS_COMMIT", "TRAVIS_BUILD_NUMBER"))


def copy_parts(folder):
    """What rr-deploy needs of a checkout, as it is here."""
    for part in ("terraform", "deploy/settings", "packer"):
        shutil.copytree(harness.ROOT / part, folder / part, symlinks=True,
                        ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*_override.tf"))


def clone(folder):
    """All of the last commit and nothing else."""
    if not (harness.ROOT / ".git").exists():
        harness.skip("this is no checkout")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(harness.ROOT), str(folder)], check=True)


class Checkout:
    """folder; `settings` is the environment's file, to be changed; `endpoint` is where every tool is led to. `fill` makes the
    folder: copy_parts, or clone."""

    def __init__(self, test, endpoint, fill=copy_parts):
        need_tool("terraform")
        self.mirror = provider_mirror()
        self.attached = {}
        self.test, self.endpoint = test, endpoint
        self.folder = test.folder / "checkout"
        fill(self.folder)
        self.settings = self.folder / "deploy/settings/local.yaml"
        (self.folder / "terraform/backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.configuration = test.folder / "terraformrc"
        self.configuration.write_text(
            f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n')

    def keep_provider(self):
        """One provider for all commands that follow: its start costs more than most of them do."""
        self.attached = kept_provider(self.test, self.mirror, self.endpoint.environment())

    def deploy(self, *words, **options):
        """Runs rr-deploy here; fails the test when it ends with another code than `code`."""
        return self.run("rr-deploy", *words, **options)

    def ci(self, *words, **options):
        """The same of this checkout's ci/run."""
        return self.run(self.folder / "ci/run", *words, **options)

    def run(self, *words, code=0, timeout=300, environment=None):
        done = self.test.run_program(*words, cwd=self.folder, timeout=timeout, environment={
            **self.endpoint.environment(), **NO_CI, "TF_CLI_CONFIG_FILE": str(self.configuration), **self.attached,
            **(environment or {})})
        self.test.assertEqual(done.returncode, code, done)
        return done

    def git(self, *words):
        return subprocess.run(["git", "-C", str(self.folder), *words], capture_output=True, text=True, check=True).stdout.strip()
