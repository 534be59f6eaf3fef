"""Bad input is found in preflight: it is named, the exit code is 3, and nothing was touched. For every command that changes
something, against an AWS of the test's own that writes down what it is asked, in a checkout whose tools write down whether
they were started.
"""

import gzip
import json
import re
import time
import unittest

from kit.deployment import changed_settings
from scripted_aws import Refused
from scripted_case import NEW, QUICK, RrDeploy, bundle_bytes, program_for

LOOKS = re.compile("Describe|Get|Head|Simulate")
JOBS = {"release": ["--image", NEW], "rollback": [], "bake": [], "plan": ["--image", NEW], "apply": ["--yes"], "destroy": ["--yes"],
        "bootstrap": ["--repo", "acme/shop", "--yes"], "prune": [], "pipeline": []}
TOOLS = ("terraform", "packer", "session-manager-plugin", "aws")


class InCheckout(RrDeploy):
    def setUp(self):
        super().setUp()
        self.checkout = self.folder / "checkout"
        self.started = self.checkout / "started"
        self.file = self.checkout / "deploy/settings/local.yaml"
        self.file.parent.mkdir(parents=True)
        self.change({})
        (self.checkout / "terraform/bootstrap").mkdir(parents=True)
        for path in [self.checkout / "packer/bake", *(self.checkout / "bin" / tool for tool in TOOLS)]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.started}\n')
            path.chmod(0o755)

    def change(self, changes):
        self.file.write_text(changed_settings(self, {**QUICK, **changes}).read_text())

    def run_here(self, verb, *words, **environment):
        front = ["--url", self.aws.front.url] if verb in ("release", "rollback", "pipeline") else []
        return self.run_program("rr-deploy", verb, "local", *front, *words, cwd=self.checkout, timeout=60, environment={
            **self.aws.environment(), "PATH": f"{self.checkout}/bin:/usr/bin:/bin", **environment})

    def refused(self, says, verb, *words, code=3, calls=None, **environment):
        """The command is refused with these words. `calls`: those that it may have made; by default all that only look."""
        self.aws.calls.clear()
        done = self.run_here(verb, *words, **environment)
        self.assertEqual(done.returncode, code, done)
        self.assertIn(says, done.stdout + done.stderr)
        touched = [one for one in self.aws.calls if (not LOOKS.match(one) if calls is None else one not in calls)]
        self.assertEqual(touched, [], done)
        self.assertFalse(self.started.exists(), f"a tool was started: {done}")
        return done


