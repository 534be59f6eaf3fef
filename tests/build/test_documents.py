"""Every command that the documentation shows is run here, or says what it needs.

A fenced block marked `shell` in README.md, CONTRIBUTING.md or docs/*.md is a promise. In each document these blocks are
run in order, as one session, in a folder of its own, with the programs under test first in PATH and in a network of its own
(so the documentation's port 8080 is free whatever else runs here). A block is left out when the line above it is a mark:

    <!-- needs: another distribution -->            cannot be run here; listed among the skipped tests
    <!-- shown by: tests/real/test_demo.py -->      that test runs it; the file must exist and name the command

Blocks of other kinds (`text`, `console`) are output, which tools/readme-output writes.
"""

import os
import pathlib
import re
import shlex
import unittest

import harness

DOCUMENTS = [harness.ROOT / "README.md", harness.ROOT / "CONTRIBUTING.md", *sorted((harness.ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- (needs|shown by): (.+?) -->\n+)?^```shell\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document):
    """[(mark or None, what the mark says, commands)] of a document."""
    return [match.groups() for match in BLOCK.finditer(document.read_text(encoding="utf-8"))]


def telling_words(text):
    """What a test that runs these commands must mention: each line's arguments, or the program when it has none."""
    found = []
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        found += words[1:] or [pathlib.Path(word).name for word in words]
    return found


class Documents(harness.TestCase):
    alone = True  # the sessions show a tier at work and may watch the time

    def run_session(self, document):
        runnable = [commands for mark, _, commands in blocks(document) if mark is None]
        if not runnable:
            return
        script = self.folder / "session"
        lines = ["set -e", f"cd {shlex.quote(str(harness.ROOT))}"]
        for number, commands in enumerate(runnable, 1):
            lines += [f"echo '### block {number}'", commands]
        script.write_text("\n".join(lines))
        finished = self.run_program(*harness.in_private_network("bash", str(script)), timeout=120, environment={
            "PATH": f"{harness.bin_folder()}:{os.environ['PATH']}", "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state")})
        self.assertEqual(finished.returncode, 0, finished)
        self.assert_no_process_left()

    def test_marks_of_tests_name_a_file_that_runs_the_command(self):
        for document in DOCUMENTS:
            for mark, what, commands in blocks(document):
                if mark != "shown by":
                    continue
                with self.subTest(document=document.name, block=commands):
                    self.assertTrue((harness.ROOT / what).exists(), f"{what} does not exist")
                    text = (harness.ROOT / what).read_text(encoding="utf-8")
                    for word in telling_words(commands):
                        self.assertTrue(word in text, f"{what} does not mention {word}")

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for link in re.findall(r"\]\(([^)#:]+)[^)]*\)", document.read_text(encoding="utf-8")):
                with self.subTest(document=document.name, link=link):
                    self.assertTrue((document.parent / link).exists())

    def test_files_that_are_named_exist(self):
        tops = "lb|webapp|sim|tests|tools|docs|cmake"
        for document in DOCUMENTS:
            for path in re.findall(rf"`((?:{tops})/[\w/.]+\.(?:h|cc|py|md|cmake|txt))`", document.read_text(encoding="utf-8")):
                with self.subTest(document=document.name, path=path):
                    self.assertTrue((harness.ROOT / path).exists(), f"{document.name} names {path}")

    def test_what_is_not_verified_stands_in_one_table_with_what_would_verify_it(self):
        title = "## Not verified on a machine"
        having = [document.name for document in DOCUMENTS if title in document.read_text(encoding="utf-8")]
        self.assertEqual(having, ["README.md"])
        section = DOCUMENTS[0].read_text(encoding="utf-8").split(title)[1].split("\n## ")[0]
        rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("|")][2:]
        self.assertGreater(len(rows), 5)
        for row in rows:
            with self.subTest(claim=row[0]):
                self.assertEqual(len(row), 3)
                self.assertTrue(all(row))
                self.assertIn("`", row[2], "a command")

    def test_no_output_is_left_to_be_filled_in(self):
        for document in DOCUMENTS:
            empty = re.search(r"<!-- output of [^\n]*-->\n+```text\n```", document.read_text(encoding="utf-8"))
            self.assertIsNone(empty, f"{document.name}: tools/readme-output has not been run: {empty}")


def _session_test(document):
    return lambda self: self.run_session(document)


def _needs_test(what):
    return lambda self: harness.skip(f"needs {what}")


for _document in DOCUMENTS:
    _name = re.sub(r"\W+", "_", str(_document.relative_to(harness.ROOT)).removesuffix(".md")).lower()
    setattr(Documents, f"test_the_commands_of_{_name}_run", _session_test(_document))
    for _number, (_mark, _what, _) in enumerate(blocks(_document), 1):
        if _mark == "needs":
            setattr(Documents, f"test_block_{_number}_of_{_name}", _needs_test(_what))


if __name__ == "__main__":
    unittest.main()
