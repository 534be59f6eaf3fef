"""rr-deploy against an AWS of the test's own: the program as people and build services run it.

The decisions have their tests beside the machine (tests/deploy/rollout). Here it is about everything around it: signatures,
arguments, what is printed, exit codes, reports, signals, and a program that is killed and started again.
"""

import hashlib
import json
import os
import re
import signal
import time
import unittest
import xml.etree.ElementTree

import harness
from kit.deployment import changed_settings
from kit.waiting import eventually
from scripted_aws import Refused, ScriptedAws
from scripted_case import NEW, OLD, QUICK, RrDeploy, bundle_bytes


class Releasing(RrDeploy):
    def test_a_good_image_is_released_and_reported(self):
        done = self.deploy(*self.job("release", "--image", NEW, "--report", "r.json", "--junit", "r.xml"))
        self.assert_settled("7")
        self.assertIn("version 7, commit commit-new is released", done.stdout)
        self.assertNotIn("\x1b", done.stdout, "no colours where there is no terminal")
        report = json.loads((self.folder / "r.json").read_text())
        self.assertEqual((report["outcome"], report["exit_code"], report["to"]["commit"]), ("released", 0, "commit-new"))
        self.assertGreater(report["probe"]["requests"], 6)
        self.assertEqual(report["probe"]["failed"], 0)
        suite = xml.etree.ElementTree.parse(self.folder / "r.xml").getroot().find("testsuite")
        self.assertEqual(suite.get("failures"), "0")
        self.assertIn("watch", [case.get("name") for case in suite])
        self.assertEqual(self.record()["current"]["version"], "7")
        self.assertEqual(self.record()["previous"]["version"], "6")

    def test_json_is_all_of_standard_output(self):
        done = self.deploy(*self.job("release", "--image", NEW, "--json"))
        self.assertEqual(json.loads(done.stdout)["outcome"], "released")
        self.assertIn("instance refresh", done.stderr)

    def test_the_double_strategy(self):
        self.deploy(*self.job("release", "--image", NEW, "--strategy", "double"))
        self.assert_settled("7")
        self.assertNotIn("StartInstanceRefresh", self.aws.calls)
        calls = [one for one in self.aws.calls if one in ("SuspendProcesses", "UpdateAutoScalingGroup", "SetDesiredCapacity",
                                                          "ResumeProcesses")]
        self.assertEqual(calls, ["SuspendProcesses", "UpdateAutoScalingGroup", "SetDesiredCapacity", "SetDesiredCapacity",
                                 "ResumeProcesses"])

    def test_the_image_of_the_last_bake_is_the_default(self):
        self.aws.parameters["/round-robin/local/candidate/ami"] = [(NEW, time.time())]
        self.deploy(*self.job("release"))
        self.assert_settled("7")

    def test_no_image_at_all_is_named(self):
        done = self.deploy(*self.job("release"), code=3)
        self.assertIn("which image?", done.stderr)

    def artifact(self, content=bundle_bytes(), **behaviour):
        """The file of a bundle whose program behaves so."""
        bundle = self.folder / "bundle.tar.gz"
        bundle.write_bytes(content)
        self.aws.artifacts[hashlib.sha256(content).hexdigest()] = {"commit": "commit-new", **behaviour}
        return "--artifact", bundle, "--commit", "commit-new"

    def test_an_artifact_is_released_without_a_bake_and_gone_back_from(self):
        self.deploy(*self.job("release", *self.artifact()))
        self.assert_settled("7")
        digest = hashlib.sha256(bundle_bytes()).hexdigest()
        self.assertEqual(self.record()["current"]["artifact"],
                         f"s3://round-robin-local-artifacts-123456789012/artifacts/{digest}.tar.gz")
        self.assertEqual(self.aws.versions[7][0], OLD, "the image stays")
        self.assertIn("nothing to do", self.deploy(*self.job("release", *self.artifact())).stdout)
        self.deploy(*self.job("rollback"))
        self.assert_settled("6")
        # An image after an artifact serves as it is: the user data of the version before is not taken over.
        self.deploy(*self.job("rollback", "--to", "7"))
        self.deploy(*self.job("release", "--image", NEW))
        self.assertNotIn("artifact", self.aws.user_data[max(self.aws.versions)])

    def test_an_artifact_that_is_no_good_is_rolled_back(self):
        """One that answers 500, and one that is another by the time that instances fetch it."""
        self.deploy(*self.job("release", *self.artifact(status=500)), code=10)
        self.assert_settled("6")
        self.settings = changed_settings(self, {**QUICK, "release.deadline": "60s"})
        self.aws.interfere = lambda action, _: b"another" if action == "PutObject" else None
        release = self.start(*self.job("release", *self.artifact(bundle_bytes({"another": b"bundle"}))), environment=self.aws.environment())
        eventually(lambda: self.aws.grown_up() == 4 or None, "four instances had the time to become healthy", 20)
        self.assertEqual(self.aws.healthy(), 2)
        release.process.send_signal(signal.SIGINT)  # what the deadline would do in a minute
        self.assertEqual(release.process.wait(30), 10)
        self.assert_settled("6")

    def test_an_artifact_that_cannot_be_had_is_named_before_anything_is_touched(self):
        for words, code, said in ((["--artifact", "none.tar.gz", "--commit", "c"], 3, "none.tar.gz: No such file"),
                                  (["--artifact", "s3://bucket/key.tar.gz", "--commit", "c"], 3, "named by its SHA-256"),
                                  (["--artifact", f"s3://bucket/it's/{'0' * 64}.tar.gz", "--commit", "c"], 3, "letters, digits"),
                                  (["--artifact", "none.tar.gz"], 2, "--artifact needs --commit"),
                                  (["--artifact", "none.tar.gz", "--image", NEW], 2, "one of them is right")):
            with self.subTest(said):
                self.assertIn(said, self.deploy(*self.job("release", *words), code=code).stderr)
        self.assertEqual([one for one in self.aws.calls if not re.match("Describe|Get", one)], [])

    def test_bad_images_are_rolled_back(self):
        for name, behaviour, said in (("500", {"status": 500}, "HTTP 500"), ("slow", {"slow": 0.8}, "slower than 500ms"),
                                      ("commit", {"answers": "commit-other"}, "commit-other")):
            with self.subTest(name):
                self.aws.images[NEW] = {"commit": "commit-new", **behaviour}
                done = self.deploy(*self.job("release", "--image", NEW, "--junit", "r.xml"), code=10)
                self.assertIn(said, done.stdout)
                self.assert_settled("6")
                self.assertNotIn(7, self.aws.versions, "a failed version must not stay the latest")
                self.assertEqual(self.record()["outcome"], "rolled back")
                failures = xml.etree.ElementTree.parse(self.folder / "r.xml").getroot().findall(".//failure")
                self.assertEqual(len(failures), 1)

    def test_a_program_that_tells_its_commit_in_a_header_answers_once_more_for_each_instance(self):
        self.settings = changed_settings(self, {**QUICK, "application.version_from": "header:Commit"})
        done = self.deploy(*self.job("release", "--image", NEW))
        self.assertRegex(done.stdout, r"\d\d of 12 right answers one after another, which do not say whose they are")
        self.assert_settled("7")
        self.deploy(*self.job("rollback"))
        self.assert_settled("6")

    def test_back_to_what_does_not_work_either_is_eleven(self):
        self.aws.images[NEW] = {"commit": "commit-new", "status": 500}

        def spoil(action, _):
            if action == "StartInstanceRefresh":
                self.aws.images[OLD]["status"] = 500
        self.aws.interfere = spoil
        self.settings = changed_settings(self, {**QUICK, "verification.deadline": "3s"})
        done = self.deploy(*self.job("release", "--image", NEW), code=11)
        self.assertIn("does not prove it", done.stdout)
        self.assertEqual(self.record()["outcome"], "broken")
        self.assert_settled("6")

    def test_a_network_that_stays_away_is_eleven_and_the_next_run_finishes(self):
        self.settings = changed_settings(self, {**QUICK, "release.patience": "3s"})
        away = []

        def hang_up(action, _):
            away.extend([action] if action == "StartInstanceRefresh" else [])
            return "hang up" if away else None
        self.aws.interfere = hang_up
        done = self.deploy(*self.job("release", "--image", NEW), code=11)
        self.assertIn("takes it up again", done.stdout)
        self.aws.interfere = lambda *_: None
        self.deploy(*self.job("release", "--image", NEW))
        self.assert_settled("7")

    def test_an_alarm_in_the_bake_time_rolls_back(self):
        def alarm(_, __):
            if self.aws.refreshes and self.aws.refreshes[0]["Status"] == "Baking":
                self.aws.alarms = {name: "ALARM" for name in self.aws.alarms}
        self.aws.interfere = alarm
        self.settings = changed_settings(self, {**QUICK, "release.bake_time": "1m"})
        done = self.deploy(*self.job("release", "--image", NEW), code=10)
        self.assertIn("an alarm is in ALARM", done.stdout)
        self.assert_settled("6")

    def test_throttling_lost_answers_and_server_errors_are_waited_out(self):
        turns = {}

        def spoil(action, _):
            turns[action] = turns.get(action, 0) + 1
            if turns[action] % 3 == 1 and action.startswith("Describe"):
                raise Refused("Throttling", "Rate exceeded")
            if turns[action] % 3 == 2 and action.startswith("Describe"):
                return "hang up"
            if turns[action] == 1 and action == "GetParameter":
                raise Refused("InternalError", status=500)
            return None
        self.aws.interfere = spoil
        self.deploy(*self.job("release", "--image", NEW))
        self.assert_settled("7")

    def test_expired_credentials_are_named_before_anything_is_touched(self):
        def expired(_, __):
            raise Refused("ExpiredToken", "The security token included in the request is expired", status=403)
        self.aws.interfere = expired
        done = self.deploy(*self.job("release", "--image", NEW), code=3)
        self.assertIn("ExpiredToken", done.stderr)
        self.assertIn("credentials of the environment", done.stderr)
        self.assertNotIn("wJalr", done.stderr + done.stdout, "a secret was printed")

    def test_a_wrong_secret_is_told_as_aws_tells_it(self):
        done = self.deploy(*self.job("release", "--image", NEW), code=3, environment={"AWS_SECRET_ACCESS_KEY": "another"})
        self.assertIn("SignatureDoesNotMatch", done.stderr)
        self.aws.errors.clear()

    def test_ctrl_c_goes_back(self):
        self.aws.launch = 3600  # the refresh stays where it is
        program = self.start(*self.job("release", "--image", NEW), environment=self.aws.environment())
        eventually(lambda: self.aws.refreshes or None, "the refresh is started", 20)
        self.aws.launch = 0.3
        program.process.send_signal(signal.SIGINT)
        self.assertEqual(program.process.wait(30), 10)
        self.assert_settled("6")

    def test_killed_and_run_again_finishes(self):
        for moment in ("CreateLaunchTemplateVersion", "StartInstanceRefresh", "DescribeScalingActivities", "DeleteParameter"):
            with self.subTest(moment):
                self.aws.versions.pop(7, None)
                self.aws.close()
                self.aws = ScriptedAws()
                self.addCleanup(self.aws.close)
                program = self.start(*self.job("release", "--image", NEW), environment=self.aws.environment())
                killed = []

                def kill(action, _, moment=moment, program=program, killed=killed):
                    if action == moment and not killed:
                        killed.append(action)
                        program.process.kill()
                self.aws.interfere = kill
                program.process.wait(60)
                self.assertEqual(killed, [moment])
                done = self.deploy(*self.job("release", "--image", NEW))
                self.assertRegex(done.stdout, "is released|nothing to do")
                self.assert_settled("7")

    def test_two_at_once_are_refused(self):
        self.aws.launch = 3600
        first = self.start(*self.job("release", "--image", NEW), environment=self.aws.environment())
        eventually(lambda: self.aws.refreshes or None, "the refresh is started", 20)
        second = self.start(*self.job("release", "--image", NEW), environment=self.aws.environment())
        self.assertEqual(second.process.wait(60), 3)
        self.assertIn("two at once", second.text())
        self.aws.launch = 0.3
        self.assertEqual(first.process.wait(60), 0)
        self.assert_settled("7")

    def test_on_a_terminal_there_are_colours_and_a_bar_and_no_color_is_heard(self):
        for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            with self.subTest(coloured=coloured):
                self.aws.images[NEW] = {"commit": "commit-new", "status": 500}
                program = self.start(*self.job("release", "--image", NEW), terminal=True,
                                     environment={**self.aws.environment(), **variables})
                self.assertEqual(program.process.wait(60), 10)
                eventually(lambda p=program: "rolled back" in p.text() or None, "the last line is there")
                self.assertEqual("\x1b[31m" in program.text(), coloured)
                self.assertIn("[....", program.text())


