"""A local tier (rr-sim) that gives the load balancer's answers while the group stands on moto's server: as soon as the group is on
another version of its launch template, the tier is released to the image that belongs to it.
"""

import json
import sys
import threading

import harness

sys.path.insert(0, str(harness.ROOT / "tests/real"))
import tier  # noqa: E402

# The commit that a tier comes up with, and another.
OLD, NEW = "c" * 40, "d" * 40


class InStep(tier.TierTest):
    """self.aws, which has a `group()`, is the subclass's to make."""

    def url(self):
        return json.loads(self.ok("status", "--json").stdout)["url"].rstrip("/")

    def first_image(self):
        return next(line.split()[0] for line in self.ok("image", "list").stdout.splitlines() if OLD[:12] in line)

    def follow(self, image_of):
        """In a thread: `image_of(version)` is the tier's image for a version of the template, or None for one that it is not to
        follow to. Returns what ends it, which the end of the test does too."""
        stop, has, failed = threading.Event(), image_of(self.aws.group()[0]), []

        def work(has):
            while not stop.wait(0.1):
                wanted = image_of(self.aws.group()[0])
                if wanted not in (None, has):
                    done = self.sim("release", "--image", wanted, "--strategy", "double", timeout=120)
                    failed.extend([done] if done.returncode != 0 else [])
                    has = wanted
        thread = threading.Thread(target=work, args=(has,))
        thread.start()

        def end():
            stop.set()
            thread.join()
            self.assertEqual(failed, [], "the tier did not follow")
        self.addCleanup(end)
        return end
