"""A program of the user's own is released: a small Node.js server, of which the settings say everything that rr-deploy, the
bundle and the verification need to know.

Two commits of it are bundled, and what the bundles hold really runs, two processes a commit, with the environment that the
unit would give them. The AWS is the tests' own (scripted_aws.py), but its load balancer hands every request to one of these
processes: so the proof of the release is made of the program's own answers. What a bake with Packer makes of the same
program is in test_bake.py, what the real systemd does with it in test_systemd.py.
"""

import http.client
import shlex
import tarfile
import unittest

import harness
from kit.deployment import changed_settings, make_bundle
from scripted_aws import ScriptedAws, _Handler
from test_rr_deploy import NEW, OLD, QUICK

FIRST, SECOND = "814d1293e6b73a8810435611c49a52a6033c3545", "c6879558301b814d1293e6b73a8810435611c49a"
PROGRAM = """
const http = require("http");
const about = JSON.stringify({ commit: process.env.APP_COMMIT, build: process.env.APP_BUILD,
                               host: process.env.TEST_HOST_NAME || require("os").hostname() });
const answers = { "/up": "ok", "/about": about };
http.createServer((request, response) => {
  const answer = BROKEN && request.url === "/about" ? undefined : answers[request.url];
  response.statusCode = answer === undefined ? 500 : 200;
  response.end(answer);
}).listen(Number(process.env.PORT), process.env.HOST, () => console.log("serving"));
"""


class _Relay(_Handler):
    """The load balancer: each request to the next healthy instance, to the process that stands for it."""

    def do_GET(self):
        aws = self.aws
        with aws.lock:
            aws.pass_time()
            there = sorted(one for one in aws.instances if aws._healthy(one))
            if not there:
                return self.send(503, "", "text/plain")
            aws.number += 1
            place = aws.number % len(there)
            programs = aws.programs[aws.versions[int(aws.instances[there[place]][0])][0]]
        connection = http.client.HTTPConnection(programs[place % len(programs)], timeout=harness.scaled(10))
        connection.request("GET", self.path)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return self.send(answer.status, content, "application/json")


class ProgramRelease(harness.TestCase):
    def setUp(self):
        super().setUp()
        harness.need_command("node", "nodejs")
        self.port = harness.free_address()[1]
        self.aws = ScriptedAws()
        self.addCleanup(self.aws.close)
        self.aws.front.shutdown()
        self.aws.front.server_close()
        self.aws.front = self.aws._serve(_Relay)
        self.aws.programs = {}
        self.changes = {**QUICK, "application.name": "small-program", "application.start_command": "node server.js",
                        "application.health_check_path": "/up", "application.version_from": "path:/about",
                        "unit.notify": False, "unit.write_execute_memory": True, "application.port": int(self.port)}

    def serve(self, image, commit, build, broken=False):
        """Bundles this commit of the program, runs what the bundle holds as two instances, and tells the AWS of them."""
        application = self.folder / f"source-{build}"
        application.mkdir()
        (application / "server.js").write_text(PROGRAM.replace("BROKEN", "true" if broken else "false"))
        unpacked = self.folder / f"release-{build}"
        with tarfile.open(make_bundle(self, application, commit, build, {**self.changes, "application.folder": str(application)})) as archive:
            archive.extractall(unpacked)
        environment = dict(shlex.split(line)[0].split("=", 1) for name in ("environment", "build.env")
                           for line in (unpacked / name).read_text().splitlines() if line)
        self.assertEqual((environment["APP_COMMIT"], environment["PORT"]), (commit, str(self.port)))
        self.aws.images[image] = {"commit": commit}
        self.aws.programs[image] = []
        for number in range(2):
            host = harness.loopback_host()
            one = self.start(unpacked / "start", cwd=unpacked / "application",
                             environment={**environment, "HOST": host, "TEST_HOST_NAME": f"{build}-{number}"})
            one.wait_for("serving")
            self.aws.programs[image].append(f"{host}:{self.port}")

    def deploy(self, verb, *words, code=0):
        settings = changed_settings(self, {**self.changes, "application.folder": str(self.folder)})
        done = self.run_program("rr-deploy", verb, "local", "--settings", settings, "--url", self.aws.front.url, *words,
                                environment=self.aws.environment(), cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, code, done)
        return done.stdout

    def served(self):
        return harness.fetch(self.aws.front.url.removeprefix("http://"), "/about").json()["commit"]

    def test_a_node_program_is_released_and_taken_back(self):
        self.serve(OLD, FIRST, "28")
        self.serve(NEW, SECOND, "29")
        self.assertEqual(self.served(), FIRST)
        said = self.deploy("release", "--image", NEW)
        self.assertIn("from 2 of 2 instances", said)
        self.assertRegex(said, rf"version 7, commit {SECOND[:12]}\w* is released")
        self.assertEqual(self.served(), SECOND)
        self.deploy("rollback")
        self.assertEqual(self.served(), FIRST)

    def test_one_that_fails_under_way_is_taken_back_by_itself(self):
        self.serve(OLD, FIRST, "28")
        self.serve(NEW, SECOND, "29", broken=True)
        self.assertIn("HTTP 500", self.deploy("release", "--image", NEW, code=10))
        self.assertEqual(self.served(), FIRST)


if __name__ == "__main__":
    unittest.main()
