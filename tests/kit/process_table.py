"""The process table, as /proc tells it."""

import collections
import contextlib
import os
import signal

MARK_VARIABLE = "RR_TEST_MARK"


def _environment_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def all_pids():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def marked_processes(mark):
    """[(pid, command line)] of the living processes that inherited RR_TEST_MARK=mark, whoever their parent now is.
    A daemon that left its session and its parent still carries its environment; a zombie does not count."""
    wanted = f"{MARK_VARIABLE}={mark}".encode()
    found = []
    for pid in all_pids():
        if pid != os.getpid() and wanted in _environment_of(pid).split(b"\0"):
            found.append((pid, command_line(pid)))
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def parent_of(pid):
    """The parent's pid; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None


def descendants(pid):
    """The pids of all living children, grandchildren, ... of a process. Those that changed parent are not among them:
    marked_processes finds these."""
    children = collections.defaultdict(list)
    for one in all_pids():
        children[parent_of(one)].append(one)
    found, unseen = [], [pid]
    while unseen:
        for child in children[unseen.pop()]:
            found.append(child)
            unseen.append(child)
    return found


def process_state(pid):
    """The one-letter state of /proc/PID/stat (R, S, D, T, Z, ...); None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0].decode()
    except (OSError, IndexError):
        return None


def kill_by_pid(pid, mark):
    """Sends SIGKILL to a process, but only while it still carries the mark: a pid that the kernel gave to somebody else
    in the meantime is not touched (the pidfd holds on to the process that was looked at)."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            if f"{MARK_VARIABLE}={mark}".encode() in _environment_of(pid).split(b"\0"):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def open_descriptors(pid):
    """What the open descriptors of a process are, as {number: "socket:[123]"}."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def memory_kib(pid, field="VmRSS"):
    """Resident memory of a process in KiB (VmRSS now, VmHWM its highest)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError(f"/proc/{pid}/status has no {field}")
