"""An image is baked for real: Packer provisions a machine over SSH, and what it leaves there serves.

Debian's Packer (1.6.6, the oldest that the neutral template is for) is given packer/neutral/. The EC2 API is moto's server,
which knows instances and images by name only; the instance is a machine of the test's own (kit/ssh_host.py). So security
group, key, instance, upload, installation, self-test, image, tags and manifest are those of a bake on AWS, without AWS.
Then the folders that the bake left are started the way systemd would: the unit's ExecStart, with the unit's environment.

RR_TEST_EC2 is the address of another EC2 API for the same tests; then RR_TEST_SOURCE_AMI is an image that it knows.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import unittest
import urllib.parse
import urllib.request

import harness
from baked import neutral_variables, unit_environment, unit_values
from kit.deployment import bundle_input, make_bundle
from kit.machine import inside
from kit.process_table import MARK_VARIABLE
from kit.ssh_host import SshHost

COMMIT = "814d1293e6b73a8810435611c49a52a6033c3545"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": None,
               "AWS_PROFILE": None, "AWS_EC2_METADATA_DISABLED": "true"}
NODE_PROGRAM = """
const http = require("http");
const text = JSON.stringify({ commit: process.env.APP_COMMIT, build: process.env.APP_BUILD });
http.createServer((request, response) => {
  if (request.url === "/up") return response.end("ok");
  if (request.url === "/about") return response.end(text);
  response.statusCode = 404;
  response.end();
}).listen(Number(process.env.PORT), process.env.HOST, () => console.log("serving"));
"""


class BakeTest(harness.TestCase):
    """Only in ./check --all: each bakes for seconds."""

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all")
        self.packer = self.need("packer", "apt-get install packer")
        self.port = harness.free_address()[1]

    @staticmethod
    def need(name, how):
        return shutil.which(name) or harness.skip(f"{name} is not installed ({how})")

    # -- the surroundings of a bake

    def ec2(self):
        """(endpoint, image): where the bake makes its calls, and what it begins with."""
        if os.environ.get("RR_TEST_EC2"):
            return os.environ["RR_TEST_EC2"], os.environ["RR_TEST_SOURCE_AMI"]
        moto = self.need("moto_server", "pip install 'moto[server]'")
        host, port = harness.free_address()
        self.start(moto, "-H", host, "-p", port, name="moto")
        endpoint = f"http://{host}:{port}"
        harness.eventually(lambda: self.call(endpoint, "DescribeRegions"), "moto answers", timeout=30)
        images = re.findall(r"<imageId>(ami-\w+)</imageId>", self.call(endpoint, "DescribeImages"))
        return endpoint, images[0]

    @staticmethod
    def call(endpoint, action, **parameters):
        """The answer of the EC2 API, as text; None while nobody answers."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **parameters}).encode()
        head = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/ec2/aws4_request, "
                                 "SignedHeaders=host, Signature=0"}
        try:
            with urllib.request.urlopen(urllib.request.Request(endpoint, body, head), timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def bake(self, bundle):
        """Packer's output, the manifest, and the machine that it provisioned."""
        endpoint, image = self.ec2()
        host = SshHost(self)
        done = self.run_program(
            self.packer, "build", f"-var-file={bundle}.pkrvars.json", "-var", f"manifest={self.folder / 'manifest.json'}",
            *[part for name, value in neutral_variables(host, endpoint, image).items() for part in ("-var", f"{name}={value}")],
            harness.ROOT / "packer/neutral", timeout=120,
            environment={**CREDENTIALS, "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1", "HOME": str(self.folder)})
        return done, host.machine, endpoint

    def baked(self, bundle):
        done, machine, endpoint = self.bake(bundle)
        self.assertEqual(done.returncode, 0, done)
        [made] = json.loads((self.folder / "manifest.json").read_text())["builds"]
        return made, machine, endpoint

    # -- what was baked

    def start_unit(self, machine, name):
        """Starts what the unit starts, with the environment that the unit names and nothing else; returns the program and
        the socket where systemd would hear from it."""
        unit = unit_values(machine / f"etc/systemd/system/{name}.service")
        environment = {**unit_environment(machine, unit), MARK_VARIABLE: self.mark}
        environment["HOST"] = harness.loopback_host()  # the unit's 0.0.0.0 is for a machine of its own
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.bind(str(machine / "run/notify"))
        heard.settimeout(harness.scaled(20))
        (machine / "run/notify").chmod(0o777)
        environment["NOTIFY_SOCKET"] = "/run/notify"
        [folder], [command] = unit["WorkingDirectory"], unit["ExecStart"]
        assigned = [f"{key}={value}" for key, value in environment.items()]
        one = self.start(*inside(machine, "env", "-i", "--chdir", folder, *assigned, "setpriv", "--reuid=65534",
                                 "--regid=65534", "--clear-groups", "--no-new-privs", command), name=name)
        return one, heard, f"{environment['HOST']}:{environment['PORT']}", unit

    def assert_image_is_nobody_in_particular(self, machine):
        self.assertEqual((machine / "etc/machine-id").read_text(), "")
        self.assertEqual(list((machine / "etc/ssh").glob("ssh_host_*")), [])
        self.assertFalse((machine / "root/.ssh/authorized_keys").exists())
        self.assertEqual([path.name for path in (machine / "tmp").iterdir()], [])


class Webapp(BakeTest):
    def test_the_baked_web_server_serves_under_its_unit(self):
        if harness.sanitizer(harness.program("rr-webapp")):
            harness.skip("a sanitizer build is not baked")
        application = self.folder / "application"
        application.mkdir()
        shutil.copy(harness.program("rr-webapp"), application)
        bundle = make_bundle(self, application, COMMIT, "28", {"application.port": self.port})
        made, machine, endpoint = self.baked(bundle)

        self.assertEqual(made["custom_data"]["commit"], COMMIT)
        self.assertEqual(made["custom_data"]["bundle_sha256"], json.loads((self.folder / "bundle.tar.gz.json").read_text())["sha256"])
        image = made["artifact_id"].split(":")[-1]
        described = self.call(endpoint, "DescribeImages", **{"ImageId.1": image})
        tags = dict(re.findall(r"<key>([^<]*)</key>\s*<value>([^<]*)</value>", described))
        self.assertEqual((tags["Commit"], tags["Build"], tags["Environment"]), (COMMIT, "28", "local"))
        self.assertRegex(tags["BaseAMI"], r"^ami-")
        self.assertRegex(tags["BuiltAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

        enabled = machine / "etc/systemd/system/multi-user.target.wants/rr-webapp.service"
        self.assertTrue(enabled.is_symlink())
        self.assert_image_is_nobody_in_particular(machine)

        one, heard, address, unit = self.start_unit(machine, "rr-webapp")
        self.assertEqual(unit["Type"], ["notify"])
        self.assertIn("READY=1", heard.recv(4096).decode().splitlines())
        self.assertEqual(harness.fetch(address, "/healthz").status, 200)
        said = harness.fetch(address, "/version").json()
        self.assertEqual((said["commit"], said["build"]), (COMMIT, "28"))
        self.assertEqual(harness.fetch(address, "/").header("keep-alive"), "timeout=75")
        self.assertEqual(one.stop(), 0)  # SIGTERM has reached the program itself


class Node(BakeTest):
    CHANGES = {"application.name": "small-program", "application.start_command": "node --no-opt server.js",
               "application.health_check_path": "/up", "application.version_from": "path:/about",
               "application.runtime_packages": ["nodejs20"], "unit.notify": False, "unit.write_execute_memory": True}

    def node_bundle(self, program=NODE_PROGRAM, **changes):
        self.need("node", "apt-get install nodejs")
        application = self.folder / "application"
        application.mkdir()
        (application / "server.js").write_text(program)
        return make_bundle(self, application, COMMIT, "28", {**self.CHANGES, "application.port": self.port,
                                                             "application.folder": str(application), **changes})

    def test_a_program_of_the_users_own_serves_under_its_unit(self):
        bundle = self.node_bundle()
        _, machine, _ = self.baked(bundle)
        self.assertIn("install --assumeyes --quiet --setopt=install_weak_deps=False nodejs20",
                      (machine / "opt/machine/dnf-calls").read_text())
        one, _, address, unit = self.start_unit(machine, "small-program")
        self.assertEqual((unit["Type"], unit["MemoryDenyWriteExecute"]), (["exec"], ["no"]))
        one.wait_for("serving")
        self.assertEqual(harness.fetch(address, "/about").json(), {"commit": COMMIT, "build": "28"})
        one.kill()

    def test_a_program_that_does_not_serve_makes_no_image(self):
        """The self-test is in the bake: it says what the program said, and no image is made."""
        bundle = self.node_bundle(program="console.log('no database here'); process.exit(7);")
        done, _, endpoint = self.bake(bundle)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("selftest: it ended before /up was answered", done.stdout + done.stderr)
        self.assertIn("no database here", done.stdout + done.stderr)
        self.assertFalse((self.folder / "manifest.json").exists())
        self.assertNotIn(COMMIT, self.call(endpoint, "DescribeImages", **{"Owner.1": "self"}))

    def test_an_image_that_tells_another_commit_is_not_made(self):
        bundle = self.node_bundle(program=NODE_PROGRAM.replace("process.env.APP_COMMIT", "'another'"))
        done, _, _ = self.bake(bundle)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"/about does not tell the commit {COMMIT}", done.stdout + done.stderr)

    def test_a_bundle_for_another_processor_is_refused(self):
        machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
        other = "arm64" if machine == "x86_64" else "x86_64"
        kind = {"arm64": "t4g.micro", "x86_64": "t3.micro"}[other]
        bake = {"arm64": "t4g.small", "x86_64": "t3.small"}[other]
        bundle = self.node_bundle(**{"instance.architecture": other, "instance.type": kind, "bake.instance_type": bake})
        done, _, _ = self.bake(bundle)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"the bundle is for {other} and this machine is", done.stdout + done.stderr)


class Bundle(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.application = self.folder / "application"
        (self.application / "bin").mkdir(parents=True)
        (self.application / "bin/serve").write_text("#!/bin/sh\n")
        (self.application / "bin/serve").chmod(0o700)
        (self.application / "link").symlink_to("bin/serve")

    def test_the_same_input_makes_the_same_bytes(self):
        first = make_bundle(self, self.application, COMMIT, "28").read_bytes()
        os.utime(self.application / "bin/serve", (1, 1))
        self.assertEqual(make_bundle(self, self.application, COMMIT, "28").read_bytes(), first)
        self.assertNotEqual(make_bundle(self, self.application, COMMIT, "29").read_bytes(), first)

    def test_what_is_in_it_belongs_to_nobody(self):
        with tarfile.open(make_bundle(self, self.application, COMMIT, "28")) as archive:
            members = archive.getmembers()
        self.assertEqual({(one.uid, one.gid, one.uname, one.mtime) for one in members}, {(0, 0, "", 0)})
        modes = {one.name: oct(one.mode) for one in members}
        self.assertEqual(modes["application/bin/serve"], "0o755")
        self.assertEqual(modes["application.service"], "0o644")

    def started(self, command):
        """Runs the start script of a bundle with that command, and returns what it printed."""
        with tarfile.open(make_bundle(self, self.application, COMMIT, "28", {"application.start_command": command})) as archive:
            archive.extract("start", self.folder)
        done = self.run_program(self.folder / "start", environment={"APP_BUILD": "2 8", "PORT": "1"})
        self.assertEqual(done.returncode, 0, done)
        return done.stdout.strip()

    def test_the_program_is_the_process_that_systemd_started(self):
        """Whatever the command is, what it starts says the process id of the start script; else nothing that systemd sends
        or hears would be the program's."""
        harness.need_command("python3")
        say = "import os, sys; print(os.getppid(), sys.argv[1:], os.environ.get('A'))"
        (self.application / "say.py").write_text(say)
        parent = str(os.getpid())
        for command, said in ((f"python3 {self.application}/say.py 'a ; b' $((1 + 1)) \"$APP_BUILD\"", "['a ; b', '2', '2 8'] None"),
                              (f"A=1 B=2 python3 {self.application}/say.py", "[] 1"),
                              (f"cd / && exec python3 {self.application}/say.py '$PORT'", "['$PORT'] None")):
            with self.subTest(command=command):
                self.assertEqual(self.started(command), f"{parent} {said}")

    def refused(self, *mentions, changes=None, **arguments):
        given = {**bundle_input(self, changes or {}), "application": self.application, "commit": COMMIT, "build": "28",
                 "output": self.folder / "out.tar.gz", **arguments}
        done = self.run_program(harness.ROOT / "packer/bundle",
                                *[part for name, value in given.items() for part in (f"--{name}", value)])
        self.assert_usage_error(done, *mentions)
        self.assertFalse((self.folder / "out.tar.gz").exists())

    def test_what_cannot_work_is_refused(self):
        self.refused("--commit 'main'", "hash", commit="main")
        self.refused("--build 'a b'", build="a b")
        self.refused("--application", "something in it", application=self.folder / "nothing")
        self.refused("--settings", "No such file", settings=self.folder / "nothing")
        self.refused("--settings", "render --for packer", settings=self.written("{}"))
        self.refused("application.start_command", "write exec before the last",
                     changes={"application.start_command": "cd bin && ./serve"})
        self.refused("application.start_command", "No closing quotation", changes={"application.start_command": "./serve 'a"})
        self.refused("application.port 80", "1024 to 65535", changes={"application.port": 80})
        (self.application / "out").symlink_to("/etc/passwd")
        self.refused("--application", "leads out of the folder")

    def test_a_program_for_another_processor_is_refused_before_anything_is_baked(self):
        """The settings of local say x86_64; 183 is arm64's number in a program's head, and 62 x86_64's."""
        program = self.application / "serve"
        for machine, changes in ((183, {}), (62, {"instance.architecture": "arm64", "instance.type": "t4g.micro",
                                                  "bake.instance_type": "t4g.small"})):
            program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine.to_bytes(2, "little"))
            wrong, right = ("arm64", "x86_64") if machine == 183 else ("x86_64", "arm64")
            self.refused(f"serve is for {wrong}, and the settings say {right} (instance.architecture)",
                         changes={"application.start_command": "A=1 exec ./serve --port {port}", **changes})
        program.write_text("#!/bin/sh\n")
        make_bundle(self, self.application, COMMIT, "28", {"application.start_command": "./serve"})

    def written(self, text):
        (self.folder / "other.json").write_text(text)
        return self.folder / "other.json"


class Templates(harness.TestCase):
    """What can be said of packer/*.pkr.hcl without a Packer that reads the newer of them."""

    def setUp(self):
        super().setUp()
        folder = harness.ROOT / "packer"
        self.common, self.aws, self.neutral = ((folder / name).read_text() for name in (
            "app.pkr.hcl", "aws.pkr.hcl", "neutral/source.pkr.hcl"))

    @staticmethod
    def declared(text):
        """{variable: whether it has a default}"""
        return {name: "default" in body for name, body in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text,
                                                                     re.MULTILINE | re.DOTALL)}

    def test_every_variable_is_declared_and_given(self):
        application = self.folder / "application"
        application.mkdir()
        (application / "program").write_text("#!/bin/sh\n")
        make_bundle(self, application, COMMIT, "28")
        given = set(json.loads((self.folder / "bundle.tar.gz.pkrvars.json").read_text())) | {"manifest"}
        declared = {**self.declared(self.common), **self.declared(self.aws)}
        self.assertEqual(given - set(declared), set(), "given, and known by no template")
        self.assertEqual({name for name, has_default in declared.items() if not has_default} - given, set())
        for text, names in ((self.common, self.declared(self.common)), (self.aws, declared),
                            (self.neutral, {**self.declared(self.common), **self.declared(self.neutral)})):
            self.assertEqual(set(re.findall(r"\bvar\.(\w+)", text)) - set(names), set())

    def test_both_sources_name_and_tag_their_images_alike(self):
        for line in ("ami_name        = local.image_name", "tags            = local.image_tags",
                     "snapshot_tags   = local.image_tags", "run_tags        = local.run_tags"):
            self.assertIn(line, self.aws)
            self.assertIn(line, self.neutral)

    def test_they_are_formatted(self):
        packer = harness.need_command("packer")
        for folder in ("packer", "packer/neutral"):
            done = self.run_program(packer, "fmt", "-check", "-diff", harness.ROOT / folder,
                                    environment={"CHECKPOINT_DISABLE": "1", "HOME": str(self.folder)})
            self.assertEqual(done.returncode, 0, done)


if __name__ == "__main__":
    unittest.main()
