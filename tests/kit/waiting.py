"""Waiting for a condition."""

import time

from kit.surroundings import scaled


def eventually(condition, what, timeout=10.0):
    """Waits until condition() is true (or returns something true) and returns that. `what` says what is waited for.
    This is the one place where a test may poll: for things that send no message, like the process table."""
    end = time.monotonic() + scaled(timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {scaled(timeout):.1f} s in vain until {what}; last seen: {value!r}")
        time.sleep(0.01)
