"""The base class of the tests that run rr-deploy against an AWS of the test's own."""

import gzip
import io
import json
import tarfile

import harness
from kit.deployment import changed_settings
from scripted_aws import ScriptedAws

OLD, NEW = "ami-0000000000000000a", "ami-0000000000000000b"
# Quick enough for a test; the meaning of each is in the settings.
QUICK = {"release.bake_time": "0s", "release.patience": "20s",
         "verification.deadline": "10s", "verification.consecutive_answers": 6, "verification.answer_timeout": "500ms",
         "probe.answer_timeout": "500ms", "probe.interval": "100ms"}


def bundle_bytes(members=None, installer="install"):
    """What --artifact takes, with no more in it than it is looked at for: an installer, and `members` {name: content}."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in {installer: b"#!/bin/sh\n", **(members or {})}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def program_for(machine):
    """The beginning of a 64-bit Linux program for a processor of this number (elf(5), e_machine)."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + machine.to_bytes(2, "little") + bytes(44)


class RrDeploy(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.aws = ScriptedAws()
        self.addCleanup(self.aws.close)
        self.settings = changed_settings(self, QUICK)

    def tearDown(self):
        self.assertEqual(self.aws.errors, [], "signatures")

    def command(self, verb, *words):
        return ["rr-deploy", verb, "local", "--settings", str(self.settings), *words]

    def job(self, verb, *words):
        return self.command(verb, "--url", self.aws.front.url, *words)

    def deploy(self, *words, code=0, environment=None):
        done = self.run_program(*words, environment={**self.aws.environment(), **(environment or {})}, cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, code, done)
        return done

    def assert_settled(self, version, aws=None):
        """The group serves this version and no other, as it stood before, and nobody holds the lock."""
        aws = aws or self.aws
        self.assertEqual(aws.version, version)
        self.assertEqual({of for of, _, _ in aws.instances.values()}, {version})
        self.assertEqual((len(aws.instances), aws.desired, aws.suspended), (2, 2, []))
        self.assertNotIn("/round-robin/local/lock", aws.parameters)

    def record(self):
        return json.loads(self.aws.parameters["/round-robin/local/release"][-1][0])
