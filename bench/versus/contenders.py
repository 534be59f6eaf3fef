"""Who is measured, and with which configuration. Each line that makes a peer faster or slower says why it is fair."""

import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNPACKED = ROOT / "build" / "peers" / "root"

NGINX = """
daemon off;                        # one process tree whose processor time can be read
{processes}
worker_rlimit_nofile 8192;
error_log stderr crit;             # nobody logs: the logs' formats differ too much to be compared
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}   # 1,000 clients, as many targets, and kept ones
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;   # connections are kept for a whole run, as the others keep them
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  client_body_buffer_size 128k;    # 64 KiB bodies stay in memory: on disk they would cost nginx half as much again
  upstream targets {{
    server {target1}; server {target2};
    keepalive 1024;                # its default opens a connection a request
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }}
  server {{
    listen {address} backlog=4096{reuseport};
    location / {{
      proxy_pass http://targets;
      proxy_http_version 1.1;      # needed for kept connections
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;   # what an ALB sends
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread {threads}                       # as many as every other contender
  maxconn 2048
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  http-reuse always                # its default reuses connections less
  option forwardfor                # what an ALB sends
frontend front
  bind {address} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  default_backend targets
backend targets
  balance roundrobin
  server one {target1}
  server two {target2}
"""


def find_program(name):
    """The path of a peer: installed, or unpacked below build/peers. None: it is not here."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", UNPACKED / "usr" / "sbin", UNPACKED / "usr" / "bin"]
    return shutil.which(name, path=os.pathsep.join(map(str, places)))


def library_path():
    folders = sorted(str(folder) for folder in UNPACKED.glob("usr/lib/*-linux-gnu*"))
    return os.pathsep.join([*folders, os.environ.get("LD_LIBRARY_PATH", "")]).strip(os.pathsep)


class Contender:
    """A proxy before two targets: `name`, `program`, and the command that starts it. With one worker, or with several where
    that is what is measured."""

    def __init__(self, name, program, workers=1):
        self.name = name if workers == 1 else f"{name}, {workers} workers"
        self.program = str(program)
        self.workers = workers

    def version(self):
        done = subprocess.run([self.program, "--version" if self.name.startswith("rr-lb") else "-v"], capture_output=True,
                              text=True, check=False, env={**os.environ, "LD_LIBRARY_PATH": library_path()})
        found = re.search(r"\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
        return found.group() if found else "?"

    def configuration(self, address, targets, folder):
        return ""

    def command(self, address, targets, folder):
        raise NotImplementedError


class RoundRobin(Contender):
    """Everything on that a deployment has: health checks, X-Forwarded-*, trace ids, desync classification, metrics."""

    def __init__(self, program, access_log=False, workers=1):
        super().__init__("rr-lb, access log" if access_log else "rr-lb", program, workers)
        self.access_log = access_log

    def command(self, address, targets, folder):
        command = [self.program, "--listen", address, "--admin", "127.0.0.1:0", "--health-path", "/~health",
                   "--health-interval", "5", "--unrestricted", "--workers", str(self.workers)]
        for target in targets:
            command += ["--target", target]
        if self.access_log:
            command += ["--access-log", str(folder / "access.log")]
        return command


class Nginx(Contender):
    def configuration(self, address, targets, folder):
        # One process where there is one worker, as every other contender; spread by the kernel as rr-lb's are otherwise.
        processes = "master_process off;" if self.workers == 1 else f"worker_processes {self.workers};"
        return NGINX.format(address=address, target1=targets[0], target2=targets[1], folder=folder, processes=processes,
                            reuseport="" if self.workers == 1 else " reuseport")

    def command(self, address, targets, folder):
        file = folder / "nginx.conf"
        file.write_text(self.configuration(address, targets, folder))
        return [self.program, "-e", "stderr", "-p", f"{folder}/", "-c", str(file)]


class Haproxy(Contender):
    def configuration(self, address, targets, folder):
        return HAPROXY.format(address=address, target1=targets[0], target2=targets[1], threads=self.workers)

    def command(self, address, targets, folder):
        file = folder / "haproxy.cfg"
        file.write_text(self.configuration(address, targets, folder))
        return [self.program, "-db", "-f", str(file)]


class Relay(Contender):
    """A floor: it moves bytes and reads none of them."""

    def version(self):
        return "of this repository"

    def command(self, address, targets, folder):
        return [self.program, self.name.replace(" ", "-"), address, *targets]


def contenders(programs, replaced):
    """All that can be measured here, rr-lb first, and the names of those that are missing."""
    found = [RoundRobin(programs / "rr-lb"), RoundRobin(programs / "rr-lb", access_log=True),
             RoundRobin(programs / "rr-lb", workers=2)]
    missing = []
    for name, kind in (("nginx", Nginx), ("haproxy", Haproxy)):
        program = replaced.get(name) or find_program(name)
        if program:
            found += [kind(name, program), kind(name, program, workers=2)]
        else:
            missing.append(name)
    for name in ("epoll relay", "uv relay"):
        found.append(Relay(name, programs / "bench_peer"))
    return found, missing
