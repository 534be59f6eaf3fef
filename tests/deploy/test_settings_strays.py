"""A value of the deployment stands in deploy/settings and nowhere else.

Ports, names, regions, sizes, thresholds and durations are looked for in everything that is deployed with: deploy/, terraform/,
packer/ and the files of CI. What only looks like one (a limit of AWS's, a date, the calendar) carries the mark
`not a setting: REASON` on its line or the line above it.
"""

import json
import re
import unittest

import harness
from terraform import settings_for

PLACES = ["deploy", "terraform", "packer", "ci", ".github", "buildspec.yml", ".travis.yml"]
# Made from the settings, about them (a variable's range and the example in its description), or an example of them; tests state their
# own values. Prose has a test of its own below.
LEFT_OUT = re.compile(r"^deploy/settings/|^terraform/examples/.*\.yaml$|(^|/)variables\.tf$|\.tftest\.hcl$|\.lock\.hcl$|\.md$|(^|/)CMakeLists\.txt$|(^|/)testdata/")
# An AWS client's patience is no deployment's.
TIMED_BY_ITSELF = re.compile(r"^deploy/aws/")
MARK = "not a setting:"
# What the documents say of an environment as it stands: (file, words with {} for the value, environment, key, how it is said there).
SAID = [
    ("docs/deploy.md", "launch, health check, {} s warm-up", "production", "auto_scaling_group.default_instance_warmup", "{:g}"),
    ("docs/deploy.md", "warm-up, {} s drain)", "production", "target_group.deregistration_delay", "{:g}"),
    ("docs/deploy.md", "`release.bake_time`, {} minutes in production", "production", "release.bake_time", "{:minutes}"),
    ("docs/deploy.md", "| two {} at ", "production", "instance.type", "{}"),
    ("docs/deploy.md", "two gp3 disks of {} GiB", "production", "instance.root_volume_size", "{}"),
    ("docs/deploy.md", "A bake is one {} for some minutes", "production", "bake.instance_type", "{}"),
    ("docs/deploy.md", "3.3 s for {} answers", "production", "verification.consecutive_answers", "{}"),
    ("docs/deploy.md", "\nAWS_REGION={}\n", "production", "aws.region", "{}"),
    ("docs/deploy.md", "\nRR_TIER={}\n", "production", "names.tier", "{}"),
    ("docs/deploy.md", "\nRR_BRANCH={}\n", "production", "ci.branch", "{}"),
    ("docs/image.md", "`verification.consecutive_answers: {}`", "production", "verification.consecutive_answers", "{}"),
]
ENVIRONMENTS = sorted(path.stem for path in (harness.ROOT / "deploy" / "settings").glob("*.yaml"))

# Settings whose text would be the environment's wherever it stood. Others are words ("main", "local"), or the name of the
# program that this repository builds; a workflow's schedule can only be literal, and tests/deploy/test_ci.py compares it.
TELLING = ["name", "application.start_command", "application.health_check_path", "aws.region",
           "instance.type", "bake.instance_type", "bake.cloudwatch_agent_version", "bake.base_image_parameter",
           "load_balancer.ssl_policy", "artifacts.bucket", "ci.plan_role", "ci.apply_role", "ci.bake_role",
           "ci.deploy_role", "ci.state_bucket", "ci.state_key", "simulator.listen"]
PORTS = ["application.port", "load_balancer.http_port", "load_balancer.https_port"]

SHAPES = {
    "a region": re.compile(r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov)?-(?:north|south|east|west|central)+-[1-9]\b"),
    "an instance type": re.compile(r"\b(?:[tmcrx][0-9][a-z]{0,3})\.(?:nano|micro|small|medium|[0-9]*x?large)\b"),
    "an account": re.compile(r"\b[0-9]{12}\b"),
}
BY_ENDING = {
    ".cc": {"a duration": re.compile(r"\b(?:milliseconds|seconds|minutes|hours)\(\d|\b\d+ \* k(?:Milliseco|Seco)nd|k(?:Milliseco|Seco)nd \* \d"
                                     r"|\b\d+(?:ms|s|min|h)\b")},
    ".hcl": {"a number": re.compile(r"(?<![\w.\"$-])(?:[2-9]|\d{2,})(?![\w.-])"), "a duration": re.compile(r"\"\d+(?:ms|s|m|h)\"")},
    ".sh": {"a duration": re.compile(r"(?:\b(?:sleep|timeout)|--max-time|--connect-timeout)[ =]\"?\d")},
    ".py": {"a duration": re.compile(r"\b\w*(?:SECONDS|MINUTES|TIMEOUT)\w* = \d|\btimeout=\d|\bsleep\(\d")},
}
BY_ENDING[".h"] = BY_ENDING[".cc"]
BY_ENDING[".tf"] = BY_ENDING[".hcl"]
ALLOWED_NUMBERS = {"2", "100"}  # twice, halves, and percentages of the whole

COMMENT = {".cc": "//", ".h": "//", ".tf": "#", ".hcl": "#", ".sh": "#", ".yml": "#", ".yaml": "#", "": "#"}


def lookup(settings, key):
    for part in key.split("."):
        settings = settings[part]
    return settings


def stray_values():
    """[(key, pattern)] of the texts and ports of all environments."""
    found = {}
    for environment in ENVIRONMENTS:
        settings = json.loads(settings_for("terraform", environment))
        for key in TELLING:
            text = lookup(settings, key)
            if isinstance(text, str) and len(text) > 3:
                found[f"{key} of {environment}"] = re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])")
        for key in PORTS:
            found[f"{key} of {environment}"] = re.compile(rf"(?<![\w.-]){lookup(settings, key)}(?![\w.-])")
    return found


