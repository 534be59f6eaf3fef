"""The CI files keep to their rules, and the one script that all of them call does what it says.

Nothing of this needs AWS: the workflows are read, and ci/run is run with an rr-deploy that writes down how it was called. What it
does in a clean clone, with everything real, is in test_whole_way.py.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import unittest
import zipfile

import harness
from checkout import NO_CI
from kit.deployment import rendered

try:
    import yaml
except ImportError:
    yaml = None

WORKFLOWS = sorted((harness.ROOT / ".github/workflows").glob("*.yml"))
OTHERS = [harness.ROOT / "buildspec.yml", harness.ROOT / ".travis.yml"]
# What the runner itself may do beside calling our scripts.
GLUE = {"fetch rr-deploy", "roll back"}
# Variables of the repository that are not made from the settings.
OWN_VARIABLES = {"RR_RUNNER"}


def loaded(path):
    if yaml is None:
        harness.skip("PyYAML is not installed (apt-get install python3-yaml)")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if True in document:  # YAML 1.1 reads the key `on` as a boolean
        document["on"] = document.pop(True)
    return document


def jobs():
    """[(workflow, job's name, job)] of all workflows."""
    return [(path.name, name, job) for path in WORKFLOWS for name, job in loaded(path)["jobs"].items()]


def stages():
    """The stages that ci/run says it has."""
    text = (harness.ROOT / "ci/run").read_text(encoding="utf-8")
    return set(re.findall(r"^#   ([a-z-]+)  +\S", text, re.MULTILINE))


class Rules(harness.TestCase):
    def test_actions_are_pinned_by_hash_with_their_version_beside(self):
        pins = {}
        for path in WORKFLOWS:
            for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8")):
                match = re.fullmatch(r"([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
                self.assertIsNotNone(match, f"{path.name}: {line}")
                pins.setdefault(match.group(1), set()).add(match.groups()[1:])
        self.assertEqual({name: len(found) for name, found in pins.items()}, dict.fromkeys(pins, 1), "one version of each")
        self.assertIn("actions/checkout", pins)

    def test_every_job_has_the_least_rights_and_a_time_limit(self):
        for path in WORKFLOWS:
            self.assertEqual(loaded(path)["permissions"], {}, path.name)
        for workflow, name, job in jobs():
            with self.subTest(workflow=workflow, job=name):
                rights = job["permissions"]
                self.assertLessEqual(set(rights), {"contents", "id-token", "actions"})
                self.assertEqual(rights["contents"], "read")
                self.assertIn(rights.get("actions", "read"), ("read",))
                takes_role = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
                self.assertEqual(rights.get("id-token"), "write" if takes_role else None)
                self.assertLessEqual(job["timeout-minutes"], 90)

    def test_no_workflow_has_a_secret_and_none_runs_a_fork_with_rights(self):
        for path in [*WORKFLOWS, *OTHERS]:
            text = path.read_text(encoding="utf-8")
            self.assertNotRegex(text, r"secrets\s*[.\[]", path.name)
            self.assertNotIn("pull_request_target", text)
            self.assertNotRegex(text, r"(?i)aws_secret_access_key|AKIA[0-9A-Z]{16}")
        pull_request = loaded(harness.ROOT / ".github/workflows/pull-request.yml")
        self.assertEqual(list(pull_request["on"]), ["pull_request"])
        for name, job in pull_request["jobs"].items():
            if "id-token" in job["permissions"]:
                self.assertIn("head.repo.full_name == github.repository", job["if"], name)
            self.assertNotIn("environment", job)

    def test_what_a_caller_wrote_is_never_part_of_a_script(self):
        for workflow, name, job in jobs():
            for step in job["steps"]:
                self.assertNotIn("${{", step.get("run", ""), f"{workflow} {name}: hand it over in env")

    def test_checkouts_leave_no_credentials_behind(self):
        for workflow, name, job in jobs():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    self.assertIs(step["with"]["persist-credentials"], False, f"{workflow} {name}")

    def test_a_release_is_never_cut_off_and_a_rollback_never_waits_for_it(self):
        main = loaded(harness.ROOT / ".github/workflows/main.yml")
        rollback = loaded(harness.ROOT / ".github/workflows/rollback.yml")
        self.assertNotIn("concurrency", main)  # else a newer commit could cancel the whole run
        release, bake, back = (main["jobs"]["release"]["concurrency"], main["jobs"]["bake"]["concurrency"],
                               rollback["concurrency"])
        self.assertEqual([one["cancel-in-progress"] for one in (release, bake, back)], [False] * 3)
        self.assertEqual(len({one["group"] for one in (release, bake, back)}), 3)
        self.assertEqual(main["jobs"]["release"]["environment"], "production")
        self.assertEqual(list(rollback["on"]), ["workflow_dispatch"])

    def test_the_game_day_keeps_its_evidence_also_when_it_fails(self):
        [job] = loaded(harness.ROOT / ".github/workflows/game-day.yml")["jobs"].values()
        kept = job["steps"][-1]
        self.assertIn("upload-artifact", kept["uses"])
        self.assertEqual((kept["if"], kept["with"]["path"]), ("always()", "build/evidence/"))
        self.assertGreaterEqual(kept["with"]["retention-days"], 30)

    def test_they_only_say_when(self):
        """Each step calls one of our scripts with a stage and an environment that exist."""
        environments = {path.stem for path in (harness.ROOT / "deploy/settings").glob("*.yaml")}
        commands = [command for _, _, job in jobs() for step in job["steps"] if "run" in step and step.get("name") not in GLUE
                    for command in step["run"].splitlines()]
        for path in OTHERS:
            document = loaded(path)
            parts = document.get("phases", {}).values() if path.name == "buildspec.yml" else document["jobs"]["include"]
            commands += [command for part in parts for command in part.get("commands", part.get("script", []))]
        self.assertGreater(len(commands), 15)
        for command in commands:
            with self.subTest(command=command):
                words = command.split()
                self.assertIn(words[0], ("ci/run", "ci/tools", "tools/setup"))
                if words[0] == "ci/run":
                    self.assertIn(words[1], stages())
                    self.assertLessEqual(set(words[2:]), environments | {'"$RR_ENVIRONMENT"'})

    def test_values_that_a_workflow_has_to_repeat_are_those_of_the_settings(self):
        ci = loaded(harness.ROOT / "deploy/settings/production.yaml")["ci"]
        main, game_day = (loaded(harness.ROOT / f".github/workflows/{name}.yml") for name in ("main", "game-day"))
        self.assertEqual(main["on"]["push"]["branches"], [ci["branch"]])
        self.assertEqual(main["jobs"]["release"]["environment"], ci["github_environment"])
        self.assertEqual(game_day["on"]["schedule"], [{"cron": ci["game_day_schedule"]}])
        minutes = int(ci["release_timeout"].removesuffix("m"))
        rollback = loaded(harness.ROOT / ".github/workflows/rollback.yml")
        self.assertGreaterEqual(rollback["jobs"]["rollback"]["timeout-minutes"], minutes)
        self.assertGreater(main["jobs"]["release"]["timeout-minutes"], minutes)  # it applies before it releases

    def test_actionlint_finds_nothing(self):
        program = shutil.which("actionlint") or harness.skip("actionlint is not installed")
        done = subprocess.run([program, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


class Form(harness.TestCase):
    """What GitHub, CodeBuild and Travis would refuse or silently ignore: a key that is written wrong, a job that waits for one
    that is not there, an expression of something that does not exist. actionlint does more where it is installed."""

    WORKFLOW = {"name", "on", "permissions", "concurrency", "jobs", "env", "defaults", "run-name"}
    JOB = {"name", "needs", "if", "runs-on", "permissions", "concurrency", "environment", "env", "timeout-minutes", "steps",
           "strategy", "outputs", "defaults", "container", "services", "continue-on-error"}
    STEP = {"id", "name", "if", "uses", "with", "run", "env", "shell", "working-directory", "timeout-minutes", "continue-on-error"}
    EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch"}
    CONTEXTS = {"github", "vars", "inputs", "env", "needs", "runner", "job", "steps"}
    RUNNERS = re.compile(r"ubuntu-\d\d\.04(-arm)?")

    def complaints(self, document):
        """What is wrong with a workflow, a line each."""
        found = [f"unknown key {key}" for key in set(document) - self.WORKFLOW]
        found += [f"unknown event {event}" for event in set(document["on"]) - self.EVENTS]
        for name, job in document["jobs"].items():
            found += [f"{name}: unknown key {key}" for key in set(job) - self.JOB]
            needs = job.get("needs", [])
            found += [f"{name}: needs {one}, which is not there"
                      for one in ([needs] if isinstance(needs, str) else needs) if one not in document["jobs"]]
            labels = re.findall(r"ubuntu[\w.-]+", job["runs-on"]) or ["none"]
            found += [f"{name}: no such machine: {label}" for label in labels if not self.RUNNERS.fullmatch(label)]
            for step in job["steps"]:
                found += [f"{name}: unknown key {key} of a step" for key in set(step) - self.STEP]
                if len({"run", "uses"} & set(step)) != 1:
                    found.append(f"{name}: a step runs something or uses something")
        return found

    def test_workflows_have_the_keys_that_github_knows(self):
        for path in WORKFLOWS:
            self.assertEqual(self.complaints(loaded(path)), [], path.name)

    def test_what_is_written_wrong_is_found(self):
        """Each of these GitHub would ignore, or say only when the job is due."""
        def timeout(job):
            job["timeout-minute"] = job.pop("timeout-minutes")
        changes = {"unknown key timeout-minute": timeout, "needs build, which is not there": lambda job: job.update(needs="build"),
                   "no such machine: ubuntu-24.4": lambda job: job.update({"runs-on": "ubuntu-24.4"}),
                   "unknown key with-env of a step": lambda job: job["steps"][0].update({"with-env": {}}),
                   "a step runs something or uses something": lambda job: job["steps"][0].update(run="true")}
        for says, change in changes.items():
            document = loaded(WORKFLOWS[0])
            change(next(iter(document["jobs"].values())))
            self.assertRegex("\n".join(self.complaints(document)), re.escape(says))

    def test_expressions_ask_for_what_there_is(self):
        for path in WORKFLOWS:
            text = path.read_text(encoding="utf-8")
            inputs = (loaded(path)["on"].get("workflow_dispatch") or {}).get("inputs", {})
            expressions = re.findall(r"\$\{\{(.*?)\}\}", text) + re.findall(r"^ +if: (?!\$)(.+)$", text, re.MULTILINE)
            for expression in expressions:
                with self.subTest(workflow=path.name, expression=expression):
                    bare = re.sub(r"'[^']*'", "''", expression)
                    for context, name in re.findall(r"\b([a-z_]+)\.(\w+)", re.sub(r"(?<=\w)\.\w+(?=\.)", "", bare)):
                        self.assertIn(context, self.CONTEXTS)
                        if context == "inputs":
                            self.assertIn(name, inputs)
                    self.assertEqual(bare.count("("), bare.count(")"))
            self.assertEqual(text.count("${{"), text.count("}}"), path.name)

    def test_what_a_job_downloads_an_earlier_one_uploaded(self):
        document = loaded(harness.ROOT / ".github/workflows/main.yml")

        def artifacts(job, action):
            return {step["with"]["name"] for step in job["steps"] if f"/{action}-artifact@" in step.get("uses", "")}

        def before(name):
            needs = document["jobs"][name].get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            return set(needs).union(*(before(one) for one in needs))
        wanted = {name: artifacts(job, "download") for name, job in document["jobs"].items()}
        self.assertNotEqual(wanted["release"], set())
        for name, names in wanted.items():
            made = set().union(*(artifacts(document["jobs"][one], "upload") for one in before(name)))
            self.assertLessEqual(names, made, name)

    def test_the_buildspec_has_the_keys_that_codebuild_knows(self):
        document = loaded(OTHERS[0])
        self.assertLessEqual(set(document), {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"})
        self.assertEqual(document["version"], 0.2)
        self.assertLessEqual(set(document["phases"]), {"install", "pre_build", "build", "post_build"})
        for phase in document["phases"].values():
            self.assertLessEqual(set(phase), {"run-as", "on-failure", "runtime-versions", "commands", "finally"})
        self.assertIn(document["env"]["shell"], ("bash", "sh"))
        self.assertLessEqual(set(document["artifacts"]), {"files", "name", "discard-paths", "base-directory"})

    def test_the_travis_file_has_the_keys_that_travis_knows(self):
        document = loaded(OTHERS[1])
        self.assertLessEqual(set(document), {"language", "os", "dist", "arch", "stages", "jobs", "env", "if", "branches", "git"})
        stages_there = [one["name"] if isinstance(one, dict) else one for one in document["stages"]]
        for job in document["jobs"]["include"]:
            self.assertLessEqual(set(job), {"stage", "script", "name", "if", "env", "install", "before_script"})
            self.assertIn(job["stage"], stages_there)


class Script(harness.TestCase):
    """ci/run with an rr-deploy that writes down how it was called and ends as it is told."""

    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        stub = self.bin / "rr-deploy"
        stub.write_text('#!/bin/sh\necho "$@ commit=$CI_COMMIT build=$CI_BUILD"\nexit "${RR_STUB_EXIT:-0}"\n')
        stub.chmod(0o755)

    def ci(self, *arguments, **environment):
        return self.run_program(harness.ROOT / "ci/run", *arguments,
                                environment={**NO_CI, "RR_BIN": str(self.bin), **environment})

    def test_stages_of_an_environment_are_commands_of_rr_deploy(self):
        for stage, flags in (("plan", []), ("bake", []), ("apply", ["--yes"])):
            done = self.ci(stage, "production", CI_COMMIT="c0ffee1", CI_BUILD="7")
            self.assertEqual(done.stdout.split(), [stage, "production", *flags, "commit=c0ffee1", "build=7"])
        for stage, flags in (("release", []), ("rollback", ["--to", "12"])):
            done = self.ci(stage, "production", *flags, CI_COMMIT="c0ffee1", CI_BUILD="7")
            self.assertEqual(done.stdout.split(), [
                stage, "production", "--report", f"build/release-report/{stage}.json", "--junit",
                f"build/release-report/{stage}.xml", *flags, "commit=c0ffee1", "build=7"])

    def test_rr_deploy_takes_them_and_refuses_for_want_of_credentials_only(self):
        nobody = {"HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                  "AWS_CONFIG_FILE": "/dev/null",
                  **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"))}
        for stage in (("plan",), ("bake",), ("apply",), ("release",), ("rollback", "--to", "12")):
            done = self.ci(stage[0], "local", *stage[1:], RR_BIN=str(harness.bin_folder()), **nobody)
            self.assertEqual(done.returncode, 3, done)
            needed = {"plan": ["terraform"], "apply": ["terraform"], "bake": ["packer", "session-manager-plugin"]}.get(stage[0], [])
            missing = [tool for tool in needed if shutil.which(tool) is None]
            self.assertIn(f"{missing[0]} is not installed" if missing else "credentials", done.stderr)

    def test_a_tool_that_came_back_as_an_artifact_is_made_runnable(self):
        (self.bin / "rr-deploy").chmod(0o644)
        self.assertEqual(self.ci("plan", "production").returncode, 0)

    def test_a_folder_without_the_tool_is_named(self):
        (self.bin / "rr-deploy").unlink()
        done = self.ci("plan", "production")
        self.assertEqual((done.returncode, done.stderr), (3, f"ci/run: RR_BIN: {self.bin} holds no rr-deploy\n"))

    def test_its_exit_status_is_kept(self):
        for status in (0, 3, 10, 11):
            self.assertEqual(self.ci("release", "production", RR_STUB_EXIT=str(status)).returncode, status)

    def test_commit_and_build_are_those_of_the_ci_that_runs_it(self):
        for given in ({"GITHUB_SHA": "a1", "GITHUB_RUN_NUMBER": "1"},
                      {"CODEBUILD_RESOLVED_SOURCE_VERSION": "a1", "CODEBUILD_BUILD_NUMBER": "1"},
                      {"TRAVIS_COMMIT": "a1", "TRAVIS_BUILD_NUMBER": "1"},
                      {"CI_COMMIT": "a1", "CI_BUILD": "1", "GITHUB_SHA": "b2", "GITHUB_RUN_NUMBER": "2"}):
            self.assertIn("commit=a1 build=1", self.ci("plan", "production", **given).stdout)

    def test_without_a_ci_they_are_those_of_the_checkout(self):
        if not (harness.ROOT / ".git").exists():
            harness.skip("this is no checkout")
        head = subprocess.run(["git", "-C", str(harness.ROOT), "rev-parse", "HEAD"], capture_output=True, text=True,
                              check=True).stdout.strip()
        self.assertRegex(self.ci("plan", "production").stdout, rf"commit={head} build=\d+")

    def test_variables_are_those_that_the_settings_render(self):
        known = {line.split("=")[0] for line in rendered(self, "ci", "production").splitlines()}
        used = {name for path in WORKFLOWS for name in re.findall(r"vars\.(\w+)", path.read_text(encoding="utf-8"))}
        self.assertIn("RR_DEPLOY_ROLE", used)
        self.assertEqual(used - known - OWN_VARIABLES, set())

    def test_the_game_day_leaves_its_evidence_whatever_came_of_it(self):
        (self.folder / "ci").mkdir()
        shutil.copy(harness.ROOT / "ci/run", self.folder / "ci/run")
        demo = self.folder / "demo"
        for status in (0, 1):
            demo.write_text(f"#!/bin/sh\necho a zone fails\necho why >&2\nexit {status}\n")
            demo.chmod(0o755)
            done = self.run_program(self.folder / "ci/run", "game-day", cwd=self.folder,
                                    environment={**NO_CI, "CI_COMMIT": "c0ffee1", "CI_BUILD": "7"})
            self.assertEqual(done.returncode, status, done)
            evidence = {path.name: path.read_text() for path in (self.folder / "build/evidence").iterdir()}
            self.assertEqual((evidence["demo.txt"], evidence["demo.log"]), ("a zone fails\n", "why\n"))
            self.assertRegex(evidence["about.txt"], rf"^commit c0ffee1, build 7, \d{{4}}-(?s:.*)exit {status}\n$")

    def test_a_wrong_use_is_one_line_that_says_what_there_is(self):
        self.assert_usage_error(self.ci("deploy"), "deploy", "ci/run --help")
        self.assert_usage_error(self.ci("plan"), "which environment", "production")
        self.assert_usage_error(self.ci("release", "prod"), "prod", "production")
        shown = self.ci("--help")
        self.assertEqual(shown.returncode, 0)
        for stage in stages():
            self.assertIn(f"  {stage} ", shown.stdout)


class Bake(harness.TestCase):
    """packer/bake, with a Packer that writes down what it was given: everything before it is real."""

    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for receiver in ("packer", "unit"):
            (self.folder / receiver).write_text(rendered(self, receiver))
        self.tool("rr-deploy", f'[ "$1 $2 $3 $5" = "settings render --for local" ] && cat "{self.folder}/$4"')
        manifest = {"builds": [{"artifact_id": "eu-west-1:ami-0123", "custom_data": {"commit": "c0ffee1"}}]}
        (self.folder / "made").write_text(json.dumps(manifest))
        self.tool("packer", f'echo "$@" >>"{self.folder}/packer-calls"\n'
                            f'for word in "$@"; do case $word in manifest=*) cp "{self.folder}/made" "${{word#manifest=}}" ;; esac; done\n'
                            'exit "${RR_STUB_EXIT:-0}"')

    def tool(self, name, text):
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def bake(self, *flags, **environment):
        # A copy, so that nothing of this checkout's build/bake is touched.
        copy = self.folder / "copy"
        if not copy.exists():
            for name in ("packer", "deploy/settings"):
                shutil.copytree(harness.ROOT / name, copy / name, symlinks=True)
        return self.run_program(copy / "packer/bake", "local", *flags, cwd=copy, environment={
            **NO_CI, "PATH": f"{self.bin}:{os.environ['PATH']}", "RR_BIN": str(self.bin), "CI_COMMIT": "c0ffee1",
            "CI_BUILD": "7", "RR_STATIC_BIN": str(harness.bin_folder()), **environment})

    def calls(self):
        return (self.folder / "packer-calls").read_text().splitlines()

    def test_it_bakes_the_bundle_of_this_commit_and_says_which_image_it_became(self):
        done = self.bake()
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout.splitlines()[-1], "image ami-0123 of commit c0ffee1")
        first, second = self.calls()
        self.assertEqual(first, "init packer")
        self.assertRegex(second, r"^build -var-file=build/bake/local/bundle\.tar\.gz\.pkrvars\.json -var manifest=/\S+ packer$")
        variables = json.loads((self.folder / "copy/build/bake/local/bundle.tar.gz.pkrvars.json").read_text())
        self.assertEqual((variables["commit"], variables["build"]), ("c0ffee1", "7"))
        with tarfile.open(variables["bundle"]) as archive:
            self.assertIn("application/rr-webapp", archive.getnames())

    def test_packers_exit_status_is_kept_and_nothing_is_said_to_be_made(self):
        self.bake()
        done = self.bake(RR_STUB_EXIT="4")
        self.assertEqual(done.returncode, 4)
        self.assertNotIn("image ami", done.stdout)

    def test_flags_for_packer_are_handed_on(self):
        done = self.bake("--neutral", "--", "-var", "endpoint=http://127.0.0.1:1")
        self.assertEqual(done.returncode, 0, done)
        [only] = self.calls()
        self.assertTrue(only.endswith(" -var endpoint=http://127.0.0.1:1 packer/neutral"), only)

    def test_without_packer_it_says_where_to_get_it(self):
        (self.bin / "packer").unlink()
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("bash", "env", "dirname", "git", "sed", "paste"):
            (tools / name).symlink_to(shutil.which(name))
        done = self.bake(PATH=f"{self.bin}:{tools}")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("ci/tools", done.stderr)

    def test_wrong_flags_are_named(self):
        self.assert_usage_error(self.bake("--neutrl"), "--neutrl", "--help")
        self.assert_usage_error(self.bake("--commit"), "--commit needs a value")


class Tools(harness.TestCase):
    """ci/tools installs what the list's hash says, and nothing else."""

    def setUp(self):
        super().setUp()
        harness.need_command("curl")
        # A copy, so that nothing is put into this checkout's build/tools.
        (self.folder / "ci").mkdir()
        shutil.copy(harness.ROOT / "ci/tools", self.folder / "ci/tools")
        self.archive = self.folder / "tool.zip"
        with zipfile.ZipFile(self.archive, "w") as archive:
            archive.writestr("sometool", "#!/bin/sh\necho some tool\n")
        self.machine = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}[
            subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()]

    def tools(self, digest, *arguments):
        (self.folder / "list").write_text(f"# a list\nsometool 1.0 {self.machine} {digest} file://{self.archive}\n")
        return self.run_program(self.folder / "ci/tools", *arguments, environment={"RR_TOOLS_LOCK": str(self.folder / "list")})

    def digest(self):
        return hashlib.sha256(self.archive.read_bytes()).hexdigest()

    def test_a_tool_with_the_right_hash_is_installed_once(self):
        done = self.tools(self.digest())
        self.assertEqual((done.returncode, done.stdout), (0, "ci/tools: sometool 1.0\n"), done)
        self.assertEqual(self.run_program(self.folder / "build/tools/sometool").stdout, "some tool\n")
        digest = self.digest()
        self.archive.unlink()
        self.assertEqual(self.tools(digest, "sometool").returncode, 0)

    def test_a_tool_in_a_debian_package_is_taken_out_of_it(self):
        """Beside a file of its name that is no program."""
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as tree:
            for name, mode, text in (("./etc/sometool", 0o644, "not this"), ("./usr/local/some/bin/sometool", 0o755, "#!/bin/sh\necho packed\n")):
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(text), mode
                tree.addfile(info, io.BytesIO(text.encode()))
        content = b"!<arch>\n"
        for name, part in (("debian-binary", b"2.0"), ("control.tar.gz", b"control"), ("data.tar.gz", data.getvalue())):
            content += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(part):<10}`\n".encode() + part + b"\n" * (len(part) % 2)
        self.archive.write_bytes(content)
        done = self.tools(self.digest())
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.run_program(self.folder / "build/tools/sometool").stdout, "packed\n")
        self.archive.write_bytes(b"!<arch>\n")
        self.assertIn("holds no sometool", self.tools(self.digest()).stderr)

    def test_another_content_is_refused_and_not_kept(self):
        done = self.tools("0" * 64)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn("nothing is installed", done.stderr)
        self.assertIn(self.digest(), done.stderr)
        self.assertEqual(list((self.folder / "build/tools").iterdir()), [])

    def test_what_is_not_in_the_list_is_refused(self):
        self.assert_usage_error(self.tools(self.digest(), "curl"), "curl is not in")
        self.assert_usage_error(self.tools(self.digest(), "--all"), "--all")

    def test_a_list_with_nothing_for_this_machine_is_said(self):
        self.machine = "plan9_mips"
        for words in ([], ["sometool"]):
            done = self.tools(self.digest(), *words)
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("for linux_", done.stderr)

    def test_the_list_itself_has_one_hash_a_line(self):
        lines = [line for line in (harness.ROOT / "ci/tools.lock").read_text().splitlines() if not line.startswith("#")]
        platforms = {}
        for line in lines:
            name, version, platform, digest, address = line.split()
            platforms.setdefault((name, version), []).append(platform)
            self.assertRegex(digest, r"^[0-9a-f]{64}$")
            self.assertIn(f"/{version}/", address)
            self.assertTrue(address.startswith("https://"))
            self.assertIn(name, address)
            self.assertRegex(address, {"linux_amd64": "_linux_amd64[.]|/ubuntu_64bit/", "linux_arm64": "_linux_arm64[.]|/ubuntu_arm64/"}[platform])
        self.assertEqual({name for name, _ in platforms}, {"terraform", "packer", "session-manager-plugin"}, "one version of each")
        for name, there in platforms.items():
            self.assertEqual(sorted(there), ["linux_amd64", "linux_arm64"], name)
        self.assertEqual(len({line.split()[3] for line in lines}), len(lines), "no hash is another's")


if __name__ == "__main__":
    unittest.main()
