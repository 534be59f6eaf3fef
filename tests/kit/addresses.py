"""Addresses of 127/8 that nobody else uses."""

import contextlib
import os
import socket


_next_loopback = 0


def loopback_host():
    """An address of 127/8 that no other test process uses: 127.64-127.x.y, from this process's pid and a counter."""
    global _next_loopback
    _next_loopback += 1
    return f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.{_next_loopback % 254 + 1}"


def free_address(host=None):
    """(host, port) that the kernel chose and that is free now. On a loopback address of this process's own, so nobody
    else takes it before the program under test does."""
    host = host or loopback_host()
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()


@contextlib.contextmanager
def refused_address(host="127.0.0.1"):
    """(host, port) where every connection is refused for as long as the context lives: bound, never listening."""
    with socket.socket() as holder:
        holder.bind((host, 0))
        yield holder.getsockname()


def text_address(address):
    """("127.0.0.1", 80) as 127.0.0.1:80; a string is left as it is."""
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


def parse_address(address):
    """127.0.0.1:80 or http://127.0.0.1:80/ as ("127.0.0.1", 80); a pair is left as it is."""
    if not isinstance(address, str):
        return tuple(address[:2])
    host, _, port = address.removeprefix("http://").split("/")[0].rpartition(":")
    return host.strip("[]"), int(port)
