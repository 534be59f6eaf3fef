"""Everything a person can get wrong on rr-sim's command line or in its file: one line that names what was wrong and what
would be right, and exit status 2 (or 3, when the tier could not start or none runs). Nothing is started, nothing is left.
"""

import unittest

import harness
from tier import TierTest

# (words, what the line must mention)
USAGE = [
    (["up", "--lod", "5"], ["--lod", "--load"]),
    (["up", "--load"], ["--load", "RATE"]),
    (["up", "--load", "many"], ["--load many", "a number"]),
    (["up", "--detach=yes"], ["--detach", "takes no value"]),
    (["up", "now"], ["now", "one argument too many"]),
    (["up", "--listen", "localhost:80"], ["--listen localhost:80", "127.0.0.1:8080"]),
    (["up", "--listen", "127.0.0.1"], ["--listen 127.0.0.1", "127.0.0.1:8080"]),
    (["up", "--listen", "127.0.0.1:99999"], ["--listen 127.0.0.1:99999"]),
    (["up", "--health-path", "healthz"], ["--health-path", "healthz", "/"]),
    (["up", "--speed", "0"], ["--speed 0", "above 0"]),
    (["up", "--ground", "air"], ["--ground air", "namespaces, plain or auto"]),
    (["up", "--version-from", "body"], ["--version-from body", "path"]),
    (["up", "--set", "speed"], ["--set speed", "KEY=VALUE"]),
    (["up", "--set", "sped=1"], ["--set sped", "rr-sim settings"]),
    (["up", "--settings", "/no/such/file"], ["--settings /no/such/file", "rr-sim settings"]),
    (["upp"], ["upp", "is up meant"]),
    (["az", "fial", "x"], ["az fial", "az fail", "rr-sim az --help"]),
    (["scenario"], ["scenario", "run, compare", "rr-sim scenario --help"]),
    (["az", "fail"], ["ZONE is missing"]),
    (["scale", "many"], ["many", "a whole number"]),
    (["load", "-5"], ["-5"]),
    (["load", "fast"], ["fast", "off"]),
    (["demo", "--speed", "x"], ["--speed x"]),
    (["demo", "--ground", "x"], ["--ground x"]),
]


class WithoutATier(TierTest):
    def test_usage(self):
        for words, mentions in USAGE:
            with self.subTest(" ".join(words)):
                self.assert_usage_error(self.run_program("rr-sim", *words), *mentions)

    def test_files(self):
        table = [
            ("speed: fast\n", ":1: speed: fast: ", "a number"),
            ("\nlaod: 5\n", ":2: laod: ", "load"),
            ("target_group:\n  health_check:\n    path: healthz\n", ":3: target_group.health_check.path: ", "/"),
            ("zones:\n  a: 172.31.16.0/20\n  b: 172.31.16.0/20\n", ":1: zones: ", "overlap"),
            ("listen: [\n", "this is not YAML", ""),
        ]
        path = self.folder / "tier.yaml"
        for text, *mentions in table:
            with self.subTest(text):
                path.write_text(text)
                done = self.run_program("rr-sim", "up", "--state", self.state, "--settings", path)
                self.assert_usage_error(done, str(path), *mentions)
                self.assert_usage_error(self.run_program("rr-sim", "settings", path), str(path), *mentions)

    def test_no_tier_runs(self):
        for words in (["status"], ["az", "fail", "eu-west-1b"], ["az", "heal", "eu-west-1b"], ["instance", "fail", "i-1"],
                      ["instance", "heal", "i-1"], ["scale", "2"], ["image", "build"], ["image", "list"],
                      ["release", "--image", "ami-1"],
                      ["release", "--image", "ami-1", "--strategy", "refresh"], ["refresh", "status"], ["refresh", "cancel"],
                      ["refresh", "rollback"], ["instance", "terminate", "i-1"], ["instance", "health", "i-1", "healthy"],
                      ["instance", "protect", "i-1"], ["instance", "standby", "i-1"], ["instance", "return", "i-1"],
                      ["instance", "detach", "i-1"], ["instance", "attach", "i-1"], ["group", "suspend"], ["group", "resume"],
                      ["group", "activities"], ["hook", "put", "h", "launching"], ["hook", "delete", "h"],
                      ["hook", "complete", "h", "i-1"], ["hook", "heartbeat", "h", "i-1"],
                      ["alarm", "put", "a", "RequestCount", "1"], ["alarm", "list"], ["alarm", "set", "a", "OK"],
                      ["alarm", "delete", "a"], ["policy", "put", "p", "--target", "1"], ["policy", "list"],
                      ["policy", "delete", "p"], ["policy", "execute", "p"], ["schedule", "put", "s", "--desired", "2"],
                      ["schedule", "list"], ["schedule", "delete", "s"], ["fault", "hang", "eu-west-1a"],
                      ["faults"], ["heal", "--all"], ["zonal-shift", "eu-west-1a"], ["group", "update", "--set", "min_size=1"],
                      ["load", "5"], ["logs", "i-1"], ["session", "i-1"], ["down"]):
            with self.subTest(" ".join(words)):
                self.refused(*words, code=3, says=["no tier runs in " + self.state, "rr-sim up -d --state " + self.state])

    def test_every_command_has_help_with_examples(self):
        overview = self.run_program("rr-sim", "--help")
        self.assertEqual(overview.returncode, 0)
        self.assertLessEqual(max(len(line) for line in overview.stdout.splitlines()), 80, overview.stdout)
        for family, one in (("az", "az heal ZONE"), ("scenario", "scenario run FILE"), ("image", "image build")):
            listed = self.run_program("rr-sim", family, "--help")
            self.assertEqual(listed.returncode, 0, listed)
            self.assertIn("\n  " + one + " ", listed.stdout)
            self.assertNotIn("  status ", listed.stdout)
        for words in ("up", "demo", "status", "az fail", "az heal", "instance fail", "instance heal", "scale", "image build",
                      "image list", "release", "refresh status", "refresh cancel", "refresh rollback", "instance terminate",
                      "instance health", "instance protect", "instance standby", "instance return", "instance detach",
                      "instance attach", "group suspend", "group resume", "group activities", "hook put", "hook delete",
                      "hook complete", "hook heartbeat", "alarm put", "alarm list", "alarm set", "alarm delete", "policy put",
                      "policy list", "policy delete", "policy execute", "schedule put", "schedule list", "schedule delete", "fault",
                      "faults", "heal", "zonal-shift", "export-fis", "group update", "load", "logs", "session", "down", "settings", "laws",
                      "swarm", "replay", "pace", "scenario run", "scenario compare"):
            self.assertIn("  " + words, overview.stdout)
            help_text = self.run_program("rr-sim", *words.split(), "--help")
            self.assertEqual(help_text.returncode, 0, help_text)
            self.assertTrue(help_text.stdout.startswith("rr-sim " + words), help_text)
            self.assertRegex(help_text.stdout, r"Examples:\n  rr-sim " + words)
            self.assertLessEqual(max(len(line) for line in help_text.stdout.splitlines()), 80, help_text.stdout)
            self.assertLessEqual(max(len(line) for line in help_text.stdout.splitlines()), 100, help_text)
        version = (harness.ROOT / "VERSION").read_text().split()[0]
        self.assertEqual(self.run_program("rr-sim", "--version").stdout, f"rr-sim {version}\n")

    def test_a_state_folder_that_cannot_be_made(self):
        done = self.run_program("rr-sim", "up", "--state", "/proc/no/such/folder")
        self.assert_usage_error(done, "--state /proc/no/such/folder")
        done = self.run_program("rr-sim", "up", "--state", "/tmp/" + "x" * 100)
        self.assert_usage_error(done, "--state", "too long")