def files():
    for place in PLACES:
        path = harness.ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []:
            name = str(file.relative_to(harness.ROOT))
            if file.is_file() and not file.is_symlink() and not LEFT_OUT.search(name) and ".terraform/" not in name:
                yield name, file


def without_comment(line, ending):
    """The line as far as it is code: what follows a comment sign outside quotes is not."""
    sign, quoted = COMMENT.get(ending, "#"), False
    for at, letter in enumerate(line):
        if letter == '"' and (at == 0 or line[at - 1] != "\\"):
            quoted = not quoted
        elif not quoted and line.startswith(sign, at) and (sign != "#" or at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def ending_of(name, text):
    """".sh" of a script without one, by its first line."""
    ending = re.search(r"(\.\w+)?$", name).group(0)
    script = re.match(r"#!.*\b(bash|sh|python3)\b", text)
    return ending or ({"python3": ".py"}.get(script.group(1), ".sh") if script else "")


def strays(name, text, values):
    ending = ending_of(name, text)
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        marked = MARK in line or MARK in before
        before = line
        if marked:
            continue
        code = without_comment(line, ending)
        shapes = {} if TIMED_BY_ITSELF.search(name) else BY_ENDING.get(ending, {})
        for what, pattern in {**values, **SHAPES, **shapes}.items():
            looked_at = re.sub(r"\"(?:[^\"\\]|\\.)*\"", '""', code) if what == "a number" else code
            for match in pattern.finditer(looked_at):
                if what != "a number" or match.group(0) not in ALLOWED_NUMBERS:
                    yield f"{name}:{number}: {what}: {match.group(0).strip()}"


class Strays(harness.TestCase):
    def test_no_value_of_the_deployment_stands_outside_its_settings(self):
        values, found, looked_at = stray_values(), [], 0
        for name, file in files():
            try:
                text = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            looked_at += 1
            found += strays(name, text, values)
        self.assertGreater(looked_at, 10)
        self.assertEqual(found, [], f"move these to deploy/settings, or say why not: `{MARK} REASON`")

    def test_a_variable_of_terraform_has_no_value_of_its_own(self):
        """Their files are left out above, since they say ranges and examples; so a default there would be a second place."""
        found = []
        for path in sorted((harness.ROOT / "terraform").rglob("variables.tf")):
            name = str(path.relative_to(harness.ROOT))
            if ".terraform/" not in name and "examples/" not in name:
                found += [f"{name}: {line.strip()}" for line in path.read_text(encoding="utf-8").splitlines()
                          if re.match(r" +default +=", line)]
        self.assertEqual(found, [])

    def test_what_the_documents_say_of_an_environment_is_so(self):
        for name, words, environment, key, form in SAID:
            with self.subTest(words):
                value = lookup(json.loads(settings_for("terraform", environment)), key)
                said = f"{value / 60:g}" if form == "{:minutes}" else form.format(value)
                self.assertIn(words.format(said), (harness.ROOT / name).read_text(encoding="utf-8"))

    def test_every_setting_that_the_documents_name_is_one(self):
        settings = json.loads(settings_for("terraform", "production"))
        for name in ("docs/deploy.md", "docs/image.md", "docs/runbook.md", "docs/security.md", "terraform/README.md"):
            for key in re.findall(rf"`((?:{'|'.join(one for one in settings if isinstance(settings[one], dict))})\.[a-z_]+(?:\.[a-z_]+)?)[`:]",
                                  (harness.ROOT / name).read_text(encoding="utf-8")):
                with self.subTest(name, key=key):
                    lookup(settings, key)

    def test_a_stray_is_found(self):
        values = stray_values()
        for name, line in [("terraform/x.tf", "  port = 8080"), ("terraform/x.tf", 'region = "eu-west-1"'),
                           ("terraform/x.tf", "  interval = 5"), ("deploy/x.cc", "wait(std::chrono::seconds(5));"),
                           ("deploy/x.cc", "const Duration limit = 30 * kSecond;"), ("packer/x.pkr.hcl", 'ssh_timeout = "5m"'),
                           ("packer/install.sh", "sleep 5"), ("packer/selftest", "#!/usr/bin/env bash\ncurl --max-time 2"),
                           ("packer/bundle", "#!/usr/bin/env python3\nSTART_SECONDS = 30"), (".github/workflows/x.yml", "    region: us-east-1"),
                           ("terraform/x.tf", 'type = "t3.micro"'), ("ci/run", "aws iam get-role round-robin-production-plan"),
                           ("terraform/x.tf", "cidr = 443"), ("packer/x.pkr.hcl", 'x = "1.300072.0b1766"')]:
            with self.subTest(line=line):
                self.assertNotEqual(list(strays(name, line, values)), [])
                self.assertEqual(list(strays(name, f"# {MARK} it is a test\n{line}", values)), [])

    def test_what_is_none_is_left_alone(self):
        for name, line in [("terraform/x.tf", "# port 8080 is an example"), ("terraform/x.tf", "count = 1"),
                           ("terraform/x.tf", '  Version = "2012-10-17"'), ("deploy/x.cc", "int count = 5;"),
                           ("deploy/x.cc", 'fmt::print("http://{}", host);')]:
            with self.subTest(line=line):
                self.assertEqual(list(strays(name, line, stray_values())), [])


if __name__ == "__main__":
    unittest.main()
