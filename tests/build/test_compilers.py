"""A run in virtual time goes the same way whatever compiled it.

The balancer's decisions, the control plane, the virtual world and the swarm are compiled by each compiler that is here (and by
nothing else of the build: some eighty files), with another optimisation for each; every one of them, and the rr-sim under test,
must come to the same digest of the journal for the same seed.
"""

import concurrent.futures
import glob
import os
import re
import shutil
import unittest

import harness

SEEDS = 12
# Names to look for, and an optimisation each: a digest must not hang on that either.
COMPILERS = [("g++", "-O0"), ("clang++", "-O1")]
SOURCES = ["lb/base/*.cc", "lb/policy/*.cc", "sim/cloud/*.cc", "sim/telemetry/*.cc", "sim/virtual/*.cc", "sim/swarm/*.cc", "sim/world/fault.cc"]
MAIN = """
#include <cinttypes>
#include <cstdio>

#include "sim/swarm/swarm.h"

int main() {
  for (std::uint64_t seed = 1; seed <= %d; ++seed) std::printf("%%016" PRIx64 "\\n", rr::sim::run_seed(seed).digest);
}
"""


class Compilers(harness.TestCase):
    def build(self, compiler, optimisation):
        """The program, compiled as CMake would, two files at a time."""
        folder = self.folder / os.path.basename(compiler)
        folder.mkdir()
        (folder / "main.cc").write_text(MAIN % SEEDS)
        sources = sorted(file for pattern in SOURCES for file in glob.glob(str(harness.ROOT / pattern)))
        sources.append(str(folder / "main.cc"))
        launcher = [shutil.which("ccache")] if shutil.which("ccache") else []

        def compile_one(source):
            object_file = folder / (re.sub(r"\W", "_", source) + ".o")
            done = self.run_program(*launcher, compiler, "-std=c++20", optimisation, "-ffp-contract=off", "-pthread", "-I",
                                    str(harness.ROOT), "-c", source, "-o", str(object_file), timeout=600)
            self.assertEqual(done.returncode, 0, done)
            return str(object_file)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(compile_one, sources))
        program = folder / "digests"
        done = self.run_program(compiler, *objects, "-o", str(program), "-lfmt", "-lre2", "-pthread", timeout=120)
        self.assertEqual(done.returncode, 0, done)
        return str(program)

    def test_every_compiler_comes_to_the_same_digests(self):
        if not harness.long_run():
            harness.skip("compiles for minutes: ./check --all")
        missing = [name for name, _ in COMPILERS if shutil.which(name) is None]
        if missing:
            harness.skip(f"no {' and no '.join(missing)} here")
        digests = {}
        for name, optimisation in COMPILERS:
            done = self.run_program(self.build(name, optimisation), timeout=600)
            self.assertEqual(done.returncode, 0, done)
            digests[f"{name} {optimisation}"] = done.stdout.split()
        replayed = [self.run_program("rr-sim", "replay", str(seed), timeout=600).stdout for seed in range(1, SEEDS + 1)]
        digests["rr-sim"] = re.findall(r"digest ([0-9a-f]{16})", "".join(replayed))
        self.assertEqual(len(set(digests["rr-sim"])), SEEDS, digests)
        for who, found in digests.items():
            self.assertEqual(found, digests["rr-sim"], who)


if __name__ == "__main__":
    unittest.main()
