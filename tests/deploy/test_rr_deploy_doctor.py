"""rr-deploy doctor, against an AWS of the test's own: what it finds in an account, and what each finding says."""

import json
import re

from kit.deployment import changed_settings
from scripted_aws import Refused
from scripted_case import QUICK, RrDeploy


class Doctor(RrDeploy):
    def findings(self, code=0):
        done = self.deploy(*self.command("doctor", "--json"), code=code)
        found = {}
        for one in json.loads(done.stdout):
            found.setdefault(one["check"], []).append((one["finding"], one["text"]))
        return found

    def test_a_good_account_has_nothing_bad(self):
        found = self.findings()
        for check, said in (("credentials", "user/me in account 123456789012, region eu-west-1"),
                            ("network", "the default VPC has subnets in 2 zones (eu-west-1a, eu-west-1b); 2 are needed"),
                            ("instance type", "t3.micro is offered in every zone"),
                            # The group of the settings has four at most, with two vCPUs each.
                            ("quota", "32 vCPUs of standard instances are allowed; the group at its largest has 8"),
                            ("role", "AWSServiceRoleForAutoScaling is there"),
                            ("PassRole", "user/me may pass arn:aws:iam::123456789012:role/round-robin-local"),
                            ("state", "bucket round-robin-local-state-123456789012 holds"), ("tier", "on template version 6")):
            with self.subTest(check):
                finding, text = found[check][0]
                self.assertEqual(finding, "ok", text)
                self.assertIn(said, text)
        self.assertEqual([one for one in self.aws.calls if not re.match("Describe|Get|Simulate|Head", one)], [])

    def test_what_is_wrong_is_bad_and_named(self):
        self.aws.zones = ["eu-west-1a"]
        self.aws.offered = ["eu-west-1c"]
        self.aws.quota = 7.0
        self.aws.pass_role = "implicitDeny"
        self.aws.version = "$Latest"
        self.aws.roles.clear()
        found = self.findings(code=1)
        for check, finding, said in (("network", "BAD", "subnets in 1 zones (eu-west-1a); 2 are needed"),
                                     ("instance type", "BAD", "t3.micro is not offered in eu-west-1a"),
                                     ("quota", "BAD", "7 vCPUs of standard instances are allowed; the group at its largest has 8"),
                                     ("PassRole", "BAD", "may not pass"), ("tier", "BAD", "it must be a number"),
                                     ("role", "note", "is missing: `rr-deploy bootstrap` makes it")):
            with self.subTest(check):
                self.assertEqual(found[check][0][0], finding)
                self.assertIn(said, found[check][0][1])

    def test_a_type_that_one_of_three_zones_lacks_is_a_note(self):
        self.aws.zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
        self.assertEqual(self.findings()["instance type"], [("note", "t3.micro is not offered in eu-west-1c")])

    def test_a_session_is_examined_by_its_role(self):
        self.aws.caller = "arn:aws:sts::123456789012:assumed-role/round-robin-local-deploy/run-7"
        self.findings()
        self.assertEqual(self.aws.simulated["PolicySourceArn"], "arn:aws:iam::123456789012:role/round-robin-local-deploy")
        self.assertEqual(self.aws.simulated["ResourceArns.member.1"], "arn:aws:iam::123456789012:role/round-robin-local")

    def test_a_role_of_sso_is_examined_with_its_path(self):
        """The session's name leaves it out, and without it the role is none."""
        self.aws.roles["AWSReservedSSO_Admin_0"] = "aws-reserved/sso.amazonaws.com/eu-west-1/"
        self.aws.caller = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0/me"
        self.findings()
        self.assertEqual(self.aws.simulated["PolicySourceArn"],
                         "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0")

    def test_what_bootstrap_makes_is_looked_for(self):
        self.settings = changed_settings(self, {"ci.repository": "acme/shop"})
        self.aws.roles.update({"round-robin-local-plan": "", "round-robin-local-deploy": ""})
        self.aws.profiles.clear()
        self.assertEqual(self.findings()["role"][2:], [
            ("note", "instance profile round-robin-local-bake-instance is missing: `rr-deploy bootstrap` makes it; bake needs it"),
            ("ok", "round-robin-local-plan is there"),
            ("note", "round-robin-local-apply is missing: `rr-deploy bootstrap` makes it, and CI takes it"),
            ("note", "round-robin-local-bake is missing: `rr-deploy bootstrap` makes it, and CI takes it"),
            ("ok", "round-robin-local-deploy is there")])

    def test_what_may_not_be_asked_is_said_to_be_not_checked(self):
        def denied(action, _):
            if action in ("GetServiceQuota", "SimulatePrincipalPolicy", "GetRole", "DescribeSubnets"):
                raise Refused("AccessDenied", status=403)
        self.aws.interfere = denied
        found = self.findings()
        for check in ("quota", "PassRole", "role", "network"):
            finding, text = found[check][0]
            self.assertEqual(finding, "note")
            self.assertRegex(text, "^not checked: .*AccessDenied")

    def test_an_instance_type_of_another_quota_is_not_measured_by_this_one(self):
        self.settings = changed_settings(self, {**QUICK, "instance.type": "g5.xlarge"})
        self.assertIn("g5.xlarge has a quota of its own", self.findings()["quota"][0][1])
