"""The agent that sends the journal to CloudWatch Logs, and what is counted in its lines.

The package is of AWS's and cannot be had here, so packer/files/cloudwatch-agent installs one of the test's own: it is fetched
from where AWS keeps this version, its signature is checked by the real gpg, and only then is it given to dnf. The pattern
that counts errors is tried on what rr-webapp really writes, bare and the way the agent wraps it.
"""

import json
import re
import shutil
import subprocess
import unittest

import harness
from kit.deployment import rendered

VERSION = "1.300072.0b1766"
REGION = "eu-west-1"
ADDRESS = f"https://amazoncloudwatch-agent-{REGION}.s3.{REGION}.amazonaws.com/amazon_linux"
KEY = "https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg"
PUBLISHED_KEY = "937616F3450B7D806CBD9725D58167303B789C72"


class Installation(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.gpg = harness.need_command("gpg", "gnupg")
        self.bin, self.shelf, self.etc = (self.folder / name for name in ("bin", "shelf", "etc"))
        for folder in (self.bin, self.shelf, self.etc):
            folder.mkdir()
        self.calls = self.folder / "calls"
        # curl takes what the shelf has under the last part of the address; the others write down how they were called.
        self.tool("curl", f'for word in "$@"; do last=$word; done; echo "curl $last" >>{self.calls}\n'
                          'while [ "$1" != --output ]; do shift; done\n'
                          f'exec cp "{self.shelf}/$(basename "$last")" "$2"')
        for name in ("dnf", "usermod", "systemctl"):
            self.tool(name, f'echo "{name} $*" >>{self.calls}')
        self.tool("rpm", f"printf {VERSION}")
        self.tool("uname", "echo x86_64")
        agent = self.folder / "opt/amazon-cloudwatch-agent/bin"
        agent.mkdir(parents=True)
        self.tool("amazon-cloudwatch-agent-ctl", f'echo "ctl $*" >>{self.calls}', agent)
        (self.shelf / "amazon-cloudwatch-agent.rpm").write_text("the package")

    def tool(self, name, text, folder=None):
        path = (folder or self.bin) / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run_gpg(self, home, *arguments):
        done = subprocess.run([self.gpg, "--homedir", str(home), "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback",
                               "--passphrase", "", *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def sign(self, name="signer"):
        """Signs the package with a new key, puts both on the shelf, and returns the key's fingerprint."""
        home = self.folder / name
        home.mkdir(mode=0o700)
        self.run_gpg(home, "--quick-generate-key", f"{name}@example.org", "ed25519", "sign", "never")
        self.addCleanup(subprocess.run, ["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        package = self.shelf / "amazon-cloudwatch-agent.rpm"
        self.run_gpg(home, "--output", f"{package}.sig", "--detach-sign", str(package))
        self.run_gpg(home, "--output", str(self.shelf / "amazon-cloudwatch-agent.gpg"), "--export")
        return re.search(r"^fpr:+(\w+):", self.run_gpg(home, "--with-colons", "--fingerprint"), re.MULTILINE).group(1)

    def install(self, fingerprint, version=VERSION, region=REGION):
        """The script, with the key that is trusted and the folders of the machine exchanged."""
        text = (harness.ROOT / "packer/files/cloudwatch-agent").read_text(encoding="utf-8")
        self.assertIn(PUBLISHED_KEY, text)
        for old, new in ((PUBLISHED_KEY, fingerprint), ("/opt/aws", str(self.folder / "opt")), ("/etc", str(self.etc))):
            text = text.replace(old, new)
        script = self.folder / "cloudwatch-agent"
        script.write_text(text)
        script.chmod(0o755)
        # Not in the test's folder: the sockets of gpg's agent have short names only.
        done = self.run_program(script, version, region, "rr-webapp", environment={
            "PATH": f"{self.bin}:/usr/bin:/bin", "TMPDIR": "/tmp"}, timeout=60)
        return done, self.calls.read_text().splitlines()

    def test_the_version_that_is_set_is_fetched_checked_and_installed(self):
        done, calls = self.install(self.sign())
        self.assertEqual(done.returncode, 0, done)
        package = f"{ADDRESS}/amd64/{VERSION}/amazon-cloudwatch-agent.rpm"
        self.assertEqual(calls[:3], [f"curl {package}", f"curl {package}.sig", f"curl {KEY}"])
        self.assertRegex(calls[3], r"^dnf install --assumeyes --quiet /\S+/agent\.rpm$")
        self.assertIn("usermod --append --groups systemd-journal cwagent", calls)
        self.assertTrue(any(call.startswith("ctl -a fetch-config -m ec2 ") for call in calls), calls)
        self.assertIn("After=amazon-cloudwatch-agent.service",
                      (self.etc / "systemd/system/rr-webapp.service.d/logs.conf").read_text())

    def test_in_china_it_comes_from_chinas_bucket(self):
        done, calls = self.install(self.sign(), region="cn-north-1")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(calls[0], "curl https://amazoncloudwatch-agent-cn-north-1.s3.cn-north-1.amazonaws.com.cn/amazon_linux/amd64/"
                                   f"{VERSION}/amazon-cloudwatch-agent.rpm")

    def refused(self, fingerprint, says, **options):
        done, calls = self.install(fingerprint, **options)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(says, done.stderr)
        return [call for call in calls if not call.startswith("curl")]

    def test_a_package_that_another_key_signed_is_not_installed(self):
        self.sign()
        self.assertEqual(self.refused(PUBLISHED_KEY, "not signed by the key"), [])

    def test_a_package_that_was_changed_is_not_installed(self):
        trusted = self.sign()
        (self.shelf / "amazon-cloudwatch-agent.rpm").write_text("another package")
        self.assertEqual(self.refused(trusted, "signature of the package is not good"), [])

    def test_a_version_that_is_not_there_is_named(self):
        trusted = self.sign()
        (self.shelf / "amazon-cloudwatch-agent.rpm").unlink()
        self.assertEqual(self.refused(trusted, f"{ADDRESS}/amd64/{VERSION}/amazon-cloudwatch-agent.rpm could not be fetched"), [])

    def test_a_package_of_another_version_than_it_says_makes_no_image(self):
        trusted = self.sign()
        self.refused(trusted, f"the package is version {VERSION}, not 1.300099.0b1", version="1.300099.0b1")


class ErrorPattern(harness.TestCase):
    """logs.error_pattern, on lines that the settings' own start command writes."""

    def lines(self):
        """(lines of answers and messages that are no errors, lines that are)"""
        settings = json.loads(rendered(self, "terraform"))
        command = settings["application"]["start_command"].split()
        self.assertEqual(command[0], "./rr-webapp")
        host, port = harness.free_address()
        one = self.start("rr-webapp", *command[1:], "--faults", "on", environment={"HOST": host, "PORT": port})
        address = f"{host}:{port}"
        harness.eventually(lambda: self.answers(address, "/healthz"), "it serves")
        harness.fetch(address, "/?level=error")
        harness.fetch(address, "/fault?error=100")
        self.assertEqual(harness.fetch(address, "/").status, 500)
        harness.eventually(lambda: any('"status":500' in line for line in one.lines("stdout")), "the failure is logged")
        found = one.lines("stdout")
        bad = [line for line in found if json.loads(line)["level"] == "error"]
        self.assertEqual(len(bad), 1)
        return [line for line in found if line not in bad], bad

    @staticmethod
    def answers(address, path):
        try:
            return harness.fetch(address, path).status == 200
        except OSError:
            return False

    @staticmethod
    def as_the_agent_sends_it(line):
        """The agent's exporter writes the journal's fields as `body`; MESSAGE is the line, as a string."""
        return json.dumps({"body": {"MESSAGE": line, "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rr-webapp",
                                    "_SYSTEMD_UNIT": "rr-webapp.service"}}, separators=(",", ":"))

    def test_it_finds_errors_and_nothing_else(self):
        pattern = json.loads(rendered(self, "terraform"))["logs"]["error_pattern"]
        self.assertRegex(pattern, r"^%.+%$", "between signs of per cent CloudWatch reads a regular expression")
        # What CloudWatch's own expressions may have; all of it means the same in Python's.
        self.assertRegex(pattern[1:-1], r"^[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+$")
        expression = re.compile(pattern[1:-1])
        good, bad = self.lines()
        self.assertGreaterEqual(len(good), 3)
        for form in (str, self.as_the_agent_sends_it):
            self.assertEqual([line for line in good if expression.search(form(line))], [])
            self.assertEqual([line for line in bad if not expression.search(form(line))], [])

    def test_every_environment_has_one(self):
        for path in sorted((harness.ROOT / "deploy/settings").glob("*.yaml")):
            self.assertNotEqual(json.loads(rendered(self, "terraform", path))["logs"]["error_pattern"], "", path.name)


if __name__ == "__main__":
    unittest.main()
