"""rr-deploy killed (SIGKILL) at each call to AWS that it makes, and run again: the second run always arrives.

Each call twice where it changes something: AWS did what the call asked and nobody heard of it, or never got it.
"""

import concurrent.futures
import re

import harness
from scripted_aws import ScriptedAws
from scripted_case import NEW, RrDeploy

AT_ONCE = 6  # runs; they wait most of the time
READS = re.compile("Describe|Get|Head")


class Killed(RrDeploy):
    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("minutes; RR_LONG=1 runs it")

    def scene(self, before):
        aws = ScriptedAws()
        self.addCleanup(aws.close)
        for words in before:
            self.finish(aws, words, {0})
        aws.calls.clear()
        return aws

    def words(self, aws, words):
        return self.command(words[0], "--url", aws.front.url, *words[1:])

    def finish(self, aws, words, codes):
        done = self.run_program(*self.words(aws, words), environment=aws.environment(), cwd=self.folder, timeout=90)
        self.assertIn(done.returncode, codes, done)
        return done

    def killed(self, before, words, moment, lost):
        """The AWS after a run that was killed at the first call of an action, and a second run."""
        aws = self.scene(before)
        program = self.start(*self.words(aws, words), environment=aws.environment(), cwd=self.folder)
        killed = []

        def kill(action, _):
            if action != moment or killed:
                return None
            killed.append(action)
            program.process.kill()
            program.process.wait(10)
            return "hang up" if lost else None
        aws.interfere = kill
        code = program.process.wait(90)
        if not killed:  # what is looked at depends on how far AWS was when it was asked before; what is changed does not
            self.assertEqual((code, bool(READS.match(moment))), (0, True), moment)
        self.finish(aws, words, {0})
        return aws

    def at_every_call(self, before, words, version):
        aws = self.scene(before)
        self.finish(aws, words, {0})
        cases = [(action, lost) for action in dict.fromkeys(aws.calls)
                 for lost in ([False] if READS.match(action) else [False, True])]
        self.assertGreater(len(cases), 10)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            ends = {case: pool.submit(self.killed, before, words, *case) for case in cases}
        for case, end in ends.items():
            with self.subTest(call=case[0], lost=case[1]):
                self.assert_settled(version, end.result())

    def test_a_release(self):
        self.at_every_call([], ["release", "--image", NEW], "7")

    def test_a_release_that_doubles(self):
        self.at_every_call([], ["release", "--image", NEW, "--strategy", "double"], "7")

    def test_a_rollback(self):
        self.at_every_call([["release", "--image", NEW]], ["rollback"], "6")
