"""The whole way, once, with as little pretended as a machine without AWS allows, and as CI goes it: in a clean clone of the last
commit, by its ci/run. Two commits of rr-webapp are baked by Debian's Packer, each into a machine that SSH reaches; moto's server
registers the images; Terraform with its real provider makes the tier with the first; `ci/run pipeline` brings the clone's own
commit into service, from lint to the proof; ci/run goes back; destroy leaves nothing.

What moto lacks is a load balancer that answers. That part is a local tier (rr-sim), and what its instances run is the tree that
the bake left, with the command and the environment of its unit: so the release is proved by answers of the very program that
was built and baked. It follows the group at moto in step (in_step.py).

What is another than in CI: the clone's settings are quick, its Terraform has its state in a file, releases go by doubling
(moto knows no instance refreshes), the programs that are not baked are those that are tested (RR_BIN), and the stage `test`,
which is ./check and so what runs this, only says that it was called.
"""

import json
import re
import shutil
import unittest

import harness
from baked import neutral_variables, write_start
from checkout import Checkout, clone
from endpoint import Endpoint
from in_step import OLD, InStep
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
FIRST = {"CI_COMMIT": OLD, "CI_BUILD": "1"}
CHECK = "#!/bin/sh\necho \"./check of $PWD\"\n"


