"""./soak itself, small: that it comes to a verdict, that it notices what it is there to notice, and that Ctrl-C ends it.

The soak proper takes minutes and is a command of its own. Its judge is what is tested here: with a load balancer that does
its work it says so, with one whose count is not the clients' it fails.
"""

import os
import re
import signal
import sys
import unittest

import harness

SOAK = str(harness.ROOT / "tests" / "soak" / "soak.py")


class Soak(harness.TestCase):
    alone = True

    def environment(self, added=None):
        return {**super().environment(added), "RR_BIN": str(harness.bin_folder())}

    def test_a_small_one_passes_and_counts_every_request(self):
        finished = self.run_program(sys.executable, SOAK, "--requests", "8000", "--connections", "16", timeout=120)
        self.assertEqual(finished.returncode, 0, finished)
        clients = int(re.search(r"^clients: sent=(\d+) ", finished.stdout, re.MULTILINE).group(1))
        balancer = int(re.search(r"^rr-lb: +requests=(\d+) ", finished.stdout, re.MULTILINE).group(1))
        self.assertEqual((clients, balancer), (8000, 8000))
        self.assertTrue(finished.stdout.endswith("soak: all 8000 requests answered or accounted for, no wrong answer\n"))
        self.assert_no_process_left()

    def test_somebody_elses_request_is_noticed(self):
        # A client that the soak knows nothing of asks once: the two counts differ by one, and the verdict is no.
        soak = self.start(sys.executable, SOAK, "--requests", "20000", "--connections", "8", name="soak")
        found = harness.eventually(lambda: [(pid, line) for pid, line in harness.marked_processes(self.mark) if "rr-lb --config" in line],
                                   "rr-lb runs")
        def listeners():
            sockets = {int(one[8:-1]) for one in harness.open_descriptors(found[0][0]).values() if one.startswith("socket:[")}
            with open("/proc/net/tcp", encoding="ascii") as file:
                rows = [line.split() for line in file.readlines()[1:]]
            return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and int(row[9]) in sockets]
        ports = harness.eventually(lambda: (lambda all_ports: all_ports if len(all_ports) == 2 else None)(listeners()), "it listens")
        for port in ports:  # one of them is the admin interface, which does not know this path
            harness.fetch(f"127.0.0.1:{port}", "/somebody-else")
        self.assertEqual(soak.wait(120), 1)
        self.assertIn("FAILED: rr-lb counted 20001 requests", soak.text("stdout"))
        self.assert_no_process_left()

    def test_an_interrupt_ends_everything(self):
        soak = self.start(sys.executable, SOAK, "--requests", "100000000", name="soak")
        harness.eventually(lambda: any("soak_peer load" in line for _, line in harness.marked_processes(self.mark)), "the load runs")
        os.kill(soak.pid, signal.SIGINT)
        self.assertEqual(soak.wait(30), 130)
        self.assertIn("interrupted", soak.text("stdout"))
        self.assert_no_process_left()


if __name__ == "__main__":
    unittest.main()
