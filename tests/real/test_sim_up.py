"""A person starts the tier, looks at it, and stops it in every way there is.

In order, by Ctrl-C, twice by Ctrl-C, in the background, with kill -9 from elsewhere: afterwards no process is left, and
a folder that a killed tier left is taken over by the next `up`. Two tiers never share a folder or a port.
"""

import json
import os
import signal
import socket
import stat
import sys
import unittest

import harness
from tier import TierTest

HOLDING_SERVER = """
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            print("holding", flush=True)
            time.sleep(3600)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


class StartAndStop:
    def test_the_url_comes_first_and_the_curl_loop_works(self):
        up = self.up(detached=False)
        first = up.wait_for(r"http://\S+/", stream="stdout").group(0)
        self.assertEqual(up.lines("stdout")[0], first)
        up.wait_for(r"ready: .* 2 instances in service", timeout=30)
        self.assertIn(f"  while true; do curl -s {first}; echo; sleep 1; done", up.lines("stdout"))
        self.assertIn(f"ground  {self.ground}", up.text("stdout"))
        host, commit, build = self.page(first)
        self.assertRegex(host, r"^ip-172-31-\d+-\d+$")
        self.assertEqual((commit, build), ("c" * 40, "1"))
        self.assertEqual(up.stop(signal.SIGINT, timeout=30), 0)
        self.assert_no_process_left()

    def test_status_tells_everything(self):
        self.up()
        status = self.wait_settled()
        self.assertEqual(sorted(self.by_zone(status).values()), [1, 1])
        for one in self.in_service(status):
            self.assertRegex(one["id"], r"^i-[0-9a-f]{17}$")
            self.assertRegex(one["address"], r"^172\.31\.\d+\.\d+:8080$")
            self.assertEqual(one["host_name"], "ip-" + one["address"].split(":")[0].replace(".", "-"))
            self.assertGreater(one["pid"], 0)
            self.assertEqual(one["commit"], "c" * 40)
        self.assertEqual(len(status["nodes"]), 2)
        self.assertTrue(all(node["in_dns"] and node["running"] for node in status["nodes"]))
        self.assertEqual(status["ground"]["kind"], self.ground)
        self.assertRegex(status["images"][0]["id"], r"^ami-[0-9a-f]{17}$")
        # What the speed divides, and what it leaves alone: AWS's number beside ours.
        divided = {row["what"]: row for row in status["speed_divides"]}
        self.assertAlmostEqual(divided["launch"]["seconds"] * 50, divided["launch"]["aws_seconds"], places=2)
        self.assertGreaterEqual(divided["health-check timeout"]["seconds"], 0.25)
        self.assertIn("idle timeout", {row["what"] for row in status["speed_leaves_alone"]})
        text = self.ok("status").stdout
        self.assertTrue(text.startswith(status["url"] + "\n"), text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80, text)
        self.assertNotIn("\x1b", text)

    def test_the_zonal_address_alternates_strictly(self):
        self.up()
        status = self.wait_settled()
        for node in status["nodes"]:
            connection = self.connect(node["zonal"])
            hosts = [connection.get("/").text.split("served from ")[1].split("<")[0] for _ in range(12)]
            self.assertEqual(len(set(hosts)), 2, hosts)
            self.assertTrue(all(a != b for a, b in zip(hosts, hosts[1:])), hosts)

    def test_a_sticky_client_stays_at_one_instance_through_both_nodes(self):
        self.up("--set", "target_group.stickiness.enabled=true")
        status = self.wait_settled()
        kept, hosts = [], set()

        def ask(node):
            answer = self.connect(node["zonal"]).get("/", kept)
            self.assertEqual(answer.status, 200, answer)
            pairs = [line.split(";")[0] for line in answer.all("set-cookie")]
            self.assertEqual([one.split("=")[0] for one in pairs], ["AWSALB", "AWSALBCORS"])
            kept[:] = [("Cookie", "; ".join(pairs))]
            hosts.add(answer.text.split("served from ")[1].split("<")[0])
        for node in status["nodes"] * 4:
            ask(node)
        self.assertEqual(len(hosts), 1, hosts)
        # A node that was started again has the key again.
        killed = status["nodes"][0]
        harness.kill_by_pid(killed["pid"], self.mark)

        def started_again(now):
            node = next(one for one in now["nodes"] if one["name"] == killed["name"])
            return node["running"] and node["pid"] not in (0, killed["pid"]) and now["settled"]
        status = self.wait_status(started_again, "the node runs again")
        for node in status["nodes"] * 4:
            ask(node)
        self.assertEqual(len(hosts), 1, hosts)

    def test_in_the_background_and_down(self):
        done = self.up()
        self.assertTrue(done.stdout.startswith("http://127.0.0.1:"), done)
        self.assertIn("ready:", done.stdout)
        self.assertEqual(harness.curl(self.status()["url"]).status, 200)
        self.assertEqual(stat.S_IMODE(os.stat(self.state + "/control.sock").st_mode), 0o600)
        self.assertEqual(self.ok("down").stdout, "stopped\n")
        self.assert_no_process_left()
        line = self.refused("status", code=3, says=["no tier runs in", self.state, "rr-sim up"])
        self.assertNotIn("killed", line)

    def test_a_second_interrupt_stops_at_once(self):
        # A request that never ends holds the orderly stop up.
        (self.folder / "hold.py").write_text(HOLDING_SERVER)
        up = self.up("--app", f"exec {sys.executable} hold.py", detached=False, cwd=self.folder)
        up.wait_for(r"ready:", timeout=60)
        held = self.connect(self.status()["url"])
        held.request("GET", "/for-ever")
        up.wait_for(r"holding")
        up.send_signal(signal.SIGINT)
        up.wait_for(r"stopping in order")
        up.send_signal(signal.SIGINT)
        self.assertEqual(up.wait(timeout=15), 130)
        self.assert_no_process_left()

    def test_a_second_up_on_the_same_folder_is_refused(self):
        self.up()
        pid = self.rr_sim_pid()
        done = self.run_program(*self.up_command())
        self.assert_usage_error(done, str(pid), "rr-sim up", "rr-sim down --state " + self.state)

    def test_a_port_in_use_is_named_with_its_flag(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            where = "127.0.0.1:%d" % taken.getsockname()[1]
            done = self.run_program("rr-sim", "up", "--state", self.state, "--ground", self.ground, "--listen", where)
            self.assertEqual(done.returncode, 3, done)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done)
            self.assertIn("--listen " + where, done.stderr)
            again = self.run_program("rr-sim", "up", "-d", "--state", self.state, "--ground", self.ground, "--listen", where)
            self.assertEqual(again.returncode, 3, again)
            self.assertIn("--listen " + where, again.stderr)
        self.assert_no_process_left()


class Killed:
    def test_kill_9_leaves_no_process(self):
        up = self.up(detached=False)
        up.wait_for(r"ready:", timeout=30)
        self.assertGreater(len(harness.descendants(up.pid)), 3)
        up.kill()
        self.assert_no_process_left()

    def test_what_a_killed_tier_left_is_taken_over(self):
        self.up()
        before = self.wait_settled()
        self.ok("scale", 3)
        self.wait_status(lambda status: len(self.in_service(status)) == 3, "3 are in service")
        self.kill_rr_sim(before["pid"])
        self.assert_no_process_left(timeout=10)
        self.refused("status", code=3, says=["a killed one is left", "rr-sim up", "rr-sim down"])
        # No flags: it goes on as it was. What was commanded is remembered; what ran is replaced.
        done = self.run_program("rr-sim", "up", "-d", "--state", self.state, timeout=60)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("recovered", done.stdout)
        status = self.wait_status(lambda now: len(self.in_service(now)) == 3, "3 are in service again")
        self.assertEqual(status["groups"][0]["desired_capacity"], 3)
        self.assertFalse({one["id"] for one in self.in_service(before)} & {one["id"] for one in self.in_service(status)})
        self.assertEqual(status["speed"], 50)
        self.assertEqual(self.page(status["url"])[1], "c" * 40)

    def test_other_settings_than_the_killed_ones_are_refused(self):
        self.up()
        self.kill_rr_sim(self.rr_sim_pid())
        done = self.run_program(*self.up_command("--set", "auto_scaling_group.max_size=6"))
        self.assert_usage_error(done, "a killed tier with other settings", "rr-sim up --state", "rr-sim down --state")
        same = self.run_program(*self.up_command(), "-d", timeout=60)
        self.assertEqual(same.returncode, 0, same)

    def test_down_cleans_what_a_killed_tier_left(self):
        self.up()
        self.kill_rr_sim(self.rr_sim_pid())
        self.assertIn("removed", self.ok("down").stdout)
        self.refused("down", code=3, says=["no tier runs in"])
        self.assertEqual(self.run_program(*self.up_command(), "-d", timeout=60).returncode, 0)
        self.assertEqual(len(self.status()["instances"]), 2)


class StartAndStopPlain(StartAndStop, TierTest):
    pass


class StartAndStopNamespaces(StartAndStop, TierTest):
    ground = "namespaces"


class KilledPlain(Killed, TierTest):
    pass


class KilledNamespaces(Killed, TierTest):
    ground = "namespaces"


class Journal(TierTest):
    def test_the_log_on_a_terminal_is_coloured_and_elsewhere_it_is_not(self):
        up = self.up(detached=False, terminal=True)
        up.wait_for(r"ready:", timeout=30)
        self.assertIn("\x1b[", up.text())
        up.send("\x03")
        self.assertEqual(up.wait(timeout=30), 0)
        plain = self.up(detached=False, terminal=True, environment={"NO_COLOR": "1"})
        plain.wait_for(r"ready:", timeout=30)
        self.assertNotIn("\x1b[3", plain.text())
        plain.send("\x03")
        self.assertEqual(plain.wait(timeout=30), 0)

    def test_settings_print_a_file_that_up_takes(self):
        printed = self.run_program("rr-sim", "settings").stdout
        path = self.folder / "tier.yaml"
        path.write_text(printed.replace("speed: 1\n", "speed: 40\n").replace("listen: '127.0.0.1:8080'", "listen: 127.0.0.1:0"))
        done = self.run_program("rr-sim", "up", "-d", "--state", self.state, "--settings", path, "--ground", "plain")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(json.loads(self.sim("status", "--json").stdout)["speed"], 40)


if __name__ == "__main__":
    unittest.main()
