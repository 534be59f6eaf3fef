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
  access_log off;                  # as error_log
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

# As Envoy's own advice for benchmarks wants it: no circuit breaking, request ids or dynamic statistics, and as many workers as
# the others have.
ENVOY = """
static_resources:
  listeners:
  - name: front
    address:
      socket_address:
        address: {host}
        port_value: {port}
    tcp_backlog_size: 4096               # as the others
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          codec_type: HTTP1              # what is measured; spares it to find out
          use_remote_address: true       # appends X-Forwarded-For and sets X-Forwarded-Proto, what an ALB sends
          generate_request_id: false     # on by default: costs it a random number and a field a request
          server_header_transformation: PASS_THROUGH   # nobody else rewrites the targets' Server
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              dynamic_stats: false       # on by default: statistics that nobody reads here
              suppress_envoy_headers: true   # x-envoy-* fields, which nobody else adds
          route_config:
            name: all
            request_headers_to_add:
            - header:
                key: X-Forwarded-Port    # what an ALB sends
                value: "%DOWNSTREAM_LOCAL_PORT%"
              append_action: OVERWRITE_IF_EXISTS_OR_ADD
            virtual_hosts:
            - name: all
              domains:
              - "*"
              routes:
              - match:
                  prefix: /
                route:
                  cluster: targets
                  timeout: 600s          # as the others; 15 s is its default
  clusters:
  - name: targets                        # connections to targets are kept without a setting
    type: STATIC
    connect_timeout: 5s
    lb_policy: ROUND_ROBIN
    circuit_breakers:
      thresholds:
      - max_connections: 4096            # its defaults of 1,024 make a thousand clients wait
        max_pending_requests: 4096
        max_requests: 4096
    load_assignment:
      cluster_name: targets
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address:
                address: {host1}
                port_value: {port1}
        - endpoint:
            address:
              socket_address:
                address: {host2}
                port_value: {port2}
"""