class OwnName(RrDeploy):
    """HTTPS: the certificate is for a name of one's own, and what is asked under that name is this load balancer."""

    def setUp(self):
        super().setUp()
        openssl = harness.need_command("openssl", "openssl")
        self.authority, key = self.folder / "certificate.pem", self.folder / "key.pem"
        done = self.run_program(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                                "-subj", "/CN=www.example.test", "-addext", "subjectAltName=DNS:www.example.test",
                                "-keyout", key, "-out", self.authority)
        self.assertEqual(done.returncode, 0, done)
        self.port = self.aws.serve_https(self.authority, key)

    def named(self, name):
        """The environment's URL, once its settings say this name."""
        self.settings = changed_settings(self, {**QUICK, "load_balancer.host_name": name, "load_balancer.https_port": self.port,
                                                "load_balancer.certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0"})
        return f"https://{name}:{self.port}"

    def run_trusting(self, verb, *words, code=0):
        return self.deploy(*self.command(verb, *words), code=code, environment={"SSL_CERT_FILE": str(self.authority)})

    def test_a_release_and_a_rollback_are_proved_under_the_name_of_the_certificate(self):
        url = self.named("www.example.test")
        self.assertIn(f"{url}\n", self.run_trusting("release", "--image", NEW).stdout)
        self.assert_settled("7")
        self.assertEqual(json.loads(self.run_trusting("status", "--json").stdout)["url"], url)
        self.run_trusting("verify", "--commit", "commit-new")
        self.run_trusting("watch", "--count", "2", "--interval", "100ms")
        self.run_trusting("rollback")
        self.assert_settled("6")

    def test_a_certificate_for_another_name_is_named_before_anything_is_touched(self):
        self.named("www.example.net")
        done = self.run_trusting("release", "--image", NEW, code=3)
        self.assertIn("does not answer through its load balancer (its certificate is for another name, or of nobody trusted)", done.stdout)
        self.assertEqual([one for one in self.aws.calls if not re.match("Describe|Get", one)], [])

    def test_one_that_nobody_trusted_has_signed_is_none(self):
        self.named("www.example.test")
        done = self.deploy(*self.command("watch", "--count", "1"), code=1)
        self.assertIn("of nobody trusted", done.stdout)


