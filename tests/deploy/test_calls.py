"""Every call of AWS that rr-deploy can make is made, and its answer is understood.

The client refuses a call that is not in the table of deploy/aws/operations.h (a check that is always on), so that table is all
of them. Here each is made to moto's server, which is another implementation of AWS, by the command that needs it. A few moto cannot
answer (UNKNOWN_TO_MOTO): it is asked all the same, its refusal is understood, and what AWS would answer is asked of the AWS of
the tests (scripted_aws.py). A call that is in neither list fails this test, and so does one of UNKNOWN_TO_MOTO that moto has
learnt.
"""

import itertools
import json
import pathlib
import re
import signal
import time
import unittest

import harness
from in_step import NEW, OLD, InStep
from kit.deployment import changed_settings
from moto_tier import MotoTier
from scripted_case import NEW as NEW_IMAGE, QUICK as SCRIPTED, RrDeploy, bundle_bytes

QUICK = {"release.bake_time": "0s", "release.patience": "20s", "verification.deadline": "30s", "verification.consecutive_answers": 6,
         "probe.interval": "100ms", "verification.answer_timeout": "2s", "probe.answer_timeout": "2s",
         "release.keep_images": 2, "release.keep_versions": 2}
# moto 5.2 answers these with an error, whatever they ask.
UNKNOWN_TO_MOTO = {"StartInstanceRefresh", "DescribeInstanceRefreshes", "RollbackInstanceRefresh", "CancelInstanceRefresh",
                   "DeleteLaunchTemplateVersions", "GetServiceQuota", "SimulatePrincipalPolicy"}


def operations():
    """{action: service}"""
    text = (harness.ROOT / "deploy/aws/operations.h").read_text(encoding="utf-8")
    return {action: service for service, action in re.findall(r'^    \{"(\w+)", "(\w+)"\},$', text, re.MULTILINE)}