def find_program(name):
    """The path of a peer or of a load generator: installed, or unpacked below build/peers. None: it is not here."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", UNPACKED / "usr" / "sbin", UNPACKED / "usr" / "bin"]
    return shutil.which(name, path=os.pathsep.join(map(str, places)))


def library_path():
    folders = sorted(str(folder) for folder in UNPACKED.glob("usr/lib/*-linux-gnu*"))
    return os.pathsep.join([*folders, os.environ.get("LD_LIBRARY_PATH", "")]).strip(os.pathsep)


def version_of(program, flag):
    """The first thing in what it says of itself that looks like a version."""
    done = subprocess.run([program, flag], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": library_path()})
    found = re.search(r"\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
    return found.group() if found else "?"


class Contender:
    """A proxy before two targets: `name`, `program`, and the command that starts it. With one worker, or with several where
    that is what is measured."""
    version_flag = "-v"
    file_name = None  # of its configuration
    is_proxy = True   # what people would put there, and not a floor
    fair = ""         # about its command; what is to say about its configuration is in that

    def __init__(self, name, program, workers=1):
        self.name = name if workers == 1 else f"{name}, {workers} workers"
        self.program = str(program)
        self.workers = workers

    def version(self):
        return version_of(self.program, self.version_flag)

    def configuration(self, address, targets, folder):
        return ""

    def arguments(self, address, targets, folder):
        """Of the command, without the program."""
        raise NotImplementedError

    def command(self, address, targets, folder):
        """The command that starts it; its configuration is written into the folder."""
        if self.file_name:
            (folder / self.file_name).write_text(self.configuration(address, targets, folder))
        return [self.program, *self.arguments(address, targets, folder)]


class RoundRobin(Contender):
    """Everything on that a deployment has: health checks, X-Forwarded-*, trace ids, desync classification, metrics."""
    version_flag = "--version"
    fair = ("Everything is on that a deployment has: health checks, X-Forwarded-*, trace ids, desync classification, metrics. The "
            "peers have no health checks and no trace ids here. --unrestricted lets it reach loopback targets, and costs nothing a "
            "request.")

    def __init__(self, program, access_log=False, workers=1):
        super().__init__("rr-lb, access log" if access_log else "rr-lb", program, workers)
        self.access_log = access_log

    def arguments(self, address, targets, folder):
        found = ["--listen", address, "--admin", "127.0.0.1:0", "--health-path", "/~health", "--health-interval", "5",
                 "--unrestricted", "--workers", str(self.workers)]
        for target in targets:
            found += ["--target", target]
        if self.access_log:
            found += ["--access-log", f"{folder}/access.log"]
        return found


class Nginx(Contender):
    file_name = "nginx.conf"

    def configuration(self, address, targets, folder):
        # One process where there is one worker, as every other contender; spread by the kernel as rr-lb's are otherwise.
        processes = "master_process off;" if self.workers == 1 else f"worker_processes {self.workers};"
        return NGINX.format(address=address, target1=targets[0], target2=targets[1], folder=folder, processes=processes,
                            reuseport="" if self.workers == 1 else " reuseport")

    def arguments(self, address, targets, folder):
        return ["-e", "stderr", "-p", f"{folder}/", "-c", f"{folder}/{self.file_name}"]


class Haproxy(Contender):
    file_name = "haproxy.cfg"

    def configuration(self, address, targets, folder):
        return HAPROXY.format(address=address, target1=targets[0], target2=targets[1], threads=self.workers)

    def arguments(self, address, targets, folder):
        return ["-db", "-f", f"{folder}/{self.file_name}"]


class Envoy(Contender):
    version_flag = "--version"
    file_name = "envoy.yaml"
    fair = ("--concurrency is its number of workers; by default it starts one a processor. --disable-hot-restart lets two of them run "
            "side by side.")

    def configuration(self, address, targets, folder):
        (host, port), (host1, port1), (host2, port2) = (one.rsplit(":", 1) for one in (address, *targets))
        return ENVOY.format(host=host, port=port, host1=host1, port1=port1, host2=host2, port2=port2)

    def arguments(self, address, targets, folder):
        return ["-c", f"{folder}/{self.file_name}", "--concurrency", str(self.workers), "--disable-hot-restart", "--log-level", "error"]


class Relay(Contender):
    """A floor: it moves bytes and reads none of them."""
    is_proxy = False
    fair = "A floor: it moves bytes and reads none of them, and opens a connection to a target for each client."

    def version(self):
        return "of this repository"

    def arguments(self, address, targets, folder):
        return [self.name.replace(" ", "-"), address, *targets]


PEERS = {"nginx": Nginx, "haproxy": Haproxy, "envoy": Envoy}
FETCHED = ("nginx", "haproxy")  # of the distribution; others only take part when they are named


def replacements(given):
    """Of `--peer NAME=BINARY` {name: binary}, or what is wrong with them in one line."""
    found = {}
    for text in given:
        name, _, binary = text.partition("=")
        if name not in PEERS or not binary:
            return f"--peer {text}: must be {'=BINARY, '.join(PEERS)}=BINARY"
        if not shutil.which(binary):
            return f"--peer {text}: {binary} is no program"
        found[name] = binary
    return found


def contenders(programs, replaced):
    """All that can be measured here, rr-lb first, and the names of those that are missing."""
    found = [RoundRobin(programs / "rr-lb"), RoundRobin(programs / "rr-lb", access_log=True),
             RoundRobin(programs / "rr-lb", workers=2)]
    missing = []
    for name, kind in PEERS.items():
        program = replaced.get(name) or (find_program(name) if name in FETCHED else None)
        if program:
            found += [kind(name, program), kind(name, program, workers=2)]
        elif name in FETCHED:
            missing.append(name)
    for name in ("epoll relay", "uv relay"):
        found.append(Relay(name, programs / "bench_peer"))
    return found, missing
