"""What leaves the build: an installed tree, a .deb and a tar.gz, and a message when a package is missing.

The packages are made with CPack from the build folder whose programs the other tests use, unpacked into a temporary
folder, and each program in them is run once: a library that was forgotten, or a version that differs from the file
VERSION, shows there.
"""

import os
import re
import subprocess
import unittest

import harness

VERSION = (harness.ROOT / "VERSION").read_text().strip()
PROGRAMS = ["rr-deploy", "rr-keeper", "rr-lb", "rr-relay", "rr-sim", "rr-webapp"]


def tool(*command, cwd=None):
    """Runs a build tool, with its output in the message when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(str(part) for part in command)}: exit {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


class Packages(harness.TestCase):
    alone = True  # CPack brings the build folder up to date first

    def setUp(self):
        super().setUp()
        self.build = harness.bin_folder().parent
        if harness.sanitizer():
            harness.skip("sanitizer builds are not packaged")

    def assert_programs_run(self, folder):
        self.assertEqual(sorted(path.name for path in folder.iterdir()), sorted(PROGRAMS))
        for name in PROGRAMS:
            finished = self.run_program(str(folder / name), "--version")
            self.assertEqual((finished.returncode, finished.stdout), (0, f"{name} {VERSION}\n"), finished)

    def test_the_deb_unpacks_to_programs_that_run_and_names_its_libraries(self):
        harness.need_command("dpkg-shlibdeps", "dpkg-dev")
        harness.need_command("file", "file")
        tool("cpack", "--config", self.build / "CPackConfig.cmake", "-G", "DEB", "-B", self.folder / "out")
        [package] = (self.folder / "out").glob("*.deb")
        self.assertRegex(package.name, rf"^round-robin_{re.escape(VERSION)}(-1)?_\w+\.deb$")
        fields = tool("dpkg-deb", "--field", package, "Package", "Version", "Depends", "Maintainer")
        self.assertRegex(fields, r"(?m)^Package: round-robin$")
        self.assertRegex(fields, rf"(?m)^Version: {re.escape(VERSION)}")
        self.assertRegex(fields, r"(?m)^Depends: .*libuv1.*$")
        self.assertRegex(fields, r"(?m)^Depends: .*libc6.*$")
        tool("dpkg-deb", "--extract", package, self.folder / "root")
        self.assert_programs_run(self.folder / "root/usr/bin")
        self.assertTrue((self.folder / "root/usr/share/doc/round-robin/LICENSE").exists())

    def test_the_archive_unpacks_to_programs_that_run(self):
        tool("cpack", "--config", self.build / "CPackConfig.cmake", "-G", "TGZ", "-B", self.folder / "out")
        [archive] = (self.folder / "out").glob("*.tar.gz")
        (self.folder / "root").mkdir()
        tool("tar", "-xzf", archive, "-C", self.folder / "root")
        [folder] = (self.folder / "root").glob("**/bin")
        self.assert_programs_run(folder)

    def test_an_installed_tree_runs(self):
        tool("cmake", "--install", self.build, "--prefix", self.folder / "installed")
        self.assert_programs_run(self.folder / "installed/bin")


class Configuring(harness.TestCase):
    def configure(self, *flags):
        # As a user without presets would, with no more than the folder.
        done = subprocess.run(["cmake", "-S", str(harness.ROOT), "-B", str(self.folder / "build"), *flags], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={key: value for key, value in os.environ.items() if key != "HOME"})
        return done.returncode, done.stdout

    def test_the_ordinary_way_configures(self):
        status, output = self.configure()
        self.assertEqual(status, 0, output)
        self.assertTrue((self.folder / "build/CTestTestfile.cmake").exists())

    def test_missing_packages_are_named_at_once_with_their_apt_line(self):
        status, output = self.configure("-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_yaml-cpp=ON")
        self.assertNotEqual(status, 0)
        self.assertRegex(output, r"apt-get install libfmt-dev libyaml-cpp-dev")

    def test_a_missing_parser_is_named_too(self):
        status, output = self.configure("-DRR_FETCH_LLHTTP=OFF", "-DLLHTTP_LIBRARY=LLHTTP_LIBRARY-NOTFOUND",
                                        "-DLLHTTP_INCLUDE=LLHTTP_INCLUDE-NOTFOUND", "-DCMAKE_FIND_ROOT_PATH=/nonexistent",
                                        "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY", "-DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY")
        self.assertNotEqual(status, 0)
        self.assertIn("node-llhttp", output)

    def test_every_preset_is_known_to_cmake(self):
        listed = tool("cmake", "--list-presets", cwd=harness.ROOT)
        for preset in ("dev", "release", "asan", "tsan"):
            self.assertIn(f'"{preset}"', listed)


if __name__ == "__main__":
    unittest.main()
