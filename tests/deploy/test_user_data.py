"""What an instance of the artifact lane does when it boots: the user data that rr-deploy writes, run by what stands for
cloud-init on a machine of the test's own where the real systemd runs.

The image holds one commit, the artifact another. The machine boots as cloud-init would have it: the boothook before the unit,
then multi-user.target, which wants the unit, then the script. S3 is a web server on the machine's loopback, and the AWS CLI a
script that fetches from it. So which of the two commits serves, and when, is seen from outside.
"""

import base64
import email
import json
import unittest

import harness
from kit.deployment import changed_settings, make_bundle
from kit.systemd_host import SystemdHost
from scripted_aws import ScriptedAws

BAKED, NEW = "a" * 40, "b" * 40
PORT = 8080  # of the settings; the machine's network is its own
UNIT = "small-program.service"
PYTHON_SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = ('{"commit": "%s"}' % os.environ["APP_COMMIT"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
NODE_SERVER = """
require("http").createServer((q, s) => s.end(JSON.stringify({ commit: process.env.APP_COMMIT })))
  .listen(Number(process.env.PORT), process.env.HOST);
"""
# aws s3 cp --only-show-errors s3://BUCKET/KEY FILE
AWS_CLI = """#!/bin/sh
[ "$1 $2 $3" = "s3 cp --only-show-errors" ] || { echo "aws: $*" >&2; exit 252; }
exec curl --silent --show-error --fail --output "$5" "http://127.0.0.1:9000/${4#s3://}"
"""


def parts_of(user_data):
    """[(content type, script)] as cloud-init takes them out of it."""
    message = email.message_from_string(user_data)
    assert message.get_content_type() == "multipart/mixed", message.get_content_type()
    return [(part.get_content_type(), part.get_payload()) for part in message.get_payload()]


class UserData(harness.TestCase):
    """Only in ./check --all: each boots a machine."""

    FILE, TEXT = "server.py", PYTHON_SERVER
    CHANGES = {"application.name": "small-program", "application.start_command": "python3 -u server.py", "unit.notify": False,
               "application.health_check_path": "/", "application.version_from": "path:/", "release.bake_time": "0s"}

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all")

    def bundle(self, commit):
        """(the file, its hash)"""
        folder = self.folder / "application"
        folder.mkdir(exist_ok=True)
        (folder / self.FILE).write_text(self.TEXT)
        made = make_bundle(self, folder, commit, "28", self.CHANGES)
        digest = json.loads((self.folder / "bundle.tar.gz.json").read_text())["sha256"]
        return made.rename(self.folder / f"{commit[:4]}.tar.gz"), digest

    def release(self, bundle, digest):
        """(user data, the object's URL, its content), as rr-deploy brings them to AWS."""
        aws = ScriptedAws()
        self.addCleanup(aws.close)
        settings = changed_settings(self, {**self.CHANGES, "verification.consecutive_answers": 2})
        aws.artifacts[digest] = {"commit": NEW}
        done = self.run_program("rr-deploy", "release", "local", "--settings", settings, "--url", aws.front.url, "--artifact", bundle,
                                "--commit", NEW, environment=aws.environment(), cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, 0, done)
        [(url, content)] = aws.objects.items()
        self.assertLess(len(base64.b64encode(aws.user_data[7].encode())), 16384, "EC2's limit")
        return aws.user_data[7], url, content

    def boot(self):
        """A machine whose image holds the commit BAKED, and the user data that brings NEW; nothing of it has run."""
        baked, _ = self.bundle(BAKED)
        self.user_data, url, self.content = self.release(*self.bundle(NEW))
        self.host = SystemdHost(self)
        self.host.unpack(baked)
        done = self.host.run("/tmp/bundle/install")
        self.assertEqual(done.returncode, 0, done)
        self.object = self.host.machine / "opt/s3" / url.removeprefix("s3://")
        self.object.parent.mkdir(parents=True)
        self.object.write_bytes(self.content)
        self.write("opt/machine/bin/aws", AWS_CLI)
        self.write("etc/systemd/system/s3.service", "[Service]\nWorkingDirectory=/opt/s3\n"
                   "ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 9000\n")
        self.systemctl("daemon-reload")
        self.systemctl("start", "s3.service")
        harness.eventually(lambda: self.host.get(9000, "/") is not None or None, "S3 answers")

    def write(self, name, text):
        path = self.host.machine / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def systemctl(self, *words):
        done = self.host.run("systemctl", *words)
        self.assertEqual(done.returncode, 0, done)

    def part(self, kind):
        """Runs the part of the user data as cloud-init does, as a file of its own."""
        [text] = [text for content, text in parts_of(self.user_data) if content == kind]
        name = kind.replace("/", "-")
        self.write(f"var/lib/cloud/{name}", text)
        return self.host.run("env", "PATH=/opt/machine/bin:/usr/sbin:/usr/bin:/sbin:/bin", f"/var/lib/cloud/{name}", timeout=60)

    def hook(self):
        done = self.part("text/cloud-boothook")
        self.assertEqual(done.returncode, 0, done)

    def state(self):
        return self.host.show(UNIT, "ActiveState")["ActiveState"]

    def serves(self):
        """The commit that answers; None when nobody does."""
        body = self.host.get(PORT, "/")
        return json.loads(body)["commit"] if body else None

    def check_that_the_artifact_serves_and_the_image_never_does(self):
        self.boot()
        self.hook()
        self.systemctl("start", "multi-user.target")
        self.systemctl("start", UNIT)
        self.assertEqual((self.state(), self.serves()), ("inactive", None), "the baked commit is held back")
        done = self.part("text/x-shellscript")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(harness.eventually(self.serves, "it serves"), NEW)
        # The next boot of the same instance waits for nothing: the script runs once an instance, the hook at every boot.
        self.systemctl("stop", UNIT)
        self.hook()
        self.systemctl("start", UNIT)
        self.assertEqual(harness.eventually(self.serves, "it serves again"), NEW)


class PythonProgram(UserData):
    def test_the_artifact_serves_and_the_image_never_does(self):
        self.check_that_the_artifact_serves_and_the_image_never_does()

    def test_what_has_another_hash_or_is_not_there_leaves_the_unit_held(self):
        self.boot()
        self.hook()
        self.systemctl("start", "multi-user.target")
        self.object.write_bytes(self.content[:-1] + b"x")
        done = self.part("text/x-shellscript")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("the artifact has another hash", done.stderr)
        self.object.unlink()
        done = self.part("text/x-shellscript")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("404", done.stderr)
        self.systemctl("start", UNIT)
        self.assertEqual((self.state(), self.serves()), ("inactive", None))
        self.assertFalse((self.host.machine / "var/lib/rr-deploy/artifact").exists())
        self.assertEqual([one.name for one in (self.host.machine / "tmp").iterdir() if one.name.startswith("tmp.")], [])
        self.object.write_bytes(self.content)
        self.assertEqual(self.part("text/x-shellscript").returncode, 0, "and it can be repaired by hand")
        self.assertEqual(harness.eventually(self.serves, "it serves"), NEW)

    def test_without_the_hook_the_image_would_serve(self):
        """What the hook is for: this is what the tests above would see if it did nothing."""
        self.boot()
        self.systemctl("start", "multi-user.target")
        self.assertEqual(harness.eventually(self.serves, "it serves"), BAKED)


class NodeProgram(UserData):
    FILE, TEXT = "server.js", NODE_SERVER
    CHANGES = {**UserData.CHANGES, "application.start_command": "node server.js", "unit.write_execute_memory": True}

    def test_the_artifact_serves_and_the_image_never_does(self):
        harness.need_command("node", "nodejs")
        self.check_that_the_artifact_serves_and_the_image_never_does()


if __name__ == "__main__":
    unittest.main()
