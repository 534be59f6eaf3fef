"""The three proxies, each started in front of one recording target in the way its own documentation shows.

All have the same limits of time, keep connections to the target, and never ask twice. Everything else is as the programs
come: what is compared is what somebody gets who installs them.
"""

import os
import pathlib
import re
import subprocess
import sys
import threading

from kit.addresses import free_address, text_address
from kit.program import Program
from kit.surroundings import ROOT, bin_folder
from kit.target import Target
from kit.waiting import eventually

IDLE = 1  # seconds of silence after which each of them gives a connection up
UNPACKED = ROOT / "build" / "peers" / "root"


class RecordingTarget(Target):
    """A scripted target that keeps every byte it got, by connection."""

    def __init__(self, behaviour):
        self.heard = {}
        self.hearing = threading.Lock()
        super().__init__(behaviour, stream_bodies=True)

    def _serve(self, connection, number):
        take_more = connection._fill
        def fill():
            before = len(connection.buffer)
            take_more()
            with self.hearing:
                self.heard[number] = self.heard.get(number, b"") + connection.buffer[before:]
        connection._fill = fill
        super()._serve(connection, number)

    def bytes_so_far(self):
        """{connection: bytes}"""
        with self.hearing:
            return dict(self.heard)


def find_program(name):
    """The path of a peer: installed, or unpacked below build/peers. None: it is not here."""
    places = [pathlib.Path(folder) for folder in (*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin")]
    places.append(UNPACKED / "usr" / "sbin")
    return next((str(folder / name) for folder in places if os.access(folder / name, os.X_OK)), None)


def library_path():
    folders = sorted(str(one) for one in UNPACKED.glob("usr/lib/*-linux-gnu"))
    return ":".join([*folders, os.environ.get("LD_LIBRARY_PATH", "")]).strip(":")


class Proxy:
    """One proxy with its target: .address, .target, .version."""

    name = ""

    def __init__(self, behaviour, folder):
        self.target = RecordingTarget(behaviour)
        self.folder = pathlib.Path(folder, self.name)
        self.folder.mkdir()
        self.program = None
        self.address = None

    def start(self):
        command = self.command()
        self.program = Program(command, environment={"LD_LIBRARY_PATH": library_path() or None}, cwd=self.folder,
                               mark=os.environ.get("RR_TEST_MARK"))
        self.wait_until_it_serves()

    def wait_until_it_serves(self):
        from kit.http_client import fetch
        def serves():
            if not self.program.running:
                raise AssertionError(f"{self.name} did not start\n{self.program.tail()}")
            try:
                return fetch(self.address, "/healthz").status == 200
            except OSError:
                return False
        eventually(serves, f"{self.name} serves")

    def close(self):
        if self.program:
            self.program.close()
        self.target.stop()

    def say_version(self, *flags):
        done = subprocess.run([find_program(self.name), *flags], capture_output=True, text=True, check=False,
                              env={**os.environ, "LD_LIBRARY_PATH": library_path()})
        return re.search(r"\d+\.\d+\.[\w.+~-]*\d", done.stdout + done.stderr).group()


class RoundRobin(Proxy):
    name = "rr-lb"

    def command(self):
        return [bin_folder() / "rr-lb", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--unrestricted",
                "--health-path", "/healthz", "--health-interval", "0.1", "--health-timeout", "2",
                "--idle-timeout", str(IDLE), "--access-log", self.folder / "access.log", "--target", self.target.text]

    def wait_until_it_serves(self):
        self.address = self.program.wait_for(r"^listening on (\S+)$").group(1)
        super().wait_until_it_serves()

    def version(self):
        done = subprocess.run([bin_folder() / "rr-lb", "--version"], capture_output=True, text=True, check=True)
        return re.search(r"\d+\.\d+\.\d+", done.stdout).group()


class Nginx(Proxy):
    name = "nginx"

    def command(self):
        self.address = text_address(free_address())
        configuration = self.folder / "nginx.conf"
        temporary = "\n".join(f"  {kind}_temp_path {self.folder}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration.write_text(f"""
daemon off;
master_process off;
pid {self.folder}/nginx.pid;
error_log stderr crit;
events {{}}
http {{
{temporary}
  access_log off;
  keepalive_timeout {IDLE}s;
  client_header_timeout {IDLE}s;
  client_body_timeout {IDLE}s;
  send_timeout {IDLE}s;
  upstream target {{ server {self.target.text} max_fails=0; keepalive 16; }}
  server {{
    listen {self.address};
    location / {{
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_connect_timeout {IDLE}s;
      proxy_read_timeout {IDLE}s;
      proxy_send_timeout {IDLE}s;
      proxy_next_upstream off;
    }}
  }}
}}
""")
        return [find_program(self.name), "-e", "stderr", "-p", f"{self.folder}/", "-c", configuration]

    def version(self):
        return self.say_version("-v")


class Haproxy(Proxy):
    name = "haproxy"

    def command(self):
        self.address = text_address(free_address())
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(f"""
global
  nbthread 1
defaults
  mode http
  option forwardfor
  http-reuse always
  retries 0
  timeout connect {IDLE}s
  timeout client {IDLE}s
  timeout server {IDLE}s
  timeout http-request {IDLE}s
  timeout http-keep-alive {IDLE}s
frontend front
  bind {self.address}
  default_backend target
backend target
  server one {self.target.text}
""")
        return [find_program(self.name), "-db", "-f", configuration]

    def version(self):
        return self.say_version("-v")


PROXIES = {one.name: one for one in (RoundRobin, Nginx, Haproxy)}
