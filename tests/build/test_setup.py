"""./check, ./demo and their set-up, as somebody meets them who lacks something or mistypes.

A machine that lacks packages is imitated by a PATH that holds only what a minimal system has; nothing is ever installed
here (tools/cleanroom does that, in a fresh system of its own).
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

import harness

# What a minimal Debian has, as far as the scripts use it. No compiler, no CMake.
MINIMAL = ["bash", "env", "id", "sed", "cat", "dirname", "mkdir", "mktemp", "rm", "nproc"]


class SetUp(harness.TestCase):
    def minimal_path(self, *more):
        folder = self.folder / "bin"
        folder.mkdir()
        for name in [*MINIMAL, *more]:
            path = shutil.which(name)
            self.assertIsNotNone(path, name)
            (folder / name).symlink_to(path)
        return str(folder)

    def fake(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def script(self, *command, path=None):
        environment = {"PATH": path} if path else None
        return self.run_program(shutil.which("bash"), str(harness.ROOT / command[0]), *command[1:], environment=environment)

    def test_it_only_looks_when_everything_is_there(self):
        began = time.monotonic()
        finished = self.script("tools/setup", "--for", "demo")
        self.assertEqual((finished.returncode, finished.stdout, finished.stderr), (0, "", ""))
        self.assertLess(time.monotonic() - began, harness.scaled(0.3))

    def test_without_installing_it_says_what_and_why_and_prints_the_command(self):
        path = self.minimal_path()
        self.fake("apt-get", "exit 1")
        self.fake("apt-cache", "exit 0")
        for script in ("tools/setup", "check", "demo"):
            with self.subTest(script=script):
                finished = self.script(script, "--no-install", path=path)
                self.assertEqual(finished.returncode, 3, finished)
                self.assertRegex(finished.stderr, r"(?m)^  cmake +configures the build$")
                self.assertRegex(finished.stderr, r"apt-get update && .*apt-get install --no-install-recommends g\+\+ cmake")

    def test_it_says_what_and_why_before_it_installs_and_stops_when_that_failed(self):
        path = self.minimal_path()
        self.fake("apt-get", 'echo "APT $*"; [ "$1" = update ]')
        self.fake("apt-cache", "exit 0")
        self.fake("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
        finished = self.script("tools/setup", path=path)
        self.assertEqual(finished.returncode, 3, finished)
        said, ran = finished.stderr.find("the compiler"), finished.stderr.find("APT install")
        self.assertTrue(0 <= said < ran, finished)

    def test_what_some_tests_skip_without_is_tried_and_never_missed(self):
        """Everything that is needed is there; the rest is asked of apt, once each, and its failure is no failure."""
        path = self.minimal_path()
        self.fake("apt-get", 'echo "APT $*" >>"${0%/*}/calls"; [ "$1" = update ]')
        self.fake("sudo", 'shift; exec "$@"')
        text = (harness.ROOT / "tools/setup").read_text()
        (self.folder / "setup").write_text(text.replace("\nlook\nif ((", "\npackages=()\nif (("))  # as where nothing is needed
        finished = self.run_program(shutil.which("bash"), self.folder / "setup", "--for", "all", environment={"PATH": path})
        self.assertEqual(finished.returncode, 0, finished)
        self.assertIn("packer could not be installed; its tests will skip", finished.stderr)
        calls = (self.folder / "bin/calls").read_text().splitlines()
        self.assertEqual(calls[0], "APT update -qq")
        self.assertIn("APT install -y -qq --no-install-recommends dropbear-bin", calls)
        self.assertEqual(len(set(calls)), len(calls))

    def test_without_apt_it_lists_what_is_needed(self):
        finished = self.script("tools/setup", path=self.minimal_path())
        self.assertEqual(finished.returncode, 3, finished)
        self.assertIn("not a distribution with apt", finished.stderr)

    def test_peers_that_are_missing_are_named_with_the_command_that_fetches_them(self):
        if any(os.access(f"/usr/sbin/{name}", os.X_OK) for name in ("nginx", "haproxy")):
            harness.skip("nginx or HAProxy is installed here")
        path = self.minimal_path("dpkg-deb")
        self.fake("apt-get", 'echo "Inst nginx (1.22 Debian)"; echo "Inst liblua5.3-0 (5.3.6-2 Debian)"')
        # It looks below its own build/ too, where a peer may have been unpacked: a copy of its own has none.
        (self.folder / "tools").mkdir()
        shutil.copy(harness.ROOT / "tools" / "peers", self.folder / "tools" / "peers")
        finished = self.run_program(shutil.which("bash"), str(self.folder / "tools" / "peers"), "--no-install",
                                    environment={"PATH": path})
        self.assertEqual(finished.returncode, 3, finished)
        self.assertIn("Missing: nginx haproxy.", finished.stderr)
        self.assertIn("  apt-get download nginx liblua5.3-0\n", finished.stderr)
        # The load generators are only missed by who needs them, and h2load is in a package of another name.
        self.fake("apt-get", 'echo "$*" >>"${0%/*}/calls"; echo "Inst nginx (1.22 Debian)"')
        finished = self.run_program(shutil.which("bash"), str(self.folder / "tools" / "peers"), "--for", "bench", "--no-install",
                                    environment={"PATH": path})
        self.assertIn("Missing: nginx haproxy wrk h2load.", finished.stderr)
        self.assertIn("nginx haproxy wrk nghttp2-client", (self.folder / "bin/calls").read_text())

    def test_which_package_has_the_parser_is_asked_of_the_release(self):
        path = self.minimal_path()
        self.fake("apt-get", "exit 0")
        for package in ("libllhttp-dev", "node-llhttp"):
            self.fake("apt-cache", f'[ "$3" = {package} ] && echo "{package}:" && echo "  Candidate: 8.1.0"')
            # has_llhttp looks at files that may be here: the function is asked by itself.
            probe = subprocess.run(["bash", "-c", f"source <(sed -n '/^llhttp_package/,/^}}/p' {harness.ROOT}/tools/setup);"
                                                  "llhttp_package"],
                                   capture_output=True, text=True, check=False, env={"PATH": path})
            self.assertEqual(probe.stdout.strip(), package)

    def test_wrong_flags_are_named_in_one_line(self):
        self.assert_usage_error(self.script("check", "--al"), "--al", "--all")
        self.assert_usage_error(self.script("check", "one", "two"), "one", "two")
        self.assert_usage_error(self.script("fuzz", "--second", "5"), "--second", "--seconds")
        self.assert_usage_error(self.script("fuzz", "--seconds", "soon"), "soon", "a number")
        self.assert_usage_error(self.script("soak", "--requests", "many"), "many", "a whole number")
        self.assert_usage_error(self.script("soak", "--request", "5"), "--request", "--requests")
        self.assert_usage_error(self.script("peers", "--case", "x"), "--case", "--cases")
        self.assert_usage_error(self.script("peers", "--preset", "lunch"), "lunch", "dev or asan")
        self.assert_usage_error(self.script("fuzz", "lunch"), "lunch", "request_parser")
        self.assert_usage_error(self.script("tools/peers", "--frob"), "--frob", "--no-install")
        self.assert_usage_error(self.script("tools/peers", "--for", "lunch"), "lunch", "peers or bench")
        self.assert_usage_error(self.script("tools/setup", "--frob"), "--frob")
        self.assert_usage_error(self.script("tools/setup", "--for", "lunch"), "lunch", "demo, check, all, fuzz or bench")

    def test_help_has_examples(self):
        for script in ("check", "demo", "fuzz", "peers", "soak"):
            finished = self.script(script, "--help")
            self.assertEqual(finished.returncode, 0)
            self.assertIn("Examples:", finished.stdout)

    def test_help_fits_a_terminal_and_begins_with_the_usage(self):
        for script in ("check", "demo", "fuzz", "peers", "soak", "bench/run", "ci/run", "ci/tools",
                       *(f"tools/{file.name}" for file in sorted((harness.ROOT / "tools").iterdir()))):
            with self.subTest(script):
                finished = self.run_program(str(harness.ROOT / script), "--help")
                self.assertEqual((finished.returncode, finished.stderr), (0, ""))
                lines = finished.stdout.splitlines()
                self.assertTrue(lines[0].startswith("usage: "), lines[0])
                self.assertLessEqual(max(map(len, lines)), 80, finished.stdout)
                self.assertGreater(len(lines), 5)
                self.assertNotIn("set -", finished.stdout)

    def test_a_preset_that_is_none_builds_nothing(self):
        for words in (["lunch"], ["--frob"], []):
            self.assert_usage_error(self.script("tools/build", *words), *words, "must be dev, release, static, asan, tsan or fuzz")
        self.assertFalse((harness.ROOT / "build" / "lunch").exists())


class Counting(harness.TestCase):
    def tally(self, **suites):
        for name, content in suites.items():
            (self.folder / f"{name}.json").write_text(content)
        return self.run_program(sys.executable, str(harness.ROOT / "tests/tally.py"), str(self.folder))

    @staticmethod
    def results(*outcomes):
        return json.dumps({"tests": [{"name": f"t{index}", "outcome": outcome, "note": "needs a moon"}
                                     for index, outcome in enumerate(outcomes)]})

    def test_the_last_line_counts_all_suites(self):
        finished = self.tally(a=self.results("passed", "passed"), b=self.results("passed"))
        self.assertEqual((finished.returncode, finished.stdout.splitlines()[-1]), (0, "3 passed, 0 failed"))

    def test_skips_are_counted_and_listed_with_their_reason(self):
        finished = self.tally(a=self.results("passed", "skipped", "skipped"))
        self.assertEqual(finished.stdout.splitlines()[-1], "1 passed, 0 failed, 2 skipped")
        self.assertIn("needs a moon: t1 and 1 more", finished.stdout)

    def test_one_failure_fails(self):
        finished = self.tally(a=self.results("passed", "failed"))
        self.assertEqual((finished.returncode, finished.stdout.splitlines()[-1]), (1, "1 passed, 1 failed"))

    def test_a_suite_that_left_nothing_readable_is_a_failure(self):
        finished = self.tally(a=self.results("passed"), b="no results")
        self.assertEqual((finished.returncode, finished.stdout.splitlines()[-1]), (1, "1 passed, 1 failed"))

    def test_nothing_run_is_a_failure(self):
        finished = self.tally()
        self.assertEqual((finished.returncode, finished.stdout.splitlines()[-1]), (1, "0 passed, 0 failed"))


class UnitRunner(harness.TestCase):
    """tests/units.py against a stand-in for a GoogleTest program."""

    PROGRAM = """#!/bin/sh
