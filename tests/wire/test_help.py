"""What the programs say of themselves."""

import harness


class Help(harness.TestCase):
    def test_every_line_fits_a_terminal_of_80_columns(self):
        for words in (["rr-lb"], ["rr-lb", "explain"], ["rr-webapp"], ["rr-sim"], ["rr-keeper"], ["rr-relay"]):
            with self.subTest(" ".join(words)):
                said = self.run_program(*words, "--help")
                self.assertEqual((said.returncode, said.stderr), (0, ""))
                self.assertIn(words[0], said.stdout)
                self.assertLessEqual(max(map(len, said.stdout.splitlines())), 80, said.stdout)
