"""terraform/ as it stands: formatted, valid, and its own tests pass with the settings of every environment.

The settings module needs no provider and no network; the others run with a mocked provider, whose schema must be there. What
Terraform does to an AWS-compatible endpoint is in test_terraform_apply.py.
"""

import re
import unittest

import harness
from terraform import Workspace, need_tool

ENVIRONMENTS = sorted(path.stem for path in (harness.ROOT / "deploy" / "settings").glob("*.yaml"))
TOTAL = re.compile(r"Success! (\d+) passed, 0 failed")


class Terraform(harness.TestCase):
    def test_it_is_formatted(self):
        need_tool("terraform")
        done = self.run_program("terraform", "fmt", "-check", "-recursive", "-diff", str(harness.ROOT / "terraform"))
        self.assertEqual(done.returncode, 0, done)

    def test_the_settings_module_needs_no_provider(self):
        workspace = Workspace(self, "modules/settings", with_provider=False)
        workspace.run("init", "-backend=false")
        for environment in ENVIRONMENTS:
            with self.subTest(environment=environment):
                done = workspace.run("test", f"-var-file={workspace.variables(environment=environment)}", "-no-color")
                self.assertRegex(done.stdout, TOTAL)
                self.assertGreater(int(TOTAL.search(done.stdout).group(1)), 15)


class TerraformWithProvider(harness.TestCase):
    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all: the provider takes seconds to start")

    def test_both_roots_are_valid(self):
        for root in (".", "bootstrap"):
            with self.subTest(root=root):
                workspace = Workspace(self, root)
                workspace.run("init", "-backend=false", "-lockfile=readonly")
                workspace.run("validate", "-no-color")

    def test_the_tests_with_a_mocked_provider_pass(self):
        workspace = Workspace(self)
        workspace.run("init", "-backend=false", "-lockfile=readonly")
        done = workspace.run("test", f"-var-file={workspace.variables()}", "-no-color", timeout=280)
        self.assertRegex(done.stdout, TOTAL)
        self.assertGreater(int(TOTAL.search(done.stdout).group(1)), 15)


class Scanners(harness.TestCase):
    """Each finding is fixed or skipped in the file, with its reason."""

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all")
        self.terraform = str(harness.ROOT / "terraform")

    def test_tflint(self):
        need_tool("tflint")
        done = self.run_program("tflint", f"--chdir={self.terraform}", "--recursive", "--no-color")
        self.assertEqual(done.returncode, 0, done)

    def test_trivy(self):
        need_tool("trivy")
        done = self.run_program("trivy", "config", "--exit-code=1", "--skip-check-update", self.terraform, timeout=120)
        self.assertEqual(done.returncode, 0, done)

    def test_checkov(self):
        need_tool("checkov")
        done = self.run_program("checkov", "--directory", self.terraform, "--quiet", "--compact", timeout=240)
        self.assertEqual(done.returncode, 0, done)

    def test_every_skip_has_a_reason(self):
        bare = []
        for path in sorted((harness.ROOT / "terraform").rglob("*.tf")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if re.search(r"#checkov:skip=\w+:?\s*$|#trivy:ignore:\S+\s*$", line):
                    bare.append(f"{path.name}:{number}: {line.strip()}")
        self.assertEqual(bare, [])


if __name__ == "__main__":
    unittest.main()