for argument; do
  case $argument in
    --gtest_list_tests) printf 'Suite.\\n  One\\n  Two\\n'; exit 0 ;;
    --gtest_output=json:*) file=${argument#--gtest_output=json:} ;;
  esac
done
%s
"""
    REPORT = """cat >$file <<'END'
{"testsuites": [{"name": "Suite", "testsuite": [
  {"name": "One", "status": "RUN", "result": "COMPLETED", "time": "0.1s"},
  {"name": "Two", "status": "RUN", "result": "COMPLETED", "time": "0s"%s}]}]}
END
"""

    def units(self, body, *arguments):
        program = pathlib.Path(self.folder, "test_stand_in")
        program.write_text(self.PROGRAM % body)
        os.chmod(program, 0o755)
        return self.run_program(sys.executable, str(harness.ROOT / "tests/units.py"), "--bin", str(self.folder), *arguments)

    def test_passes_are_counted(self):
        finished = self.units(self.REPORT % "")
        self.assertEqual(finished.returncode, 0, finished)
        self.assertRegex(finished.stdout.splitlines()[-1], "^2 passed, 0 failed, 0 skipped")

    def test_a_failure_is_shown_with_its_message(self):
        finished = self.units(self.REPORT % ', "failures": [{"failure": "seven is not eight"}]' + "exit 1")
        self.assertEqual(finished.returncode, 1)
        self.assertIn("seven is not eight", finished.stdout)
        self.assertRegex(finished.stdout.splitlines()[-1], "^1 passed, 1 failed")

    def test_a_crash_is_a_failure_named_after_the_running_test(self):
        finished = self.units("echo '[ RUN      ] Suite.Two'; kill -SEGV $$")
        self.assertEqual(finished.returncode, 1)
        self.assertIn("FAILED units/test_stand_in/Suite.Two", finished.stdout)

    def test_a_leak_found_after_passing_tests_is_a_failure(self):
        finished = self.units(self.REPORT % "" + "echo 'LeakSanitizer: detected memory leaks'; exit 23")
        self.assertEqual(finished.returncode, 1)
        self.assertIn("LeakSanitizer", finished.stdout)

    def test_a_pattern_without_a_match_runs_nothing_and_fails(self):
        finished = self.units(self.REPORT % "", "Nowhere")
        self.assertEqual((finished.returncode, finished.stdout.splitlines()[-1][:8]), (1, "0 passed"))


if __name__ == "__main__":
    unittest.main()