class RollingBack(RrDeploy):
    def stored_settings(self):
        """What Terraform keeps in Parameter Store."""
        done = self.run_program("rr-deploy", "settings", "render", "--for", "terraform", self.settings)
        self.assertEqual(done.returncode, 0, done)
        self.aws.parameters["/round-robin/local/settings"] = [(done.stdout, time.time())]

    def rollback(self, *words, code=0):
        """From a folder without a checkout, on a machine without terraform, packer, git or the AWS CLI, with nothing but
        credentials and a name."""
        return self.deploy("rr-deploy", "rollback", "local", "--url", self.aws.front.url, *words, code=code,
                           environment={"PATH": "/nonexistent"})

    def test_needs_no_checkout_says_what_it_does_and_does_not_bounce_back(self):
        self.deploy(*self.job("release", "--image", NEW))
        self.stored_settings()
        done = self.rollback()
        self.assertRegex(done.stdout, r"back from version 7 \(commit commit-new\) to version 6 \(commit commit-old\), 24 hours old; about \d+ minutes?")
        self.assert_settled("6")
        done = self.rollback()
        self.assertIn("nothing to do", done.stdout)
        self.assert_settled("6")

    def test_is_admitted_while_a_release_runs_which_ends_with_ten(self):
        self.aws.launch = 3600
        release = self.start(*self.job("release", "--image", NEW), environment=self.aws.environment())
        eventually(lambda: self.aws.refreshes or None, "the refresh is started", 20)
        self.stored_settings()
        rollback = self.start("rr-deploy", "rollback", "local", "--url", self.aws.front.url,
                              environment=self.aws.environment(), cwd=self.folder)
        eventually(lambda: "RollbackInstanceRefresh" in self.aws.calls or None, "the refresh is turned", 20)
        self.aws.launch = 0.3
        self.assertEqual(rollback.process.wait(60), 0, rollback.text())
        self.assertEqual(release.process.wait(60), 10, release.text())
        self.assertIn("has taken over", release.text())
        self.assert_settled("6")

    def test_resumes_what_was_suspended(self):
        self.deploy(*self.job("release", "--image", NEW))
        self.stored_settings()
        self.aws.suspended = ["Launch", "Terminate"]
        self.rollback()
        self.assert_settled("6")

    def test_a_version_whose_image_is_gone_is_refused_and_those_that_remain_are_named(self):
        self.stored_settings()
        self.aws.versions[4] = ("ami-0000000000000000c", "pruned")
        done = self.rollback("--to", "4", code=3)
        self.assertIn("version 4 needs image ami-0000000000000000c, which is gone; there remain 6, 5", done.stdout)
        done = self.rollback("--to", "latest", code=2)
        self.assertIn("a version's number is right", done.stderr)