class Calls(InStep):
    first = True

    def setUp(self):
        super().setUp()
        self.aws = MotoTier(self)
        self.images = self.aws.make([OLD, NEW])
        self.settings = changed_settings(self, QUICK)

    def deploy(self, verb, *words, code=0):
        done = self.run_program("rr-deploy", verb, "local", "--settings", self.settings, *words, timeout=120, cwd=self.folder,
                                environment=self.aws.environment())
        self.assertEqual(done.returncode, code, done)
        return done

    def answered(self):
        """What moto has answered with success at least once."""
        return {action for action, status in self.aws.calls if status < 300}

    def bake(self, instance, commit):
        """An image of this environment, as a bake leaves it; returns its id and those of its snapshots. Their age is told in
        whole seconds, so each is of a second of its own."""
        began = int(time.time())
        harness.eventually(lambda: int(time.time()) > began or None, "the clock has gone on")
        image = self.aws.call("ec2", "CreateImage", InstanceId=instance, Name=f"baked-{commit}").findtext("imageId")
        self.aws.call("ec2", "CreateTags", ResourceId_1=image, Tag_1_Key="App", Tag_1_Value="round-robin", Tag_2_Key="Environment",
                      Tag_2_Value="local", Tag_3_Key="Commit", Tag_3_Value=commit)
        return image, self.snapshots(image)

    def snapshots(self, image):
        found = self.aws.call("ec2", "DescribeImages", ImageId_1=image)
        return [one.text for one in found.iter("snapshotId")]

    def all_images(self):
        return {one.text for one in self.aws.call("ec2", "DescribeImages", Owner_1="self").iter("imageId")}

    def all_snapshots(self):
        return {one.text for one in self.aws.call("ec2", "DescribeSnapshots").iter("snapshotId")}

    def prune(self, url):
        """What is in use and the newest stay, the others go with their snapshots. The group's own image is of them all the
        oldest, and stays because it serves."""
        instance = sorted(self.aws.group()[2])[0]
        baked = [self.bake(instance, f"{number}" * 40) for number in range(5)]
        serving, candidate = baked[0][0], baked[1][0]
        self.deploy("release", "--image", serving, "--commit", NEW, "--strategy", "double", "--url", url)
        self.aws.json_call("ssm", "AmazonSSM.PutParameter", Name="/round-robin/local/candidate/ami", Value=candidate, Type="String",
                           Overwrite=True)
        before = self.all_images()
        said = self.deploy("prune", "--dry-run").stdout
        self.assertEqual((said.count("would go"), said.count("stays: in use")), (1, 2), said)
        self.assertEqual(self.all_images(), before)
        self.deploy("prune")
        gone, snapshots = baked[2]
        self.assertEqual(before - self.all_images(), {gone})
        self.assertNotEqual(snapshots, [])
        self.assertEqual(self.all_snapshots() & set(snapshots), set())
        for image, kept in (baked[0], baked[1], baked[3], baked[4]):
            self.assertLessEqual(set(kept), self.all_snapshots(), image)

    def test_every_call_is_made_and_understood(self):
        table = operations()
        self.assertGreater(len(table), 35)
        self.up()
        url, old = self.url(), self.first_image()
        new = self.ok("image", "build", "--commit", NEW, "--build", 1).stdout.strip()
        self.follow(lambda version: old if version == "1" else new)
        bundle = pathlib.Path(self.folder) / "bundle.tar.gz"
        bundle.write_bytes(bundle_bytes())
        self.aws.make_bucket("round-robin-local-artifacts-123456789012")
        words = ["--strategy", "double", "--url", url]
        self.deploy("release", "--artifact", bundle, "--commit", NEW, *words)
        stored = json.loads(self.deploy("history", "--json").stdout)[0]["current"]["artifact"]
        self.deploy("release", "--artifact", stored, "--commit", NEW, *words)
        self.deploy("rollback", "--to", "1", *words)
        self.deploy("status")
        self.aws.json_call("logs", "Logs_20140328.CreateLogGroup", logGroupName="/round-robin/local")
        self.deploy("logs")
        self.remove_a_bucket()
        # After the bootstrap, which makes the roles that it looks for; the profile is its Terraform's, which does nothing here.
        self.aws.call("iam", "CreateInstanceProfile", InstanceProfileName="round-robin-local-bake-instance")
        self.deploy("doctor")
        self.prune(url)
        seen = self.answered()
        self.assertEqual(set(table) - seen - UNKNOWN_TO_MOTO, set(), "these calls were never sent to moto")
        self.assertEqual(seen & UNKNOWN_TO_MOTO, set(), "moto has learnt these")
        self.assertEqual(seen - set(table), set(), "the relay reads an action that is none")

    def remove_a_bucket(self):
        """bootstrap's and destroy's own calls, in a checkout whose Terraform does nothing."""
        checkout = self.folder / "checkout"
        (checkout / "deploy/settings").mkdir(parents=True)
        (checkout / "deploy/settings/local.yaml").write_text(self.settings.read_text())
        (checkout / "terraform/bootstrap").mkdir(parents=True)
        (checkout / "bin").mkdir()
        (checkout / "bin/terraform").write_text("#!/bin/sh\nexit 0\n")
        (checkout / "bin/terraform").chmod(0o755)
        environment = {**self.aws.environment(), "PATH": f"{checkout}/bin:/usr/bin:/bin"}

        def deploy(*words, code=0):
            done = self.run_program("rr-deploy", *words, cwd=checkout, environment=environment, timeout=120)
            self.assertEqual(done.returncode, code, done)
            return done
        bucket = "round-robin-local-state-123456789012"
        deploy("bootstrap", "local", "--repo", "acme/shop", "--yes")
        self.aws.object("PUT", f"/{bucket}?versioning=", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        for text in (b"one", b"two"):
            self.aws.object("PUT", f"/{bucket}/round-robin/local/terraform.tfstate", text)
        self.aws.object("PUT", f"/{bucket}/somebody/else.tfstate", b"three")
        done = deploy("destroy", "local", "--yes", "--all", code=3)
        self.assertIn(f"bucket {bucket} holds what is not this environment's: somebody/else.tfstate", done.stderr)
        self.aws.object("DELETE", f"/{bucket}/somebody/else.tfstate")
        done = deploy("destroy", "local", "--yes", "--all", code=3)
        self.assertIn("somebody/else.tfstate", done.stderr, "its versions are still there")
        for version in self.aws.versions_of(bucket, "somebody/else.tfstate"):
            self.aws.object("DELETE", f"/{bucket}/somebody/else.tfstate?versionId={version}")
        self.assertIn(f"bucket {bucket} and the states in it are removed", deploy("destroy", "local", "--yes", "--all").stdout)
        self.assertIn(f"there is no bucket {bucket}", deploy("destroy", "local", "--yes", "--all", code=3).stderr)


REFRESHES = """<DescribeInstanceRefreshesResponse><DescribeInstanceRefreshesResult><InstanceRefreshes>{}</InstanceRefreshes>
</DescribeInstanceRefreshesResult></DescribeInstanceRefreshesResponse>"""
REFRESH = """<member><InstanceRefreshId>refresh-1</InstanceRefreshId><Status>InProgress</Status><PercentageComplete>0</PercentageComplete>
<DesiredConfiguration><LaunchTemplate><Version>{}</Version></LaunchTemplate></DesiredConfiguration></member>"""
STARTED = """<StartInstanceRefreshResponse><StartInstanceRefreshResult><InstanceRefreshId>refresh-1</InstanceRefreshId>
</StartInstanceRefreshResult></StartInstanceRefreshResponse>"""


class RefusedByMoto(harness.TestCase):
    """moto answers what it does not know with 500 and a page, and of quotas it knows none of EC2's. A call whose answer an earlier one depends on is reached by what
    the relay says in its place (`instead`), with nothing else pretended."""

    first = True

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("a minute: only in ./check --all")
        self.aws = MotoTier(self)
        _, self.image = self.aws.make([OLD, NEW])
        self.settings = changed_settings(self, {**QUICK, "release.patience": "1s", "verification.consecutive_answers": 2})
        turns = itertools.count()
        front = self.target(lambda exchange: exchange.respond(
            200, body=json.dumps({"commit": OLD, "instance": f"i-{next(turns) % 2}"}).encode(),
            headers=[("Content-Type", "application/json")]))
        self.release = ["rr-deploy", "release", "local", "--settings", self.settings, "--image", self.image, "--commit", NEW,
                        "--url", "http://{}:{}".format(*front.address)]

    def refused(self):
        """What moto has refused since the last look, beside what it looked for and did not find."""
        found = {action for action, status in self.aws.calls if status >= (400 if action == "GetServiceQuota" else 500)}
        self.aws.calls.clear()
        return found

    def ended(self, code, *words):
        done = self.run_program(*words, environment=self.aws.environment(), cwd=self.folder, timeout=120)
        self.assertEqual(done.returncode, code, done)
        return done.stdout + done.stderr

    def test_each_refusal_is_understood(self):
        before, seen = self.aws.group(), set()
        with self.subTest("a release that cannot see the refreshes touches nothing"):
            self.assertIn("DescribeInstanceRefreshes of autoscaling answered HTTP 500", self.ended(3, *self.release))
            seen |= self.refused()
        with self.subTest("one that cannot start a refresh is as before, and says that its version is still there"):
            self.aws.instead["DescribeInstanceRefreshes"] = REFRESHES.format("")
            said = self.ended(3, *self.release)
            self.assertIn("the instance refresh could not be started", said)
            self.assertIn("DeleteLaunchTemplateVersions of ec2 answered HTTP 500", said)
            seen |= self.refused()
        with self.subTest("one that can neither be turned round nor cancelled is 11"):
            self.aws.instead["StartInstanceRefresh"] = STARTED
            program = self.start(*self.release, environment=self.aws.environment(), cwd=self.folder)
            program.wait_for("instance refresh refresh-1 is started")
            version = re.search(r"version (\d+) of the launch template is made", program.text()).group(1)
            self.aws.instead["DescribeInstanceRefreshes"] = REFRESHES.format(REFRESH.format(version))
            program.wait_for("refresh InProgress")
            program.process.send_signal(signal.SIGINT)
            self.assertEqual(program.process.wait(120), 11, program.text())
            self.assertIn("CancelInstanceRefresh of autoscaling answered HTTP 500", program.text())
            seen |= self.refused()
        with self.subTest("doctor says what it could not look at"):
            said = self.ended(0, "rr-deploy", "doctor", "local", "--settings", self.settings)
            self.assertIn("not checked: SimulatePrincipalPolicy of iam answered HTTP 500", said)
            self.assertIn("not checked: GetServiceQuota: NoSuchResourceException: ", said)
            seen |= self.refused()
        self.assertEqual(seen, UNKNOWN_TO_MOTO, "each was sent to moto, and moto refused nothing else")
        self.assertEqual(self.aws.group(), before)


class UnknownToMoto(RrDeploy):
    def test_they_are_made_to_the_aws_of_the_tests(self):
        self.settings = changed_settings(self, {**SCRIPTED, "release.bake_time": "1m"})
        words = self.job("release", "--image", NEW_IMAGE)
        self.deploy(*words)
        self.deploy(*self.job("rollback"))
        self.aws.images[NEW_IMAGE]["status"] = 500
        self.aws.bake = 3600  # it fails while it bakes: the refresh is turned round, or cancelled where AWS refuses that
        self.deploy(*words, code=10)
        self.aws.refuses_rollback = True
        self.deploy(*words, code=10)
        self.deploy(*self.command("doctor"))
        self.assertEqual(UNKNOWN_TO_MOTO - set(self.aws.calls), set(), "these calls were made nowhere")


if __name__ == "__main__":
    unittest.main()
