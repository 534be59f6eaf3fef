"""rr-deploy's commands around Terraform, with the real one and its provider against moto's server, in a checkout of the test's
own: what is refused before anything is begun, and the first hour in an account. Plan, apply and destroy are in test_whole_way.py."""

import json
import unittest

import harness
from checkout import Checkout
from endpoint import Endpoint
from terraform import settings_for

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


class Bootstrap(harness.TestCase):
    """The roles and the state's bucket, with the state in that very bucket and S3's own lock."""

    first = True

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("a minute: only in ./check --all")
        self.endpoint = Endpoint(self, REGION)
        self.checkout = Checkout(self, self.endpoint)
        self.aws, self.deploy = self.endpoint.aws, self.checkout.deploy
        harness.need_command("aws", "awscli")

    def test_it_may_be_repeated_prints_the_variables_of_ci_and_destroy_all_leaves_nothing(self):
        """As at AWS, the bucket that holds the state goes last."""
        settings = json.loads(settings_for("terraform", "local"))
        bucket = settings["ci"]["state_bucket"].replace("{account}", "123456789012")
        self.checkout.keep_provider()
        words = ["bootstrap", "local", "--repo", "acme/shop", "--yes", *FLAGS]
        self.assertIn(f"the state's bucket {bucket} is made", self.deploy(*words).stdout)
        done = self.deploy(*words)
        self.assertIn(f"the state's bucket {bucket} is there", done.stdout)
        self.assertIn("Resources: 0 added, 0 changed, 0 destroyed", done.stdout)
        for purpose in ("plan", "apply", "bake", "deploy"):
            role = settings["ci"][f"{purpose}_role"]
            self.assertRegex(done.stdout, rf"(?m)^RR_{purpose.upper()}_ROLE=arn:aws:iam::123456789012:role/{role}$")
            found = self.aws("iam", "get-role-policy", "--role-name", role, "--policy-name", purpose, "--query", "PolicyName")
            self.assertEqual(found, [purpose])
        [key] = self.aws("s3api", "list-objects-v2", "--bucket", bucket, "--query", "Contents[].Key")
        self.assertRegex(key, "bootstrap")
        done = self.deploy("destroy", "local", "--yes", "--all", *FLAGS)
        self.assertIn(f"bucket {bucket} and the states in it are removed", done.stdout)
        roles = ["iam", "list-roles", "--query", f"Roles[?starts_with(RoleName,'{settings['names']['tier']}')].RoleName"]
        providers = ["iam", "list-open-id-connect-providers", "--query", "OpenIDConnectProviderList[].Arn"]
        buckets = ["s3api", "list-buckets", "--query", "Buckets[].Name"]
        self.assertEqual([self.aws(*roles), self.aws(*providers), self.aws(*buckets)], [[], [], []])


if __name__ == "__main__":
    unittest.main()
