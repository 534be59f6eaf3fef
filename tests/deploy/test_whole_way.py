"""The whole way, once, with as little pretended as a machine without AWS allows: two commits of rr-webapp are baked by Debian's
Packer, each into a machine that SSH reaches; moto's server registers the images; Terraform with its real provider makes the
tier with the first; rr-deploy releases the second and goes back; destroy leaves nothing.

What moto lacks is a load balancer that answers. That part is a local tier (rr-sim), and what its instances run is the tree that
the bake left, with the command and the environment of its unit: so the release is proved by answers of the very program that
was baked. It follows the group at moto in step (in_step.py).
"""

import json
import re
import shutil
import unittest

import harness
from baked import neutral_variables, write_start
from checkout import Checkout
from endpoint import Endpoint
from in_step import NEW, OLD, InStep
from kit.deployment import changed_settings
from kit.process_table import MARK_VARIABLE
from kit.ssh_host import SshHost
from remains import remains
from terraform import settings_for

ENDPOINT = ["--", "-var=local_endpoint=true"]
QUICK = {"release.bake_time": "0s", "release.patience": "20s", "verification.deadline": "60s", "verification.consecutive_answers": 6,
         "probe.interval": "100ms", "verification.answer_timeout": "2s", "probe.answer_timeout": "2s"}
# An instance of the tier leaves as quickly as one of rr-sim's own would at this speed.
UP = ["--version-from", "path:/version", "--health-path", "/healthz", "--set", "target_group.deregistration_delay=1s"]


class WholeWay(InStep):
    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("minutes: only in ./check --all")
        for name, package in (("packer", "packer"), ("strip", "binutils"), ("aws", "awscli")):
            harness.need_command(name, package)
        if harness.sanitizer(harness.program("rr-webapp")):
            harness.skip("a sanitizer build is not baked")
        self.aws = Endpoint(self, "eu-west-1")
        self.checkout = Checkout(self, self.aws)
        shutil.copy(changed_settings(self, {**QUICK, "application.port": harness.free_address()[1]}), self.checkout.settings)
        self.deploy = self.checkout.deploy

    def bake(self, commit, build):
        """Bakes this commit; returns the image's id and the folder with what an instance of it runs."""
        host = SshHost(self, f"machine-{build}")
        base = self.aws.call("ec2", "DescribeImages", Owner_1="amazon", Filter_1_Name="architecture", Filter_1_Value_1="x86_64")
        said = self.deploy("bake", "local", "--neutral", "--commit", commit, "--build", build, "--",
                           *neutral_variables(host, self.aws.url, base.find("imagesSet")[0].findtext("imageId")),
                           environment={"RR_BIN": str(harness.bin_folder()), "RR_STATIC_BIN": str(harness.bin_folder()),
                                        "HOME": str(self.folder), "CHECKPOINT_DISABLE": "1"}).stdout
        self.assertIn("selftest: rr-webapp answers", said)
        tree = self.folder / f"tree-{build}"
        for part in ("opt/rr-webapp", "etc/rr-webapp"):
            shutil.copytree(host.machine / part, tree / part, symlinks=True)
        write_start(host.machine, "rr-webapp", tree, kept=[MARK_VARIABLE])
        return re.search(r"(?m)^(ami-\w+) is baked", said).group(1), tree

    def tags_of(self, image):
        [found] = self.aws.call("ec2", "DescribeImages", ImageId_1=image).find("imagesSet")
        return {one.findtext("key"): one.findtext("value") for one in found.iterfind("tagSet/item")}

    def served(self, url):
        said = harness.fetch(url.removeprefix("http://"), "/version").json()
        return said["commit"], said["build"]

    def test_from_a_bake_to_nothing_left(self):
        names = json.loads(settings_for("terraform", "local"))["names"]
        first, old_tree = self.bake(OLD, "1")
        tags = self.tags_of(first)
        self.assertEqual((tags["Commit"], tags["Build"], tags["Environment"]), (OLD, "1", "local"))

        self.checkout.keep_provider()
        self.deploy("apply", "local", "--yes", *ENDPOINT)  # the image that was baked last is the default
        version, desired, instances, _ = self.aws.group()
        self.assertEqual((version, desired, len(instances)), ("1", 2, 2))

        second, new_tree = self.bake(NEW, "2")
        self.up("--app", "./serve", *UP, cwd=old_tree)
        url = self.url()
        self.assertEqual(self.served(url), (OLD, "1"))
        new = self.ok("image", "build", "--commit", NEW, "--build", 2, "--from", new_tree, "--app", "./serve").stdout.strip()
        stop = self.follow({"1": self.first_image(), "2": new}.get)
        self.release_and_go_back(url, first, second, instances)
        stop()

        self.deploy("plan", "local", "--detailed-exit-code", *ENDPOINT)  # nothing of it is Terraform's
        self.assertLessEqual({"groups", "load balancers", "instances", "parameters"}, set(remains(self.aws, names)))
        self.deploy("destroy", "local", "--yes", *ENDPOINT)
        self.assertEqual(remains(self.aws, names), {})

    def release_and_go_back(self, url, first, second, instances):
        words = ["--strategy", "double", "--url", url]
        report = json.loads(self.deploy("release", "local", *words, "--json").stdout)
        self.assertEqual((report["outcome"], report["to"]["commit"], report["to"]["ami"], report["probe"]["failed"]),
                         ("released", NEW, second, 0), report)
        self.assertEqual(self.served(url), (NEW, "2"))
        version, desired, now, suspended = self.aws.group()
        self.assertEqual((version, desired, len(now), suspended), ("2", 2, 2, set()))
        self.assertEqual(now & instances, set())

        said = self.deploy("rollback", "local", *words).stdout
        self.assertIn(f"back at version 1 (commit {OLD[:12]})", said)
        self.assertEqual(self.served(url), (OLD, "1"))
        self.assertEqual(self.aws.group()[:2], ("1", 2))
        history = json.loads(self.deploy("history", "local", "--json").stdout)
        self.assertEqual([(one["outcome"], one["current"]["ami"]) for one in history], [("rolled back", first), ("released", second)])


if __name__ == "__main__":
    unittest.main()