class Looking(RrDeploy):
    def test_status_begins_with_the_url(self):
        done = self.deploy(*self.command("status"))
        self.assertEqual(done.stdout.splitlines()[0], "http://load-balancer.invalid")
        self.assertEqual(done.stdout.count("healthy"), 2)
        document = json.loads(self.deploy(*self.command("status", "--json")).stdout)
        self.assertEqual((document["url"], document["version"], len(document["instances"])), ("http://load-balancer.invalid", "6", 2))

    def test_status_of_what_does_not_exist(self):
        self.aws.group = "other"
        self.assertIn("there is no Auto Scaling group round-robin-local", self.deploy(*self.command("status"), code=3).stderr)

    def test_history_tells_what_can_be_gone_back_to(self):
        self.assertIn("no release yet", self.deploy(*self.command("history")).stdout)
        self.deploy(*self.job("release", "--image", NEW))
        self.deploy(*self.job("rollback"))
        document = json.loads(self.deploy(*self.command("history", "--json")).stdout)
        self.assertEqual([(one["outcome"], one["current"]["version"], one["available"]) for one in document],
                         [("rolled back", "6", True), ("released", "7", True)])

    def test_watch_shows_answers_and_sums(self):
        done = self.deploy(*self.job("watch", "--count", "4", "--interval", "10ms"))
        lines = done.stdout.splitlines()
        for line in lines[:4]:
            self.assertRegex(line, r"^\d\d:\d\d:\d\d  i-\w+ +eu-west-1[ab] +commit-old  build - +200$")
        self.assertRegex(lines[4], r"^4 requests in \d+ s, 0 failed")
        for line in self.deploy(*self.job("watch", "--count", "2", "--interval", "10ms", "--json")).stdout.splitlines():
            self.assertEqual(json.loads(line)["commit"], "commit-old")

    def test_watch_fails_when_a_request_failed(self):
        self.aws.images[OLD]["status"] = 502
        self.assertIn("HTTP 502", self.deploy(*self.job("watch", "--count", "1"), code=1).stdout)

    def test_watch_ends_with_ctrl_c_and_its_sums(self):
        program = self.start(*self.job("watch", "--interval", "50ms"), environment=self.aws.environment())
        eventually(lambda: "commit-old" in program.text() or None, "an answer is shown")
        program.process.send_signal(signal.SIGINT)
        self.assertEqual(program.process.wait(10), 0)
        self.assertRegex(program.text(), r"\d+ requests in")

    def test_verify(self):
        self.assertIn("answers commit-old", self.deploy(*self.job("verify", "--commit", "commit-old")).stdout)
        self.settings = changed_settings(self, {**QUICK, "verification.deadline": "1s"})
        done = self.deploy(*self.job("verify", "--commit", "commit-new", "--json"), code=1)
        self.assertFalse(json.loads(done.stdout)["verified"])
        self.assertIn("the last answer was commit-old", done.stderr)


