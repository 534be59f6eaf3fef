"""rr-deploy against moto's server: the calls as another implementation of AWS understands them, and its answers as rr-deploy
does. The load balancer's answers come from a local tier (rr-sim), which the test releases in step.

moto knows no instance refreshes (it answers 500), so releases go by doubling here; that an endpoint without refreshes is told
so and left alone is tested too.
"""

import base64
import hashlib
import json
import os
import pathlib
import unittest

import harness
from in_step import NEW, OLD, InStep
from kit.deployment import changed_settings
from moto_tier import MotoTier
from scripted_case import bundle_bytes

# All that an environment's settings say about waiting, made short.
QUICK = {"release.bake_time": "0s", "release.patience": "20s", "verification.deadline": "30s", "verification.consecutive_answers": 6, "probe.interval": "100ms",
         "verification.answer_timeout": "2s", "probe.answer_timeout": "2s"}


class OnMoto(InStep):
    def setUp(self):
        super().setUp()
        self.aws = MotoTier(self)
        self.old_image, self.new_image = self.aws.make([OLD, NEW])
        self.settings = changed_settings(self, QUICK)

    def deploy(self, verb, *words, code=0):
        done = self.run_program("rr-deploy", verb, "local", "--settings", self.settings, *words, environment=self.aws.environment(),
                                cwd=self.folder, timeout=120)
        self.assertEqual(done.returncode, code, done)
        return done

    def local_tier(self):
        """A tier with the old commit; returns its URL and the id of an image with the new one."""
        self.up()
        return self.url(), self.ok("image", "build", "--commit", NEW, "--build", 1).stdout.strip()


# A class each where a test takes long: classes run side by side.
class Doubling(OnMoto):
    def test_doubling_releases_and_rolls_back(self):
        url, new = self.local_tier()
        before = self.aws.group()[2]
        self.follow({"1": self.first_image(), "2": new}.get)
        done = self.deploy("release", "--image", self.new_image, "--strategy", "double", "--url", url, "--json")
        report = json.loads(done.stdout)
        self.assertEqual((report["outcome"], report["probe"]["failed"]), ("released", 0), done)
        version, desired, instances, suspended = self.aws.group()
        self.assertEqual((version, desired, len(instances), suspended), ("2", 2, 2, set()))
        self.assertEqual(instances & before, set(), "the termination policy of moto is chance; who stays is checked")
        history = json.loads(self.deploy("history", "--json").stdout)
        self.assertEqual([(one["outcome"], one["current"]["commit"]) for one in history], [("released", NEW)])

        done = self.deploy("rollback", "--strategy", "double", "--url", url)
        self.assertIn("back from version 2", done.stdout)
        version, desired, now, suspended = self.aws.group()
        self.assertEqual((version, desired, len(now), suspended), ("1", 2, 2, set()))
        self.assertEqual(now & instances, set(), done)


class NotFollowing(OnMoto):
    first = True

    def test_a_tier_that_does_not_follow_is_rolled_back(self):
        """The group gets its new instances, but the load balancer's answers stay old: nothing is believed, all goes back."""
        if not os.environ.get("RR_LONG"):
            harness.skip("only in ./check --all")
        url, _ = self.local_tier()
        self.settings = changed_settings(self, {**QUICK, "release.deadline": "1m", "verification.deadline": "5s"})
        before = self.aws.group()[2]
        done = self.deploy("release", "--image", self.new_image, "--strategy", "double", "--url", url, code=10)
        self.assertIn("not through after", done.stdout)
        version, desired, instances, suspended = self.aws.group()
        self.assertEqual((version, desired, suspended), ("1", 2, set()))
        self.assertEqual(instances, before)


class Artifact(OnMoto):
    def test_an_artifact_is_released_and_gone_back_from(self):
        """All but the boot of its instances, which test_user_data.py is about."""
        bundle = pathlib.Path(self.folder) / "bundle.tar.gz"
        bundle.write_bytes(bundle_bytes())
        url, new = self.local_tier()
        words = ["release", "--artifact", bundle, "--commit", NEW, "--strategy", "double", "--url", url]
        self.assertIn("NoSuchBucket", self.deploy(*words, code=3).stdout)
        self.aws.make_bucket("round-robin-local-artifacts-123456789012")
        self.follow({"1": self.first_image(), "2": new}.get)
        self.assertIn("is released", self.deploy(*words).stdout)
        digest = hashlib.sha256(bundle_bytes()).hexdigest()
        text = self.aws.call("ec2", "DescribeLaunchTemplateVersions", LaunchTemplateName="round-robin-local")
        version = text.find(".//item[versionNumber='2']/launchTemplateData")
        data = base64.b64decode(version.findtext("userData")).decode()
        self.assertIn(f"s3://round-robin-local-artifacts-123456789012/artifacts/{digest}.tar.gz", data)
        self.assertEqual((version.findtext("imageId"), version.findtext("instanceType")), (self.old_image, "t3.micro"), "the shape stays")
        self.assertEqual(self.aws.group()[:2], ("2", 2))
        [one] = json.loads(self.deploy("history", "--json").stdout)
        self.assertEqual((one["current"]["commit"], one["current"]["artifact"][-71:-7]), (NEW, digest))
        # One that is not there is found out before anything is touched.
        lost = one["current"]["artifact"].replace(digest, "0" * 64)
        done = self.deploy("release", "--artifact", lost, "--commit", NEW, "--strategy", "double", "--url", url, code=3)
        self.assertIn(f"{lost}: it cannot be read", done.stderr)
        self.assertIn("back at version 1", self.deploy("rollback", "--strategy", "double", "--url", url).stdout)
        self.assertEqual(self.aws.group()[:2], ("1", 2))


class Looking(OnMoto):
    def test_looking(self):
        status = json.loads(self.deploy("status", "--json").stdout)
        self.assertEqual((status["version"], len(status["instances"])), ("1", 2))
        self.assertEqual({one["target"] for one in status["instances"]}, {"healthy"})
        self.assertRegex(status["url"], r"^http://round-robin-local.*elb\.amazonaws\.com$")
        findings = json.loads(self.deploy("doctor", "--json").stdout)
        named = {one["check"]: one["finding"] for one in findings}
        self.assertEqual((named["credentials"], named["network"], named["instance type"], named["tier"]), ("ok", "ok", "ok", "ok"), findings)
        self.deploy("prune", "--dry-run")
        self.assertEqual([status for action, status in self.aws.calls if status >= 500 and "Refresh" not in action
                          and action not in ("GetServiceQuota", "SimulatePrincipalPolicy")], [], self.aws.calls)

    def test_an_endpoint_without_refreshes_is_named_and_left_alone(self):
        url, _ = self.local_tier()
        before = self.aws.group()
        done = self.deploy("release", "--image", self.new_image, "--url", url, code=3)
        self.assertIn("DescribeInstanceRefreshes", done.stdout + done.stderr)
        self.assertEqual(self.aws.group(), before)


if __name__ == "__main__":
    unittest.main()