class WithATier(TierTest):
    def test_names_that_do_not_exist(self):
        self.up()
        status = self.wait_settled()
        ids = [one["id"] for one in self.in_service(status)]
        self.refused("az", "fail", "eu-west-1z", says=["eu-west-1z", "eu-west-1a", "eu-west-1b"])
        self.refused("az", "heal", "eu-west-1z", says=["eu-west-1z", "eu-west-1a"])
        self.refused("az", "fail", "eu-west-1a", "--mode", "water", says=["--mode water", "power or hang"])
        self.refused("az", "heal", "eu-west-1a", code=1, says=["eu-west-1a"])
        self.refused("instance", "fail", "i-nope", says=["i-nope", *ids])
        self.refused("instance", "fail", "i-", says=["i-", ids[0]])
        self.refused("instance", "fail", ids[0], "--mode", "sleep", says=["--mode sleep", "kill or hang"])
        self.refused("logs", "i-nope", says=["i-nope", ids[0], "lb-eu-west-1a"])
        self.refused("session", "i-nope", says=["i-nope", ids[0]])
        self.refused("release", "--image", "ami-nope", says=["ami-nope", status["images"][0]["id"]])
        self.refused("release", says=["--image is missing"])
        self.refused("release", "--image", status["images"][0]["id"], "--strategy", "hope", says=["--strategy hope", "double or refresh"])
        self.refused("release", "--image", status["images"][0]["id"], "--strategy", "ReplaceRootVolume",
                     says=["--strategy ReplaceRootVolume: is not offered"])
        self.refused("scale", "9", says=["9", "4"])
        self.refused("scale", "1", says=["1", "2"])
        self.refused("image", "build", "--from", str(self.folder), says=["--from", "rr-sim up --app"])
        # Nothing of all this has changed anything.
        self.assertEqual([one["id"] for one in self.in_service(self.status())], ids)

    def test_an_image_without_a_binary(self):
        """rr-sim alone, without rr-webapp beside it or on PATH."""
        self.up()
        alone = self.folder / "alone"
        alone.mkdir()
        (alone / "rr-sim").write_bytes((harness.bin_folder() / "rr-sim").read_bytes())
        (alone / "rr-sim").chmod(0o755)
        done = self.run_program(str(alone / "rr-sim"), "image", "build", "--state", self.state, environment={"PATH": "/bin"})
        self.assert_usage_error(done, "rr-webapp", "build it")
        # And `up` says what it lacks.
        done = self.run_program(str(alone / "rr-sim"), "up", "--state", str(self.folder / "t"), environment={"PATH": "/bin"})
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("rr-lb", done.stderr)


if __name__ == "__main__":
    unittest.main()
