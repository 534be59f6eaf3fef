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
# Made from the settings, about them, or an example of them; tests state their own values; prose may show an example; an AWS client's patience
# (deploy/aws) is no deployment's.
LEFT_OUT = re.compile(r"^deploy/settings/|^deploy/aws/|^terraform/examples/.*\.yaml$|(^|/)variables\.tf$|\.tftest\.hcl$|\.lock\.hcl$|\.md$|(^|/)CMakeLists\.txt$|(^|/)testdata/")
MARK = "not a setting:"
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
        for what, pattern in {**values, **SHAPES, **BY_ENDING.get(ending, {})}.items():
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
