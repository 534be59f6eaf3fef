"""The classic release: an image with the next commit and build, the group doubled with it, the new ones healthy and
answering the new commit, the group halved again. No request fails, and afterwards every answer is new.
"""

import sys
import unittest

import harness
from tier import TierTest

NEXT = "d" * 40


class Release:
    def test_two_four_two_under_load(self):
        self.up("--load", 40)
        before = self.wait_settled()
        old = {one["id"] for one in self.in_service(before)}
        built = self.ok("image", "build", "--commit", NEXT, "--build", 2)
        image = built.stdout.strip()
        self.assertRegex(image, r"^ami-[0-9a-f]{17}$")
        self.assertIn(f"rr-sim release --image {image} --state {self.state}", built.stderr)
        self.assertEqual(self.ok("image", "build", "--commit", NEXT, "--build", 2).stdout.strip(), image, "same content, same id")
        listed = self.ok("image", "list").stdout
        self.assertIn(f"{image}  commit {NEXT[:12]}", listed)
        self.assertEqual(len(listed.splitlines()), 2)

        released = self.ok("release", "--image", image, "--strategy", "double", timeout=120)
        self.assertIn("old 2  new 2", released.stdout)
        self.assertRegex(released.stdout.splitlines()[-1], r"[Rr]eleased.*took .* on AWS")
        after = self.wait_settled()
        self.assertFalse(old & {one["id"] for one in self.in_service(after)})
        self.assertEqual(self.by_zone(after), {"eu-west-1a": 1, "eu-west-1b": 1})
        self.assertEqual(after["groups"][0]["desired_capacity"], 2)
        self.assertEqual(after["load"]["failed"], 0, after["load"])
        self.assertGreater(after["load"]["finished"], 40)
        for _ in range(10):
            self.assertEqual(self.page(after["url"])[1:], (NEXT, "2"))

    def test_an_image_that_says_another_commit_is_not_released(self):
        """The image claims one commit, its program answers another: the release must not take the label for the thing."""
        for version in ("v1", "v2"):
            (self.folder / version).mkdir()
            (self.folder / version / "server.py").write_text(LYING_SERVER)
        command = f"{sys.executable} server.py"
        self.up("--set", "region.release_timeout=100s", "--set", "target_group.deregistration_delay=1s",
                "--set", "auto_scaling_group.health_check_grace_period=2s", "--app", command, "--version-from", "path:/version",
                cwd=self.folder / "v1")
        self.wait_settled()
        image = self.ok("image", "build", "--commit", NEXT, "--build", 2, "--from", self.folder / "v2", "--app", command)
        image = image.stdout.strip()
        done = self.sim("release", "--image", image, timeout=120)
        self.assertEqual(done.returncode, 10, "rolled back")
        self.assertEqual(harness.curl(self.status()["url"]).status, 200, "the old version still answers")
        status = self.status()
        self.assertFalse(status["release"]["released"])
        self.assertTrue(status["release"]["rolled_back"])
        after = self.wait_settled()
        self.assertEqual(after["groups"][0]["desired_capacity"], 2)
        self.assertNotIn(image, {one["image"] for one in self.in_service(after)})
        self.assertIn(status["release"]["outcome"], done.stdout)


# Whatever it is asked, also for its version.
LYING_SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"0123456789"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


class ReleasePlain(Release, TierTest):
    pass


class ReleaseNamespaces(Release, TierTest):
    ground = "namespaces"


if __name__ == "__main__":
    unittest.main()
