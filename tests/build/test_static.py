"""rr-webapp as one file: what is baked must run where no library of this machine is.

Amazon Linux 2023 has glibc 2.34 and an older libstdc++ than the build machine. So the program links everything; and since
glibc's getaddrinfo loads libraries at run time even then, it must not be in it. Built by the preset `static`, which takes
a minute: only in ./check --all.
"""

import re
import shutil
import subprocess
import unittest

import harness


def tool(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


class Static(harness.TestCase):
    alone = True

    @classmethod
    def setUpClass(cls):
        if not harness.long_run():
            harness.skip("only in ./check --all")
        done = subprocess.run([str(harness.ROOT / "tools/build"), "static", "rr-webapp"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.program = harness.ROOT / "build/static/bin/rr-webapp"

    def test_it_needs_no_library_and_no_loader(self):
        harness.need_command("readelf", "binutils")
        headers = tool("readelf", "--program-headers", "--wide", self.program)
        self.assertNotIn("INTERP", headers)
        self.assertNotIn("NEEDED", tool("readelf", "--dynamic", "--wide", self.program))
        # No symbol of any version of glibc has to be found at run time.
        self.assertEqual(re.findall(r"GLIBC_\S+", tool("objdump", "-T", self.program)), [])

    def test_it_looks_up_no_names(self):
        harness.need_command("nm", "binutils")
        names = {line.split()[-1] for line in tool("nm", self.program).splitlines()}
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_r", "getnameinfo", "uv_getaddrinfo"):
            self.assertNotIn(name, names)
        self.assertEqual([name for name in names if name.startswith("__nss_")], [])  # what loads libraries for lookups
        self.assertIn("main", names)  # so it has symbols to look at

    def test_it_is_placed_anywhere_in_memory(self):
        self.assertIn("DYN", re.search(r"Type:\s+(\w+)", tool("readelf", "--file-header", self.program)).group(1))

    def test_it_serves_where_there_is_nothing_else(self):
        """In a root folder that holds nothing but the program."""
        harness.need_command("unshare", "util-linux")
        root = self.folder / "root"
        root.mkdir()
        shutil.copy(self.program, root)
        done = self.run_program("unshare", "--map-root-user", "--root", root, "/rr-webapp", "--selftest", "--commit",
                                "814d129", "--build", "28")
        if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
            harness.skip("user namespaces are not allowed here")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("self-test passed: commit 814d129, build 28", done.stderr)


if __name__ == "__main__":
    unittest.main()
