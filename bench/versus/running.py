"""Processes that are pinned, and what they cost."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from versus import contenders

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def pinned(processor, command):
    """The command on one processor, where the tool for it is here."""
    tool = shutil.which("taskset")
    return [tool, "-c", str(processor), *command] if tool and processor is not None else command


def free_address():
    """An address of our own on the loopback network, with a port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % one.getsockname()[1]


class Process:
    """A program of a measurement. Ended by its pid."""

    def __init__(self, command, processor, log):
        with open(log, "wb") as output:
            self.process = subprocess.Popen(pinned(processor, command), stdout=output, stderr=subprocess.STDOUT,
                                            env={**os.environ, "LD_LIBRARY_PATH": contenders.library_path()})
        self.log = pathlib.Path(log)
        self.processors = {processor}

    @property
    def pid(self):
        return self.process.pid

    def tasks(self):
        """The threads of the program and of its children, as folders of /proc."""
        found, pids = [], [self.pid]
        while pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for task in pathlib.Path(f"/proc/{pids.pop()}/task").iterdir():
                    found.append(task)
                    pids += [int(child) for child in (task / "children").read_text().split()]
        return found

    def pin(self, processors):
        """Moves it to these processors."""
        if processors == self.processors:
            return
        self.processors = processors
        for task in self.tasks():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), processors)

    def processor_time(self):
        """Nanoseconds that its threads have run so far, as the scheduler counts them."""
        return sum(run_time(task) for task in self.tasks())

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def exchange(address, path):
    """The body of a GET, by this process."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += read_some(one)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
        while len(body) < length:
            body += read_some(one)
    return int(head.split()[1]), body


def read_some(one):
    data = one.recv(65536)
    if not data:
        raise ConnectionError("the answer is cut off")
    return data


def wait_until_answers(address, process, seconds=20):
    """Until a request through it succeeds: its health checks, if any, have found the targets."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.process.poll() is not None:
            break
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if exchange(address, "/~health")[0] == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"no answer from {address}:\n" + process.log.read_text(errors="replace")[-2000:])


class Origin:
    """The server behind all of them, on two addresses."""

    def __init__(self, program, processor, log):
        self.addresses = [free_address(), free_address()]
        self.process = Process([program, "origin", *self.addresses], processor, log)
        wait_until_answers(self.addresses[0], self.process)

    def counts(self):
        """(requests, bytes of their bodies) so far."""
        return tuple(int(word) for word in exchange(self.addresses[0], "/~count")[1].split())


def load(program, processor, address, flags):
    """The figures of one run of the load."""
    done = subprocess.run(pinned(processor, [program, "load", address, *flags]), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def tool(program, processor, arguments):
    """What another load generator prints."""
    done = subprocess.run(pinned(processor, [program, *arguments]), capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": contenders.library_path()})
    return done.stdout + done.stderr


def machine_seconds():
    """(seconds that all processors were busy, counted from any moment, and seconds that the host took away). The kernel clocks idle
    time, while what it counts as work is only looked at each tick; so work is what is left."""
    processors = pathlib.Path("/proc/stat").read_text().split("\nintr", 1)[0].splitlines()
    idle, waiting, stolen = (int(processors[0].split()[place]) / TICKS_A_SECOND for place in (4, 5, 8))
    return (len(processors) - 1) * time.monotonic() - idle - waiting - stolen, stolen


def kernel_deliverers():
    """The kernel's threads that deliver segments where the sender does not do it itself: their time is the load's doing."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if stat.read_text().startswith("ksoftirqd/"):
                found.append(stat.parent)
    return found


def run_time(task):
    """Nanoseconds that a thread, as a folder of /proc, has run; 0 when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int((task / "schedstat").read_text().split()[0])
    return 0


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "?")
    memory = re.search(r"^MemTotal: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {"processor": model, "processors": os.cpu_count(), "kernel": os.uname().release, "architecture": os.uname().machine,
            "memory_gib": round(int(memory.group(1)) / 2 ** 20, 1) if memory else None, "load": round(os.getloadavg()[0], 2)}


def machine_text(one):
    """One line about the machine."""
    memory = f", {one['memory_gib']:.0f} GiB" if one.get("memory_gib") else ""
    return (f"{one['processor']}, {one['processors']} processors{memory}, kernel {one['kernel']}" +
            (f", load {one['load']:.1f} before" if "load" in one else ""))
