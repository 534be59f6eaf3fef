"""The floors are kept by the build: a forbidden include stops it and names the rule.

Each test writes a small tree with the repository's own include table and one offending (or innocent) file, and runs the
same script that the build runs before it compiles a folder.
"""

import pathlib
import re
import shutil
import subprocess
import unittest

import harness


class IncludeCheck(harness.TestCase):
    def check(self, path, text):
        """Writes one file into a fresh tree and checks its folder; returns (passed, message on one line)."""
        (self.folder / "docs").mkdir(exist_ok=True)
        shutil.copy(harness.ROOT / "docs/architecture.md", self.folder / "docs/architecture.md")
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        done = subprocess.run(["cmake", f"-DROOT={self.folder}", f"-DFOLDER={file.parent.relative_to(self.folder)}",
                               f"-DSTAMP={self.folder}/stamp", "-P", str(harness.ROOT / "cmake/CheckIncludes.cmake")],
                              capture_output=True, text=True, check=False)
        self.assertEqual((self.folder / "stamp").exists(), done.returncode == 0)
        file.unlink()
        (self.folder / "stamp").unlink(missing_ok=True)
        return done.returncode == 0, re.sub(r"\s+", " ", done.stderr)

    def test_an_include_that_points_up_is_refused_with_file_line_and_row(self):
        passed, message = self.check("lb/policy/foo.cc", '#include "lb/policy/foo.h"\n\n#include "lb/net/loop.h"\n')
        self.assertFalse(passed)
        self.assertIn("lb/policy/foo.cc:3: includes lb/net/loop.h, but lb/policy may include only lb/base", message)
        self.assertIn("(docs/architecture.md, include table, row lb/policy)", message)

    def test_what_may_not_be_included(self):
        for path, line, why in [
            ("lb/base/a.h", '#include "lb/policy/settings.h"', "may include only nothing else of ours"),
            ("lb/http/a.cc", '#include "lb/net/stream.h"', "may include only lb/base"),
            ("lb/http/a.cc", '#include "lb/policy/balancer.h"', "may include only lb/base"),
            ("lb/proxy/a.cc", '#include "sim/cloud/model.h"', "lb/proxy may include only"),
            ("lb/proxy/a.cc", "#include <uv.h>", "which lb/proxy may not use"),
            ("sim/world/a.cc", "#  include <uv.h>", "which sim/world may not use"),
            ("lb/proxy/a.cc", "#include <llhttp.h>", "which lb/proxy may not use"),
            ("lb/policy/a.cc", "#include <nlohmann/json.hpp>", "which lb/policy may not use"),
            ("lb/proxy/a.h", "#include <nlohmann/json.hpp>", "nlohmann/json_fwd.hpp"),
            ("webapp/app/a.cc", '#include "lb/net/stream.h"', "webapp/app may include only lb/base, lb/http"),
            ("webapp/main.cc", '#include "lb/proxy/exchange.h"', "webapp may include only"),
            ("sim/cloud/a.cc", '#include "sim/world/world.h"', "sim/cloud may include only lb/base, lb/policy"),
            ("sim/cloud/a.cc", "#include <thread>", "threads belong to the world"),
            ("sim/cloud/a.cc", "#include <random>", "chance is an argument"),
            ("lb/policy/a.cc", "#include <sys/socket.h>", "system calls belong to the world"),
            ("lb/policy/a.cc", "auto t = std::chrono::steady_clock::now();", "time is an argument"),
            ("lb/policy/a.cc", 'auto t = std::getenv("HOME");', "the environment is read in main"),
            ("lb/policy/a.cc", "int x = std::rand ();", "chance is an argument"),
            ("lb/policy/a.cc", '#include "settings.h"', "write the path from the root of the repository"),
            ("sim/novel/a.cc", "#include <vector>", "sim/novel has 0 rows in the include table"),
        ]:
            with self.subTest(path=path, line=line):
                passed, message = self.check(path, line + "\n")
                self.assertFalse(passed)
                self.assertIn(why, message)

    def test_what_may_be_included(self):
        for path, line in [
            ("lb/base/a.h", "#include <fmt/format.h>"),
            ("lb/policy/a.cc", '#include "lb/base/time.h"'),
            ("lb/policy/a.cc", '#include "lb/policy/balancer.h"'),
            ("lb/policy/a.cc", "// steady_clock::now() is not called here: the time is an argument"),
            ("lb/net/a.h", "#include <uv.h>"),
            ("lb/proxy/a.cc", "#include <nlohmann/json.hpp>"),
            ("lb/proxy/a.h", "#include <nlohmann/json_fwd.hpp>"),
            ("lb/main.cc", '#include "rr_version.h"'),
            ("lb/main.cc", "#include <boost/program_options.hpp>"),
            ("sim/scenario/a.cc", '#include "sim/world/world.h"'),
            ("lb/net/a.cc", "#include <sys/socket.h>"),
        ]:
            with self.subTest(path=path, line=line):
                passed, message = self.check(path, line + "\n")
                self.assertTrue(passed, message)

    def test_every_folder_with_sources_has_a_row_and_passes(self):
        folders = {path.parent.relative_to(harness.ROOT) for top in ("lb", "webapp", "sim", "deploy")
                   for path in (harness.ROOT / top).rglob("*") if path.suffix in (".h", ".cc")}
        self.assertIn(pathlib.Path("lb/base"), folders)
        for folder in sorted(folders):
            with self.subTest(folder=str(folder)):
                done = subprocess.run(["cmake", f"-DROOT={harness.ROOT}", f"-DFOLDER={folder}",
                                       f"-DSTAMP={self.folder}/stamp", "-P",
                                       str(harness.ROOT / "cmake/CheckIncludes.cmake")],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