class Session(RrDeploy):
    """With an AWS CLI and a plugin that write down how they were called: what runs between them is Session Manager's."""

    def setUp(self):
        super().setUp()
        for name, text in (("aws", f'echo "$* region=$AWS_REGION" >{self.folder}/called; exit 5'), ("session-manager-plugin", "exit 0")):
            path = self.folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("#!/bin/sh\n" + text + "\n")
            path.chmod(0o755)

    def session(self, word, code, path=None):
        return self.deploy(*self.command("session", word), code=code, environment={"PATH": path or f"{self.folder}/bin:/usr/bin:/bin"})

    def test_the_beginning_of_an_id_is_enough_and_the_exit_code_is_kept(self):
        one = sorted(self.aws.instances)[0]
        self.session(one, 5)
        self.assertEqual((self.folder / "called").read_text().split(), ["ssm", "start-session", "--target", one, "region=eu-west-1"])

    def test_what_is_none_of_the_groups_or_not_one_alone_is_refused(self):
        self.assertIn("several of the group's instances begin so", self.session("i-0", 3).stderr)
        self.assertIn("none of the group's instances begin so", self.session("i-f", 3).stderr)
        self.assertFalse((self.folder / "called").exists())

    def test_a_missing_tool_is_named_before_aws_is_asked(self):
        (self.folder / "bin/session-manager-plugin").unlink()
        self.assertIn("session-manager-plugin is not installed", self.session("i-0", 3, f"{self.folder}/bin").stderr)
        (self.folder / "bin/aws").unlink()
        self.assertIn("aws is not installed", self.session("i-0", 3, f"{self.folder}/bin").stderr)
        self.assertEqual(self.aws.calls, [])


