"""terraform/ as it stands: formatted, valid, and its own tests pass with the settings of every environment.

The settings module needs no provider and no network; the others run with a mocked provider, whose schema must be there. What
Terraform does to an AWS-compatible endpoint is in test_terraform_apply.py.
"""

import json
import re
import shutil
import unittest

import harness
from terraform import HTTP_PROVIDER, Workspace, has_http_provider, need_tool, settings_for

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

    def test_every_root_is_valid(self):
        attached = {}
        for root in (".", "bootstrap", "examples/minimal", "examples/complete"):
            with self.subTest(root=root):
                workspace = Workspace(self, root)
                if root == "examples/complete" and not has_http_provider():
                    (workspace.root / "answers.tf").unlink()
                # An example is the beginning of somebody else's root, whose lock file is theirs.
                workspace.run("init", "-backend=false", *([] if root.startswith("examples") else ["-lockfile=readonly"]))
                if not attached:
                    workspace.keep_provider()
                    attached = workspace.attached
                workspace.attached = attached
                workspace.run("validate", "-no-color")

    def test_the_example_that_asks_the_tier_is_valid(self):
        if not has_http_provider():
            harness.skip(f"no {HTTP_PROVIDER} in the folder of providers")
        workspace = Workspace(self, "examples/complete")
        workspace.run("init", "-backend=false")
        workspace.run("validate", "-no-color")

    def test_the_tests_with_a_mocked_provider_pass(self):
        workspace = Workspace(self)
        workspace.run("init", "-backend=false", "-lockfile=readonly")
        workspace.keep_provider()
        done = workspace.run("test", f"-var-file={workspace.variables()}", "-no-color", timeout=280)
        self.assertRegex(done.stdout, TOTAL)
        self.assertGreater(int(TOTAL.search(done.stdout).group(1)), 15)


class Conditions(harness.TestCase):
    """Every condition that can stop or warn is broken by a test."""

    TERRAFORM = harness.ROOT / "terraform"

    def text_of_tests(self, folder):
        """The text of all test files, and of those that run this module."""
        return "".join(path.read_text(encoding="utf-8")
                       for path in [*self.TERRAFORM.glob("tests/*.hcl"), *folder.glob("tests/*.hcl")])

    def conditions(self):
        """[(module's folder, address)] of what has a precondition or postcondition, and of checks."""
        found = []
        for path in sorted(self.TERRAFORM.rglob("*.tf")):
            text = path.read_text(encoding="utf-8")
            for kind, labels, body in re.findall(r'^(resource|data|output|check) ((?:"\w+" ?)+)\{\n(.*?)^\}$', text, re.M | re.S):
                names = re.findall(r"\w+", labels)
                address = ".".join(names if kind == "resource" else [kind, *names])
                number = 1 if kind == "check" else len(re.findall(r"^ +(?:pre|post)condition \{$", body, re.M))
                found += [(path.parent, address)] * number
        return found

    def test_every_condition_is_expected_to_fail_somewhere(self):
        found = self.conditions()
        self.assertGreater(len(found), 10)
        for folder, address in set(found):
            if folder.name == "answers":
                continue  # its provider may not be there: what it asks is shown on AWS only
            with self.subTest(address=address, module=folder.name):
                times = len(re.findall(rf"expect_failures += \[{re.escape(address)}\]", self.text_of_tests(folder)))
                self.assertGreaterEqual(times, found.count((folder, address)))

    def test_every_rule_between_settings_is_broken_by_itself(self):
        folder = self.TERRAFORM / "modules/settings"
        rules = re.findall(r'^    "([^"]+)" += ', (folder / "rules.tf").read_text(encoding="utf-8"), re.M)
        broken = re.findall(r'output\.broken_rules\) == jsonencode\(\["([^"]+)"\]\)',
                            (folder / "tests/rules.tftest.hcl").read_text(encoding="utf-8"))
        self.assertGreater(len(rules), 20)
        self.assertEqual(sorted(rules), sorted(broken))


class Documentation(harness.TestCase):
    def test_every_folder_says_its_inputs_and_outputs(self):
        done = self.run_program(harness.ROOT / "tools/terraform-readme", "--check")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done)

    def test_a_table_that_is_out_of_date_is_named(self):
        copy = self.folder / "copy"
        shutil.copytree(harness.ROOT / "terraform", copy / "terraform", symlinks=True, ignore=shutil.ignore_patterns(".terraform"))
        (copy / "tools").mkdir()
        shutil.copy(harness.ROOT / "tools/terraform-readme", copy / "tools")
        outputs = copy / "terraform/modules/state/outputs.tf"
        outputs.write_text(outputs.read_text().replace("Of the state.", "Of something else.", 1))
        checked = self.run_program(copy / "tools/terraform-readme", "--check")
        self.assertEqual((checked.returncode, checked.stdout),
                         (1, "terraform/modules/state/README.md: differs; run tools/terraform-readme\n"), checked)
        self.assertEqual(self.run_program(copy / "tools/terraform-readme").returncode, 0)
        self.assertIn("| `bucket` | Of something else. |", (copy / "terraform/modules/state/README.md").read_text())

    def test_the_complete_example_differs_from_production_only_where_it_says_so(self):
        example = harness.ROOT / "terraform/examples/complete/complete.yaml"
        mine = json.loads(settings_for("terraform", text=example.read_text(encoding="utf-8"), folder=self.folder, environment="complete"))
        production = json.loads(settings_for("terraform"))
        said = set(re.findall(r"^  # complete: .*\n(?:  #.*\n)*((?:  \w+: .*\n)+)", example.read_text(encoding="utf-8"), re.M))
        said = {key for block in said for key in re.findall(r"^  (\w+):", block, re.M)}

        def differing(one, other, key=""):
            if isinstance(one, dict):
                return [found for name in one for found in differing(one[name], other[name], name)]
            return [] if one == other else [key]
        for section in mine:
            if section in ("names", "environment"):
                continue
            for key in differing(mine[section], production[section]):
                renamed = json.dumps(mine[section][key]).replace("complete", "production") == json.dumps(production[section][key])
                self.assertTrue(key in said or renamed, f"{section}.{key} is not said to be another")


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
