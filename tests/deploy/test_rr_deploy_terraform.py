"""rr-deploy's commands around Terraform, with the real one and its provider against moto's server, in a checkout of the test's
own: plan and apply take their values from the settings, the state lies in a file, destroy leaves nothing that releases wrote."""

import json
import shutil
import unittest

import harness
from checkout import Checkout
from endpoint import Endpoint

REGION = "eu-west-1"
FLAGS = ["--", "-var=local_endpoint=true"]


class Around(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.endpoint = Endpoint(self, REGION)
        self.checkout = Checkout(self, self.endpoint)
        self.deploy = self.checkout.deploy

    def test_the_first_apply_needs_an_image_and_says_so(self):
        done = self.deploy("plan", "local", *FLAGS, code=3)
        self.assertIn("which image?", done.stderr)

    def test_another_account_is_refused_before_terraform_starts(self):
        file = self.checkout.settings
        file.write_text(file.read_text().replace('account: ""', 'account: "999999999999"'))
        self.assertIn("the settings say 999999999999", self.deploy("plan", "local", code=3).stderr)

    def test_terraforms_own_exit_code_is_kept(self):
        (self.checkout.folder / "terraform/broken.tf").write_text("resource {\n")
        image = self.endpoint.aws("ec2", "describe-images", "--owners", "amazon", "--query", "Images[0].ImageId")[0]
        self.assertIn("broken.tf", self.deploy("plan", "local", "--image", image, *FLAGS, code=1).stderr)

    def test_bootstrap_twice_prints_the_variables_of_ci_and_destroy_all_leaves_nothing(self):
        """The bootstrap root's state lies in the bucket that it made, as at AWS; so the bucket goes last."""
        if not harness.long_run():
            harness.skip("a minute: only in ./check --all")
        for _ in range(2):
            done = self.deploy("bootstrap", "local", "--repo", "acme/shop", "--yes", *FLAGS)
        self.assertIn("the state's bucket round-robin-local-state-123456789012 is there", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^\w+=.*arn:aws:iam::123456789012:role/round-robin-local-deploy")
        roles = ["iam", "list-roles", "--query", "Roles[?starts_with(RoleName, 'round-robin')].RoleName"]
        self.assertIn("round-robin-local-deploy", self.endpoint.aws(*roles))
        done = self.deploy("destroy", "local", "--yes", "--all", *FLAGS)
        self.assertIn("bucket round-robin-local-state-123456789012 and the states in it are removed", done.stdout)
        self.assertEqual(self.endpoint.aws(*roles), [])
        self.assertEqual(self.endpoint.aws("s3api", "list-buckets", "--query", "Buckets[].Name"), [])

    def test_plan_apply_look_and_destroy(self):
        if not harness.long_run():
            harness.skip("minutes: only in ./check --all")
        image = self.endpoint.aws("ec2", "describe-images", "--owners", "amazon", "--filters", "Name=architecture,Values=x86_64",
                                  "--query", "Images[0].ImageId")[0]
        self.assertIn("to add", self.deploy("plan", "local", "--image", image, *FLAGS).stdout)
        self.deploy("apply", "local", "--yes", "--image", image, *FLAGS)
        status = json.loads(self.deploy("status", "local", "--json").stdout)
        self.assertEqual((status["version"], len(status["instances"])), ("1", 2))
        # What Terraform keeps in Parameter Store is enough to look from somewhere else.
        shutil.move(self.checkout.folder / "deploy", self.checkout.folder / "away")
        self.assertIn("round-robin-local", self.deploy("history", "local").stdout + self.deploy("status", "local").stdout)
        shutil.move(self.checkout.folder / "away", self.checkout.folder / "deploy")
        self.deploy("plan", "local", "--detailed-exit-code", *FLAGS)
        self.assertEqual(self.deploy("destroy", "local", code=3).stderr.count("not confirmed"), 1)
        self.deploy("destroy", "local", "--yes", *FLAGS)
        self.assertIn("there is no Auto Scaling group", self.deploy("status", "local", code=3).stderr)


if __name__ == "__main__":
    unittest.main()