class Pipeline(RrDeploy):
    """In a checkout whose Packer and Terraform are scripts that write down how they were called."""

    def setUp(self):
        super().setUp()
        self.checkout = self.folder / "checkout"
        (self.checkout / "deploy/settings").mkdir(parents=True)
        (self.checkout / "deploy/settings/local.yaml").write_text(self.settings.read_text())
        (self.checkout / "terraform").mkdir()
        self.script(self.checkout / "packer/bake", 'echo "bake $*" >>calls; mkdir -p build/bake/local\n'
                    f'echo \'{{"builds": [{{"artifact_id": "eu-west-1:{NEW}"}}]}}\' >build/bake/local/manifest.json')
        self.script(self.checkout / "bin/terraform", 'echo "terraform $*" >>calls; exit "${FAIL:-0}"')
        for tool in ("packer", "session-manager-plugin"):  # looked for before anything is begun
            self.script(self.checkout / "bin" / tool, "exit 1")

    def script(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)

    def pipeline(self, code=0, **variables):
        done = self.run_program("rr-deploy", "pipeline", "local", "--url", self.aws.front.url, cwd=self.checkout, timeout=60,
                                environment={**self.aws.environment(), "PATH": f"{self.checkout}/bin:{os.environ['PATH']}", **variables})
        self.assertEqual(done.returncode, code, done)
        return done.stdout, [line.split()[0] for line in (self.checkout / "calls").read_text().splitlines()]

    def test_is_doctor_bake_apply_and_release(self):
        said, calls = self.pipeline()
        self.assertEqual(re.findall(r"== rr-deploy (\w+)", said), ["doctor", "bake", "apply", "release"])
        self.assertEqual(calls, ["bake", "terraform", "terraform"])
        self.assert_settled("7")

    def test_the_first_failure_ends_it_with_its_exit_code(self):
        said, _ = self.pipeline(code=7, FAIL="7")
        self.assertEqual(re.findall(r"== rr-deploy (\w+)", said), ["doctor", "bake", "apply"])
        self.assert_settled("6")

    def first_run(self):
        """There is no group until Terraform was called; what it launches serves the image that was baked."""
        group, self.aws.group = self.aws.group, "not there yet"
        self.aws.versions = {1: (NEW, "made by terraform")}
        self.aws.version = "1"
        self.aws.instances = {one: ("1", born, zone) for one, (_, born, zone) in self.aws.instances.items()}
        self.aws.parameters["/round-robin/local/release"] = [("{}", time.time())]  # as Terraform makes it

        def appear(*_):
            if (self.checkout / "calls").exists() and "terraform apply" in re.sub(r" -chdir=\S+", "", (self.checkout / "calls").read_text()):
                self.aws.group = group
        self.aws.interfere = appear

    def test_the_first_run_is_noticed_proved_and_written_down(self):
        self.first_run()
        said, _ = self.pipeline(CI_COMMIT="commit-new")
        self.assertIn("the first run", said)
        self.assertEqual(re.findall(r"== rr-deploy (\w+)", said), ["doctor", "bake", "apply", "verify", "release"])
        self.assertIn("answers commit-new", said)
        self.assert_settled("1")
        [first] = json.loads(self.deploy(*self.command("history", "--json")).stdout)
        self.assertEqual((first["outcome"], first["current"]["version"], first["current"]["commit"]), ("released", "1", "commit-new"))
        # So the second release has a way back that is known by more than its number.
        self.aws.images[OLD]["commit"] = "commit-third"
        self.deploy(*self.job("release", "--image", OLD))
        done = self.deploy(*self.job("rollback"))
        self.assertRegex(done.stdout, r"to version 1 \(commit commit-new\), \d+ seconds old")
        self.assert_settled("1")

    def test_a_first_run_that_serves_another_commit_is_not_written_down(self):
        self.first_run()
        self.aws.images[NEW]["answers"] = "commit-other"
        said, _ = self.pipeline(code=1, CI_COMMIT="commit-new")
        self.assertIn("does not prove commit-new", said)
        self.assertEqual(self.aws.parameters["/round-robin/local/release"][-1][0], "{}")

    def test_what_a_build_service_sends_reaches_the_step_that_runs(self):
        """SIGTERM to the pipeline, not to its child: the release goes back, and its exit code is the pipeline's."""
        self.aws.launch = 3600
        pipeline = self.start("rr-deploy", "pipeline", "local", "--url", self.aws.front.url, cwd=self.checkout, environment={
            **self.aws.environment(), "PATH": f"{self.checkout}/bin:{os.environ['PATH']}"})
        eventually(lambda: self.aws.refreshes or None, "the refresh is started", 30)
        self.aws.launch = 0.3
        pipeline.process.send_signal(signal.SIGTERM)
        self.assertEqual(pipeline.process.wait(30), 10, pipeline.text())
        self.assert_settled("6")