class WholeWay(InStep):
    first = True

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("minutes: only in ./check --all")
        for name, package in (("packer", "packer"), ("strip", "binutils"), ("aws", "awscli")):
            harness.need_command(name, package)
        if harness.sanitizer(harness.program("rr-webapp")):
            harness.skip("a sanitizer build is not baked")
        self.aws = Endpoint(self, "eu-west-1")
        self.checkout = Checkout(self, self.aws, clone)
        shutil.copy(changed_settings(self, {**QUICK, "application.port": harness.free_address()[1]}), self.checkout.settings)
        (self.checkout.folder / "check").write_text(CHECK)
        self.commit, self.build = self.checkout.git("rev-parse", "HEAD"), self.checkout.git("rev-list", "--count", "HEAD")
        self.deploy = self.checkout.deploy

    def ci(self, *words, environment=None, **options):
        # RR_LONG would have the clone's own lint run this test.
        return self.checkout.ci(*words, environment={"RR_BIN": str(harness.bin_folder()), "RR_LONG": None, "RR_STATIC_BIN": None,
                                                     "PACKER_CONFIG_DIR": str(self.folder), **(environment or {})}, **options)

    def machine(self, name):
        """(a host to bake into, Packer's variables for it)"""
        host = SshHost(self, name)
        base = self.aws.call("ec2", "DescribeImages", Owner_1="amazon", Filter_1_Name="architecture", Filter_1_Value_1="x86_64")
        return host, neutral_variables(host, self.aws.url, base.find("imagesSet")[0].findtext("imageId"))

    def tree_of(self, host, name):
        """What an instance of the image runs that was baked on this host."""
        tree = self.folder / name
        for part in ("opt/rr-webapp", "etc/rr-webapp"):
            shutil.copytree(host.machine / part, tree / part, symlinks=True)
        write_start(host.machine, "rr-webapp", tree, kept=[MARK_VARIABLE])
        return tree

    def first_bake(self):
        """The image's id, and the tree, of a commit that is not the clone's."""
        host, variables = self.machine("first-machine")
        said = self.ci("bake", "local", "--neutral", "--", *[part for name, value in variables.items() for part in ("-var", f"{name}={value}")],
                       environment=FIRST, timeout=900).stdout  # it compiles rr-webapp
        self.assertIn("selftest: rr-webapp answers", said)
        return re.search(r"(?m)^(ami-\w+) is baked", said).group(1), self.tree_of(host, "first-tree")

    def tags_of(self, image):
        [found] = self.aws.call("ec2", "DescribeImages", ImageId_1=image).find("imagesSet")
        return {one.findtext("key"): one.findtext("value") for one in found.iterfind("tagSet/item")}

    def served(self, url):
        said = harness.fetch(url.removeprefix("http://"), "/version").json()
        return said["commit"], said["build"]

    def test_from_a_bake_to_nothing_left(self):
        names = json.loads(settings_for("terraform", "local"))["names"]
        first, tree = self.first_bake()
        tags = self.tags_of(first)
        self.assertEqual((tags["Commit"], tags["Build"], tags["Environment"]), (OLD, "1", "local"))

        self.checkout.keep_provider()
        self.assertIn("to add", self.ci("plan", "local", *ENDPOINT, environment=FIRST).stdout)
        self.ci("apply", "local", *ENDPOINT, environment=FIRST)
        version, desired, instances, _ = self.aws.group()
        self.assertEqual((version, desired, len(instances)), ("1", 2, 2))
        self.look_from_elsewhere()

        self.up("--app", "./serve", *UP, cwd=tree)
        url = self.url()
        self.assertEqual(self.served(url), (OLD, "1"))
        second = self.pipeline(url, instances)
        self.go_back(url, first, second)

        self.assertEqual(self.checkout.git("status", "--porcelain").split(), ["M", "check", "M", "deploy/settings/local.yaml"],
                         "what was changed above, and no stage left anything outside of build/")
        self.deploy("plan", "local", "--detailed-exit-code", *ENDPOINT)  # nothing of it is Terraform's
        self.assertLessEqual({"groups", "load balancers", "instances", "parameters"}, set(remains(self.aws, names)))
        self.assertEqual(self.deploy("destroy", "local", code=3).stderr.count("not confirmed"), 1)
        self.deploy("destroy", "local", "--yes", *ENDPOINT)
        self.assertIn("there is no Auto Scaling group", self.deploy("status", "local", code=3).stderr)
        self.assertEqual(remains(self.aws, names), {})

    def look_from_elsewhere(self):
        """What Terraform keeps in Parameter Store is enough where there is no checkout."""
        status = json.loads(self.deploy("status", "local", "--json").stdout)
        self.assertEqual((status["version"], len(status["instances"])), ("1", 2))
        settings, away = self.checkout.settings, self.folder / "away.yaml"
        shutil.move(settings, away)
        self.assertIn("round-robin-local", self.deploy("history", "local").stdout + self.deploy("status", "local").stdout)
        shutil.move(away, settings)

    def pipeline(self, url, before):
        """Everything that CI does with a push to main; returns the image's id."""
        host, variables = self.machine("second-machine")
        images = {"1": self.first_image()}

        def image_of(version):
            if version == "2" and version not in images:  # baked by now
                images[version] = self.ok("image", "build", "--commit", self.commit, "--build", self.build, "--from",
                                          self.tree_of(host, "second-tree"), "--app", "./serve").stdout.strip()
            return images.get(version)
        self.follow(image_of)
        said = self.ci("pipeline", "local", "--neutral", "--strategy", "double", "--url", url, timeout=600, environment={
            **{f"PKR_VAR_{name}": str(value) for name, value in variables.items()}, "TF_VAR_local_endpoint": "true"}).stdout
        self.assertIn(f"./check of {self.checkout.folder}", said)
        self.assertEqual(re.findall(r"== rr-deploy (\w+)", said), ["doctor", "bake", "apply", "release"])
        report = json.loads((self.checkout.folder / "build/release-report/pipeline.json").read_text())
        self.assertEqual((report["outcome"], report["to"]["commit"], report["probe"]["failed"]), ("released", self.commit, 0), report)
        self.assertEqual(self.served(url), (self.commit, self.build))
        version, desired, now, suspended = self.aws.group()
        self.assertEqual((version, desired, len(now), suspended), ("2", 2, 2, set()))
        self.assertEqual(now & before, set())
        return report["to"]["ami"]

    def go_back(self, url, first, second):
        said = self.ci("rollback", "local", "--strategy", "double", "--url", url).stdout
        self.assertIn(f"back at version 1 (commit {OLD[:12]})", said)
        self.assertEqual(self.served(url), (OLD, "1"))
        self.assertEqual(self.aws.group()[:2], ("1", 2))
        history = json.loads(self.deploy("history", "local", "--json").stdout)
        self.assertEqual([(one["outcome"], one["current"]["ami"]) for one in history], [("rolled back", first), ("released", second)])


if __name__ == "__main__":
    unittest.main()
