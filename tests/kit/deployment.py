"""What the tests of bake, unit and CI have in common: the settings as rr-deploy renders them, and bundles made of them."""

import json
import pathlib
import re

from kit.surroundings import ROOT, program


def rendered(test, receiver, settings="local"):
    """What a receiver (packer, unit, ci) gets of an environment's settings, or of a settings file."""
    file = settings if isinstance(settings, pathlib.Path) else ROOT / f"deploy/settings/{settings}.yaml"
    done = test.run_program(program("rr-deploy"), "settings", "render", "--for", receiver, file)
    test.assertEqual(done.returncode, 0, done)
    return done.stdout


def changed_settings(test, changes):
    """A file with the settings of the environment `local` and other values: {"application.port": 1234, ...}."""
    left, section, text = dict(changes), "", ""
    for line in (ROOT / "deploy/settings/local.yaml").read_text(encoding="utf-8").splitlines(keepends=True):
        if match := re.match(r"(\w+):\s*$", line):
            section = match.group(1)
        if match := re.match(r"  (\w+):", line):
            key = f"{section}.{match.group(1)}"
            if key in left:
                line = f"  {match.group(1)}: {json.dumps(left.pop(key))}\n"
        text += line
    test.assertEqual(left, {}, "these are no keys of local.yaml")
    path = pathlib.Path(test.folder) / "local.yaml"
    path.write_text(text)
    return path


def bundle_input(test, changes):
    """{flag of packer/bundle: file}: the two forms of the changed settings that it takes."""
    settings = changed_settings(test, changes)
    files = {"settings": test.folder / "settings.json", "environment": test.folder / "environment"}
    files["settings"].write_text(rendered(test, "packer", settings))
    files["environment"].write_text(rendered(test, "unit", settings))
    return files


def make_bundle(test, application, commit, build, changes=None):
    """The bundle's file, made of a folder with the settings of the environment `local` and other values."""
    output = test.folder / "bundle.tar.gz"
    given = {**bundle_input(test, changes or {}), "application": application, "commit": commit, "build": build,
             "output": output}
    done = test.run_program(ROOT / "packer/bundle", *[part for name, value in given.items() for part in (f"--{name}", value)])
    test.assertEqual(done.returncode, 0, done)
    return output