class BadInput(RrDeploy):
    def test_is_one_line_and_exit_2(self):
        for words, mentions in ((["relase"], ["relase", "is release meant?"]),
                                (["release"], ["ENVIRONMENT is missing"]),
                                (["release", "local", "--imag", "x"], ["--imag", "is --image meant?"]),
                                (["release", "local", "--image"], ["--image", "AMI is missing"]),
                                (["release", "local", "other"], ["other", "one word too many"]),
                                (["rollback", "local", "--force"], ["--force", "no such flag"]),
                                (["rollback", "local", "--to", "latest"], ["--to latest", "number"]),
                                (["release", "local", "--strategy", "canary"], ["--strategy canary", "refresh or double"]),
                                (["bootstrap", "local", "--repo", "shop"], ["--repo shop", "ORG/NAME"]),
                                (["watch", "local", "--url", "ftp://x"], ["--url ftp://x", "https://HOST"]),
                                (["verify", "local", "--url", "example.org"], ["--url example.org", "http://HOST"]),
                                (["settings", "render", "local", "--for", "ansible"], ["ansible", "terraform"]),
                                (["watch", "local", "--count", "many"], ["--count many"])):
            with self.subTest(words=words):
                self.assert_usage_error(self.run_program("rr-deploy", *words, cwd=harness.ROOT), *mentions)

    def test_help_fits_a_terminal(self):
        overview = self.run_program("rr-deploy", "--help").stdout
        commands = re.findall(r"(?m)^  (\w+) ", overview)
        self.assertGreater(len(commands), 15)
        for text in [overview, *[self.run_program("rr-deploy", one, "--help").stdout for one in commands]]:
            wide = [line for line in text.splitlines() if len(line) > 80 and not re.match(r"  (rr-deploy|curl) ", line)]
            self.assertEqual(wide, [], "only an example, which is a command, may be longer")

    def test_preflight_names_everything_and_touches_nothing(self):
        self.aws.images[NEW]["architecture"] = "arm64"
        self.aws.suspended = ["Launch"]
        self.aws.alarms = {name: "ALARM" for name in self.aws.alarms}
        done = self.deploy(*self.job("release", "--image", NEW), code=3)
        for text in ("is for arm64, and t3.micro runs x86_64", "has suspended Launch", "is in ALARM", "nothing was touched"):
            self.assertIn(text, done.stdout)
        self.assertEqual([one for one in self.aws.calls if not re.match("Describe|Get", one)], [])

    def test_another_account_is_named(self):
        self.settings = changed_settings(self, {**QUICK, "aws.account": "999999999999"})
        self.assertIn("the settings say 999999999999", self.deploy(*self.job("release", "--image", NEW), code=3).stdout)

    def test_no_settings_anywhere(self):
        done = self.deploy("rr-deploy", "rollback", "nowhere", code=3)
        self.assertIn("no settings", done.stderr)

    def test_an_environment_that_is_written_wrong_is_named_beside_those_that_there_are(self):
        done = self.run_program("rr-deploy", "plan", "prodution", cwd=harness.ROOT, environment={
            "AWS_REGION": None, "AWS_DEFAULT_REGION": None, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"})
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("there is no deploy/settings/prodution.yaml here (there are: local, production)", done.stderr)

    def test_a_region_that_is_none_is_refused_whatever_the_checkout_says(self):
        for region, said in (("us-iso-east-1", "aws, aws-cn or aws-us-gov"), ("eu-west-1.example.org/", "such as us-east-1")):
            with self.subTest(region):
                done = self.run_program("rr-deploy", "rollback", "local", "--region", region, cwd=harness.ROOT,
                                        environment=self.aws.environment())
                self.assertEqual(done.returncode, 3, done)
                self.assertIn(said, done.stderr)
        self.assertEqual(self.aws.calls, [])

    def test_settings_out_of_range_are_named_with_their_place(self):
        self.settings = changed_settings(self, {**QUICK, "application.port": 80000})
        done = self.deploy(*self.command("status"), code=3)
        self.assertRegex(done.stderr, r"local\.yaml:\d+: application\.port: 80000")

    def test_an_aws_cli_without_the_command_is_said_to_be_too_old(self):
        """Version 1 lists what it knows, behind the line that says what is wrong."""
        tool = self.folder / "bin/aws"
        tool.parent.mkdir()
        tool.write_text("#!/bin/sh\nprintf 'usage: aws\\naws: error: argument subcommand: Invalid choice, valid choices are:\\n\\nlist | get\\n' >&2\nexit 2\n")
        tool.chmod(0o755)
        done = self.deploy(*self.command("status", "--profile", "sso"), code=3, environment={
            "PATH": f"{tool.parent}:/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"})
        self.assertIn("no `aws configure export-credentials`: version 2 has", done.stderr)

    def test_no_credentials_names_every_place(self):
        done = self.deploy(*self.command("status"), code=3, environment={
            "AWS_ACCESS_KEY_ID": None, "AWS_EC2_METADATA_DISABLED": "true"})
        for text in ("AWS_ACCESS_KEY_ID", "profile default", "instance role"):
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