class Refusing(InCheckout):
    def test_expired_credentials(self):
        def expired(_, __):
            raise Refused("ExpiredToken", "The security token included in the request is expired", status=403)
        self.aws.interfere = expired
        for verb, words in {**JOBS, "status": [], "history": [], "logs": [], "verify": ["--commit", "c"], "watch": []}.items():
            with self.subTest(verb):
                done = self.refused("ExpiredToken: The security token included in the request is expired", verb, *words)
                self.assertIn("credentials of the environment", done.stdout + done.stderr)
        self.refused("ExpiredToken", "doctor", code=1)

    def test_credentials_of_another_account(self):
        self.change({"aws.account": "999999999999"})
        for verb, words in JOBS.items():
            with self.subTest(verb):
                self.refused("the settings say 999999999999", verb, *words)

    def test_another_region(self):
        said = "region us-east-1: the settings say eu-west-1"
        for verb, words in {**JOBS, "status": [], "doctor": [], "watch": []}.items():
            # A rollback looks first whether that region has settings of its own.
            may = ["GetParameter"] if verb == "rollback" else []
            with self.subTest(verb):
                self.refused(said, verb, *words, calls=may, AWS_REGION="us-east-1")
                self.refused(said, verb, *words, "--region", "us-east-1", calls=may)

    def test_a_profiles_region_is_not_taken_for_the_environments(self):
        self.aws.versions[7] = (NEW, "second")
        self.aws.version = "7"
        (self.folder / ".aws").mkdir()
        (self.folder / ".aws/config").write_text("[default]\nregion = us-east-1\n")
        for verb in ("rollback", "history", "status"):
            with self.subTest(verb):
                done = self.run_here(verb, HOME=str(self.folder), AWS_REGION=None, AWS_DEFAULT_REGION=None)
                self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.aws.regions, {"eu-west-1"})

    def test_missing_tools(self):
        needed = {"terraform": ["plan", "apply", "destroy", "bootstrap", "pipeline"], "packer": ["bake", "pipeline"],
                  "session-manager-plugin": ["bake", "pipeline", "session"], "aws": ["session"]}
        words = {**JOBS, "session": ["i-0"]}
        for tool, verbs in needed.items():
            path = self.checkout / "bin" / tool
            path.rename(self.folder / tool)
            for verb in verbs:
                with self.subTest(tool=tool, verb=verb):
                    self.refused(f"{tool} is not installed; ", verb, *words[verb], calls=[], PATH=f"{self.checkout}/bin")
            (self.folder / tool).rename(path)

    def test_settings_out_of_range(self):
        self.change({"application.port": 80000})
        for verb, words in {**JOBS, "status": [], "doctor": [], "watch": []}.items():
            with self.subTest(verb):
                done = self.refused("application.port: 80000", verb, *words, calls=["GetParameter"] if verb == "rollback" else [])
                self.assertRegex(done.stderr, r"local\.yaml:\d+: application\.port: 80000")

    def test_a_broken_checkout_does_not_keep_a_rollback_from_what_is_deployed(self):
        stored = self.run_program("rr-deploy", "settings", "render", "--for", "terraform", self.file).stdout
        self.aws.parameters["/round-robin/local/settings"] = [(stored, time.time())]
        self.file.write_text("name: [\n")
        done = self.run_here("rollback")
        self.assertEqual(done.returncode, 0, done)

    def test_settings_that_another_version_of_the_program_stored(self):
        """They lack a key that this one knows: a checkout's are taken, and without a checkout the key is named."""
        self.aws.versions[7], self.aws.version = (NEW, "second"), "7"
        stored = json.loads(self.run_program("rr-deploy", "settings", "render", "--for", "terraform", self.file).stdout)
        del stored["load_balancer"]["host_name"]
        self.aws.parameters["/round-robin/local/settings"] = [(json.dumps(stored), time.time())]
        done = self.run_program("rr-deploy", "rollback", "local", cwd=self.folder, environment=self.aws.environment())
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("/round-robin/local/settings: load_balancer.host_name: is missing", done.stderr)
        done = self.run_here("rollback")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("host_name: is missing; the checkout's are taken", done.stdout)

    def test_an_image_for_another_processor(self):
        self.aws.images[NEW]["architecture"] = "arm64"
        for strategy in ("refresh", "double"):
            self.refused(f"image {NEW} is for arm64, and t3.micro runs x86_64", "release", "--image", NEW, "--strategy", strategy)
        for verb in ("plan", "apply"):
            self.refused(f"image {NEW} is for arm64, and instances are x86_64", verb, "--image", NEW)
            self.refused("there is no image ami-0000000000000000f in this account", verb, "--image", "ami-0000000000000000f")

    def test_an_artifact_for_another_processor(self):
        """As the bundle says of itself, and as its program does: 183 is arm64's number in a program's head, 243 RISC-V's."""
        words = ["release", "--artifact", "bundle.tar.gz", "--commit", "commit-new"]
        described = bundle_bytes({"bundle.json": json.dumps({"architecture": "arm64"}).encode()})
        for content, said in (
                (described, "it is for arm64"), (bundle_bytes({"application/server": program_for(183)}), "application/server in it is for arm64"),
                (bundle_bytes({"application/server": program_for(243)}), "application/server in it is for a processor that instances do not have (ELF machine 243)")):
            for command in ("./server --port 1", "MODE=fast exec server"):
                self.change({"application.start_command": command})
                (self.checkout / "bundle.tar.gz").write_bytes(content)
                with self.subTest(said, command=command):
                    self.refused(f"bundle.tar.gz: {said}", *words)
        self.refused("and instances are x86_64 (instance.architecture)", *words)

    def test_an_artifact_whose_program_says_nothing_of_a_processor_is_no_ground_to_refuse(self):
        """A script, an interpreter of the image's, and another program beside it: what is refused is the group's state, which is
        looked at after the artifact."""
        self.aws.suspended = ["Launch"]
        for command, content in (("./server", bundle_bytes({"application/server": b"#!/bin/sh\n"})), ("node server.js", bundle_bytes()),
                                 ("./server", bundle_bytes({"./application/server": program_for(62), "application/other": program_for(183)}, "./install"))):
            self.change({"application.start_command": command})
            (self.checkout / "bundle.tar.gz").write_bytes(content)
            with self.subTest(command):
                self.refused("has suspended Launch", "release", "--artifact", "bundle.tar.gz", "--commit", "commit-new")

    def test_an_artifact_that_is_no_bundle(self):
        other = "not a bundle (a tar archive, packed with gzip): "
        for what, content, said in (("a program", program_for(62), other), ("half of one", bundle_bytes()[:40], other),
                                    ("an empty one", gzip.compress(b""), "there is no install in it"),
                                    ("another archive", bundle_bytes(installer="setup"), "there is no install in it")):
            (self.checkout / "bundle.tar.gz").write_bytes(content)
            with self.subTest(what):
                self.refused(f"--artifact bundle.tar.gz: {said}", "release", "--artifact", "bundle.tar.gz", "--commit", "commit-new")

    def test_a_group_in_the_middle_of_somebody_elses_refresh(self):
        self.aws.launch = 3600  # it goes on for as long as this takes
        self.aws.refreshes.insert(0, {"id": "of-somebody", "Status": "InProgress", "percent": 0, "alarms": [], "version": "5", "bake": 0})
        (self.checkout / "bundle.tar.gz").write_bytes(bundle_bytes())
        for words in (["--image", NEW], ["--image", NEW, "--strategy", "double"], ["--artifact", "bundle.tar.gz", "--commit", "commit-new"]):
            with self.subTest(words):
                done = self.refused("instance refresh of-somebody is InProgress (0 %), started by somebody else", "release", *words)
                self.assertIn("nothing was touched", done.stdout)
        self.assertEqual((self.aws.refreshes[0]["Status"], self.aws.objects), ("InProgress", {}))

    def test_a_group_that_is_not_there(self):
        self.aws.group = "another"
        for verb in ("release", "rollback"):
            self.refused("there is no Auto Scaling group round-robin-local in this account and region", verb, *JOBS[verb])


if __name__ == "__main__":
    unittest.main()
