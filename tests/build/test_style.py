"""Formatting and scripts, with the tools that judge them. Only in ./check --all, and only where the tools are: another
version of clang-format formats some lines differently, so the version that the repository was formatted with decides.
"""

import re
import subprocess
import unittest

import harness

CLANG_FORMAT = 14
SCRIPTS = ["check", "demo", "fuzz", "peers", "soak", ".ci/run", "tools/setup", "tools/build", "tools/peers", "tools/cleanroom",
           "ci/run", "ci/tools", "packer/bake", "packer/files/install", "packer/files/selftest",
           "packer/files/cloudwatch-agent"]


class Style(harness.TestCase):
    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all")

    def test_sources_are_formatted(self):
        program = harness.need_command("clang-format")
        version = re.search(r"version (\d+)", subprocess.run([program, "--version"], capture_output=True, text=True,
                                                             check=True).stdout).group(1)
        if int(version) != CLANG_FORMAT:
            harness.skip(f"clang-format {version} is not {CLANG_FORMAT}, which the sources are formatted with")
        files = [str(path) for top in ("lb", "webapp", "sim", "deploy", "bench", "tests") for path in sorted((harness.ROOT / top).rglob("*"))
                 if path.suffix in (".h", ".cc")]
        done = subprocess.run([program, "--dry-run", "--Werror", "--ferror-limit=1", *files], capture_output=True, text=True,
                              check=False)
        wrong = sorted(set(re.findall(rf"^{harness.ROOT}/(\S+?):\d+", done.stderr, re.MULTILINE)))
        self.assertEqual(wrong, [], "clang-format -i these")

    def test_scripts_pass_shellcheck(self):
        program = harness.need_command("shellcheck")
        done = subprocess.run([program, "--severity=warning", *[str(harness.ROOT / name) for name in SCRIPTS]],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
