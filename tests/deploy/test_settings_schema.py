"""deploy/settings/schema.json says the same as the reader: it takes every environment, and refuses what the reader refuses of
each value by itself. (That the file is the one that the table makes is a unit test.)
"""

import copy
import json
import re
import subprocess
import unittest

import harness
from terraform import settings_for

SCHEMA = json.loads((harness.ROOT / "deploy" / "settings" / "schema.json").read_text(encoding="utf-8"))
ENVIRONMENTS = sorted(path.stem for path in (harness.ROOT / "deploy" / "settings").glob("*.yaml"))
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def is_of(value, names):
    """Whether a value is of one of the types; true and false are no numbers."""
    return any(isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
               for name in ([names] if isinstance(names, str) else names))


def complaints(schema, value, path="settings"):
    """What a validator of JSON Schema would say, as far as this schema goes."""
    unknown = set(schema) - {"$schema", "title", "description", "type", "enum", "pattern", "minimum", "maximum", "items",
                             "properties", "required", "additionalProperties"}
    assert not unknown, f"{path}: teach this test {unknown}"
    if "type" in schema and not is_of(value, schema["type"]):
        return [f"{path}: {value!r} is no {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{path}: {value!r} does not match")
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{path}: {value} is out of range")
    for number, item in enumerate(value if isinstance(value, list) else []):
        found += complaints(schema["items"], item, f"{path}[{number}]")
    if isinstance(value, dict):
        found += [f"{path}.{key} is missing" for key in schema["required"] if key not in value]
        for key, inner in value.items():
            found += (complaints(schema["properties"][key], inner, f"{path}.{key}") if key in schema["properties"]
                      else [f"{path}.{key} is unknown"])
    return found


def leaves(schema, path=()):
    for key, inner in schema["properties"].items():
        if inner.get("type") == "object":
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def changed(settings, path, value):
    settings = copy.deepcopy(settings)
    inner = settings
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return settings


class Schema(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.settings = json.loads(settings_for("terraform", "production"))
        del self.settings["names"]

    def reader_refuses(self, settings):
        file = self.folder / "settings.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        done = subprocess.run([harness.program("rr-deploy"), "settings", "check", str(file)], capture_output=True, text=True, check=False)
        return done.returncode != 0

    def test_it_takes_every_environment(self):
        for environment in ENVIRONMENTS:
            settings = json.loads(settings_for("terraform", environment))
            del settings["names"]
            self.assertEqual(complaints(SCHEMA, settings), [])
        self.assertFalse(self.reader_refuses(self.settings))

    def test_what_it_refuses_the_reader_refuses(self):
        refused = 0
        for path, schema in leaves(SCHEMA):
            wrong = ["\x01"]
            if schema.get("type") == "integer":
                wrong = [schema["minimum"] - 1, schema["maximum"] + 1, "many"]
            elif schema.get("type") == "array":
                wrong = [["\x01"], "no list"]
            for value in wrong:
                settings = changed(self.settings, path, value)
                with self.subTest(key=".".join(path), value=value):
                    self.assertNotEqual(complaints(SCHEMA, settings), [])
                    self.assertTrue(self.reader_refuses(settings))
                    refused += 1
        self.assertGreater(refused, 100)

    def test_a_missing_and_an_unknown_key(self):
        for settings in ({key: value for key, value in self.settings.items() if key != "probe"}, {**self.settings, "more": 1}):
            self.assertNotEqual(complaints(SCHEMA, settings), [])
            self.assertTrue(self.reader_refuses(settings))


if __name__ == "__main__":
    unittest.main()
