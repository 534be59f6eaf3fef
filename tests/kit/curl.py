"""The real curl."""

import pathlib
import subprocess
import tempfile

from kit.surroundings import need_command, scaled


class CurlResult:
    def __init__(self, returncode, status, head, body, stderr):
        self.returncode, self.status, self.head, self.body, self.stderr = returncode, status, head, body, stderr

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def header(self, name, default=None):
        for line in self.head.splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return default

    def __repr__(self):
        return f"curl: exit {self.returncode}, status {self.status}, {self.body[:200]!r} {self.stderr!r}"


def curl(*arguments, timeout=10.0):
    """Runs the real curl: curl("http://127.0.0.1:8080/", "-H", "X-A: b"). No proxy and no .curlrc get in the way."""
    need_command("curl")
    with tempfile.TemporaryDirectory(prefix="rr-curl-") as folder:
        command = ["curl", "-q", "--noproxy", "*", "-sS", "--max-time", str(scaled(timeout)), "-D", f"{folder}/head",
                   "-o", f"{folder}/body", "-w", "%{http_code}", *[str(argument) for argument in arguments]]
        done = subprocess.run(command, capture_output=True, timeout=scaled(timeout) + 10, check=False)
        parts = [pathlib.Path(folder, name) for name in ("head", "body")]
        head, body = [part.read_bytes() if part.exists() else b"" for part in parts]
        return CurlResult(done.returncode, int(done.stdout[-3:] or b"0"), head.decode("latin-1"), body,
                          done.stderr.decode(errors="replace"))
