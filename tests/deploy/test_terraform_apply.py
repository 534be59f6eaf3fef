"""Terraform with the real AWS provider against an AWS-compatible endpoint (endpoint.py): the tier is made, a second plan
finds nothing to do, a release made by others stays, each setting changes what it is about and nothing else, and destroy leaves
nothing behind.

One long test, because the provider takes seconds to start and a load balancer a minute to make. Plans of changed settings
are made without asking the endpoint again. RR_AWS_ENDPOINT leads the same tests to another endpoint.
"""

import json
import re
import unittest

import harness
from endpoint import Endpoint
from remains import remains
from terraform import Workspace, provider_mirror, settings_for

SETTINGS = "module.tier.module.release_store.aws_ssm_parameter.settings"
BALANCER = "module.tier.module.load_balancer.aws_lb.this"
TARGETS = "module.tier.module.load_balancer.aws_lb_target_group.this"
HTTP = "module.tier.module.load_balancer.aws_lb_listener.http"
HTTPS = "module.tier.module.load_balancer.aws_lb_listener.https[0]"
TEMPLATE = "module.tier.module.fleet.aws_launch_template.this"
GROUP = "module.tier.module.fleet.aws_autoscaling_group.this"
ROLE_POLICY = "module.tier.module.fleet.aws_iam_role_policy.instance"
LOGS = "module.tier.module.observability.aws_cloudwatch_log_group.this"
DASHBOARD = "module.tier.module.observability.aws_cloudwatch_dashboard.this"
BUCKET = "module.tier.module.release_store.aws_s3_bucket.artifacts"
LIFECYCLE = "module.tier.module.release_store.aws_s3_bucket_lifecycle_configuration.artifacts"
FROM_BALANCER = "module.tier.module.network.aws_vpc_security_group_ingress_rule.from_load_balancer"
TO_INSTANCES = "module.tier.module.network.aws_vpc_security_group_egress_rule.to_instances"


def front(rule):
    return f'module.tier.module.network.aws_vpc_security_group_ingress_rule.front["{rule}"]'


LOG_FILTER = "module.tier.module.observability.aws_cloudwatch_log_metric_filter.errors[0]"
LOG_ALARM = "module.tier.module.observability.aws_cloudwatch_metric_alarm.logged_errors[0]"


def alarm(name, kind="release"):
    return f'module.tier.module.observability.aws_cloudwatch_metric_alarm.{kind}["{name}"]'


RELEASE_ALARMS = [alarm(name) for name in ("target-5xx", "load-balancer-5xx", "response-time", "rejected-connections")]
WATCH_ALARMS = [alarm(name, "watch") for name in ("unhealthy-hosts", "too-few-healthy-hosts")]
# Alarms and charts of the target group name it; those of the load balancer alone do not.
TARGET_ALARMS = [alarm("target-5xx"), alarm("response-time"), *WATCH_ALARMS]
REPLACED = "replaced"
CREATED, DELETED = "created", "deleted"


def change_port(s):
    s["application"]["port"] += 1


def change_health_check(s):
    s["application"]["health_check_path"] = "/ready"
    s["target_group"]["deregistration_delay"] += 1
    s["target_group"]["slow_start"] = 30
    s["target_group"]["health_check"].update(interval=11, timeout=4, healthy_threshold=3, unhealthy_threshold=4, matcher="200-204")


def change_instance(s):
    s["instance"].update(type="t3.large", root_volume_size=s["instance"]["root_volume_size"] + 1, public_ip=False)


def change_group(s):
    s["auto_scaling_group"].update(min_size=1, max_size=9, health_check_grace_period=77, default_instance_warmup=7,
                                   min_healthy_percentage=90, max_healthy_percentage=190, termination_policies=["Default"])
    s["release"]["deadline"] += 1


def change_desired_capacity(s):
    s["auto_scaling_group"].update(desired_capacity=3, max_size=6)


def change_balancer(s):
    s["load_balancer"].update(idle_timeout=61, client_keep_alive=3601, desync_mitigation_mode="strictest", deletion_protection=True)


def change_front_port(s):
    s["load_balancer"]["http_port"] += 1


def change_who_may_connect(s):
    s["load_balancer"]["allowed_cidrs"] = ["192.0.2.0/24"]


def change_to_https(s):
    s["load_balancer"].update(certificate_arn=f"arn:aws:acm:{s['aws']['region']}:123456789012:certificate/0",
                              host_name="www.example.org", https_port=8443, ssl_policy="ELBSecurityPolicy-TLS13-1-3-2021-06")


def change_access_logs(s):
    s["load_balancer"]["access_log_bucket"] = "logs-of-the-front"


def change_alarms(s):
    s["alarms"].update(period=120, evaluation_periods=4, datapoints=2, target_5xx_count=6, load_balancer_5xx_count=7,
                       response_time_p99=1.5, rejected_connections=2, unhealthy_hosts=2, unhealthy_evaluation_periods=5,
                       unhealthy_datapoints=3, logged_errors=11, topic_arns=[f"arn:aws:sns:{s['aws']['region']}:123456789012:alarms"])
    s["release"]["bake_time"] = 240


def change_logs(s):
    s["logs"].update(retention_days=14, kms_key_arn=f"arn:aws:kms:{s['aws']['region']}:123456789012:key/0")


def change_the_words_for_an_error(s):
    s["logs"]["error_pattern"] = "ERROR"


def change_to_no_words(s):
    s["logs"]["error_pattern"] = ""


def change_artifacts(s):
    s["artifacts"].update(prefix="elsewhere", expire_after=2 * 86400)


def change_what_is_not_terraforms(s):
    s["application"].update(start_command="./other", version_from="none", runtime_packages=["nodejs"], folder="app")
    s["unit"].update(notify=False, watchdog=11, restart_delay=2, stop_timeout=99, open_files=2048, write_execute_memory=True)
    s["bake"].update(instance_type="t3.medium", connect_timeout=99, cloudwatch_agent_version="9.9.9b9", deprecate_after=3600)
    s["release"].update(poll_interval=9, patience=30, lock_timeout=600, keep_versions=9, keep_images=8)
    s["verification"].update(consecutive_answers=5, minimum_instances=1, question_interval=0.5, answer_timeout=1.5, deadline=44)
    s["probe"].update(interval=0.4, answer_timeout=0.9, allowed_failures=0)
    s["ci"].update(branch="trunk", repository="org/repo", role_session=7200, game_day_schedule="1 1 * * 1")
    s["simulator"].update(speed=10, ground="plain")


def alarm_changes(alarms, *attributes):
    return {address: set(attributes) for address in alarms}


# What each change plans, beside the settings' own copy in Parameter Store: the attributes of each resource, or what
# becomes of the whole resource.
CASES = {
    change_port: {TARGETS: REPLACED, HTTP: {"default_action"}, GROUP: {"target_group_arns"}, DASHBOARD: {"dashboard_body"},
                  FROM_BALANCER: {"from_port", "to_port"}, TO_INSTANCES: {"from_port", "to_port"},
                  **alarm_changes(TARGET_ALARMS, "dimensions")},
    change_health_check: {TARGETS: {"health_check", "deregistration_delay", "slow_start"}},
    change_instance: {TEMPLATE: {"instance_type", "block_device_mappings", "network_interfaces"}},
    change_group: {GROUP: {"min_size", "max_size", "health_check_grace_period", "default_instance_warmup",
                           "instance_maintenance_policy", "termination_policies", "wait_for_capacity_timeout"}},
    change_desired_capacity: {GROUP: {"max_size", "min_elb_capacity"}, alarm("too-few-healthy-hosts", "watch"): {"threshold"}},
    change_balancer: {BALANCER: {"idle_timeout", "client_keep_alive", "desync_mitigation_mode", "enable_deletion_protection"},
                      BUCKET: {"force_destroy"}},
    change_front_port: {HTTP: {"port"}, front("http from 0.0.0.0/0"): {"from_port", "to_port"}},
    change_who_may_connect: {front("http from 0.0.0.0/0"): DELETED, front("http from 192.0.2.0/24"): CREATED},
    change_to_https: {HTTP: {"default_action"}, HTTPS: CREATED, front("https from 0.0.0.0/0"): CREATED},
    change_access_logs: {BALANCER: {"access_logs"}},
    change_alarms: {**alarm_changes(RELEASE_ALARMS, "period", "evaluation_periods", "datapoints_to_alarm", "threshold",
                                    "alarm_actions", "ok_actions"),
                    alarm("unhealthy-hosts", "watch"): {"period", "evaluation_periods", "datapoints_to_alarm", "threshold",
                                                        "alarm_actions", "ok_actions"},
                    alarm("too-few-healthy-hosts", "watch"): {"period", "evaluation_periods", "datapoints_to_alarm",
                                                              "alarm_actions", "ok_actions"},
                    LOG_ALARM: {"period", "evaluation_periods", "datapoints_to_alarm", "threshold", "alarm_actions", "ok_actions"},
                    DASHBOARD: {"dashboard_body"}},
    change_logs: {LOGS: {"retention_in_days", "kms_key_id"}},
    change_the_words_for_an_error: {LOG_FILTER: {"pattern"}},
    change_to_no_words: {LOG_FILTER: DELETED, LOG_ALARM: DELETED},
    change_artifacts: {LIFECYCLE: {"rule"}, ROLE_POLICY: {"policy"}},
    change_what_is_not_terraforms: {},
}


# Planned together, since a plan takes seconds: changes of one row touch no resource of another, so whatever is planned
# belongs to one of them.
BATCHES = [
    [change_port, change_instance, change_balancer, change_the_words_for_an_error, change_logs, change_artifacts],
    [change_health_check, change_group, change_front_port, change_access_logs, change_alarms],
    [change_desired_capacity, change_who_may_connect, change_to_no_words],
    [change_to_https],
    [change_what_is_not_terraforms],
]

# Of the group's, what the provider leaves to AWS whenever anything of it changes.
LEFT_TO_AWS = {"capacity_reservation_specification"}


def same(one, other):
    """Equal, or both empty: where the provider sends nothing, AWS may answer with an empty list."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return all(map(same, one, other))
    return one == other or (not one and not other and not isinstance(one, bool) and not isinstance(other, bool))


def planned(plan):
    """{address: changed attributes, or what becomes of it} of a plan as JSON."""
    found = {}
    for one in plan["resource_changes"]:
        change = one["change"]
        if one["mode"] != "managed" or change["actions"] in (["no-op"], ["read"]):
            continue
        if change["actions"] == ["update"]:
            before, after = change["before"], change["after"]
            # What is computed follows from the rest: versions, and what is only known after the apply.
            changed = {key for key in before if key in after and not same(before[key], after[key])} - LEFT_TO_AWS
            inputs = {"dimensions", "dashboard_body", "target_group_arns", "default_action", "policy"}
            found[one["address"]] = changed | {key for key in inputs if change["after_unknown"].get(key)}
        else:
            found[one["address"]] = {("create",): CREATED, ("delete",): DELETED}.get(tuple(change["actions"]), REPLACED)
    return found


class Cases(harness.TestCase):
    def test_each_change_is_in_one_batch_and_touches_nothing_of_the_others(self):
        self.assertEqual(sorted(one.__name__ for batch in BATCHES for one in batch), sorted(one.__name__ for one in CASES))
        for batch in BATCHES:
            addresses = [address for one in batch for address in CASES[one]]
            self.assertEqual(len(addresses), len(set(addresses)), [one.__name__ for one in batch])

    def test_every_setting_is_changed_by_one_of_them(self):
        """But those that say where and what: another name, region or account is another tier."""
        before = json.loads(settings_for("terraform", "local"))
        changed = set()

        def leaves(value, key=""):
            if isinstance(value, dict):
                return {name: leaf for part, below in value.items() for name, leaf in leaves(below, f"{key}.{part}".lstrip(".")).items()}
            return {key: value}
        for one in CASES:
            after = json.loads(json.dumps(before))
            one(after)
            changed |= {key for key, value in leaves(after).items() if value != leaves(before)[key]}
        place = {"name", "environment", "application.name", "aws.account", "aws.region", "aws.zones", "aws.vpc_id", "aws.subnet_ids",
                 "aws.instance_subnet_ids", "instance.architecture", "bake.base_image_parameter", "artifacts.bucket"}
        named = {key for key in leaves(before) if key.startswith(("names.", "ci.", "simulator."))}
        self.assertEqual(set(leaves(before)) - changed - place - named, set())


class Tier(harness.TestCase):
    first = True

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all: it takes minutes")
        self.settings = json.loads(settings_for("terraform", "local"))
        self.name = self.settings["names"]["tier"]
        self.workspace = Workspace(self)
        harness.need_command("aws", "awscli")
        self.endpoint = Endpoint(self, self.settings["aws"]["region"])

    def terraform(self, command, *arguments, **options):
        return self.workspace.run(command, *arguments, "-no-color", environment=self.endpoint.environment(), **options)

    def variables(self, name="settings", change=None):
        file = self.workspace.variables(name, "local", change)
        return [f"-var-file={file}", f"-var=local_endpoint={'true' if self.endpoint.is_moto else 'false'}"]

    def plan(self, *arguments, expected=(0,)):
        return self.terraform("plan", "-detailed-exitcode", "-input=false", "-lock=false", *arguments, timeout=300, expected=expected)

    def images(self):
        return sorted(self.endpoint.aws("ec2", "describe-images", "--owners", "amazon", "--query",
                                        "Images[?Architecture=='x86_64'].ImageId"))

    def test_from_nothing_to_nothing(self):
        self.workspace.use_local_state()
        self.terraform("init", "-lockfile=readonly")
        self.workspace.keep_provider(self.endpoint.environment())
        first, second = self.images()[:2]
        self.terraform("apply", "-auto-approve", "-input=false", *self.variables(), f"-var=initial_image_id={first}", timeout=400)
        with self.subTest("a second plan has nothing to do"):
            self.plan(*self.variables())
        self.look_at_what_was_made(first)
        with self.subTest("a release by others stays"):
            self.release(second)
            self.plan(*self.variables())
        for batch in BATCHES:
            with self.subTest([change.__name__ for change in batch]):
                self.plan_changes(batch)
        with self.subTest("a change of the shape keeps the image that was released"):
            self.change_the_shape(second)
        self.terraform("destroy", "-auto-approve", "-input=false", *self.variables(), timeout=400)
        self.assertEqual(remains(self.endpoint, self.settings["names"]), {})
        for action in ("StartInstanceRefresh", "CancelInstanceRefresh", "SetDesiredCapacity"):
            self.assertNotIn(action, self.endpoint.actions(), "a release's, not Terraform's")

    def look_at_what_was_made(self, image):
        aws = self.endpoint.aws
        data = "LaunchTemplateVersions[0].LaunchTemplateData"
        self.assertEqual(aws("ec2", "describe-launch-template-versions", "--launch-template-name", self.name, "--query",
                             f"{data}.[ImageId,MetadataOptions.HttpTokens,BlockDeviceMappings[0].Ebs.Encrypted]"),
                         [image, "required", "True"])
        group = aws("autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", self.name, "--query",
                    "AutoScalingGroups[0].[LaunchTemplate.Version,HealthCheckType,DesiredCapacity,length(TargetGroupARNs)]")
        self.assertEqual(group, ["1", "ELB", str(self.settings["auto_scaling_group"]["desired_capacity"]), "1"])
        document = aws("ssm", "get-parameter", "--name", self.settings["names"]["settings_parameter"], "--query", "Parameter.Value")
        wanted = {key: value for key, value in self.settings.items() if key != "names"}
        self.assertEqual(json.loads(" ".join(document)), wanted)

    def release(self, image):
        """What a release leaves: a version with another image and description, and the group at its number."""
        found = self.endpoint.aws("ec2", "describe-launch-template-versions", "--launch-template-name", self.name, "--query",
                                  "to_string(LaunchTemplateVersions[0].LaunchTemplateData)")
        data = {**json.loads(" ".join(found)), "ImageId": image}
        version = self.endpoint.aws("ec2", "create-launch-template-version", "--launch-template-name", self.name,
                                    "--version-description", "a release", "--launch-template-data", json.dumps(data), "--query",
                                    "LaunchTemplateVersion.VersionNumber")
        self.assertEqual(version, ["2"])
        self.endpoint.aws("autoscaling", "update-auto-scaling-group", "--auto-scaling-group-name", self.name, "--launch-template",
                          f"LaunchTemplateName={self.name},Version=2")

    def plan_changes(self, batch):
        def change(settings):
            for one in batch:
                one(settings)
        saved = str(self.folder / "plan")
        self.plan("-refresh=false", f"-out={saved}", *self.variables("changed", change), expected=(2,))
        shown = self.terraform("show", "-json", saved)
        expected = {address: what for one in batch for address, what in CASES[one].items()}
        self.assertEqual(planned(json.loads(shown.stdout)), {SETTINGS: {"value"}, **expected})

    def change_the_shape(self, image):
        def larger(settings):
            settings["instance"]["root_volume_size"] += 1
        variables = self.variables("larger", larger)
        self.terraform("apply", "-auto-approve", "-input=false", *variables, timeout=300)
        data = "LaunchTemplateVersions[0].[VersionNumber,LaunchTemplateData.ImageId,LaunchTemplateData.BlockDeviceMappings[0].Ebs.VolumeSize]"
        found = self.endpoint.aws("ec2", "describe-launch-template-versions", "--launch-template-name", self.name, "--versions",
                                  "$Latest", "--query", data)
        self.assertEqual(found, ["3", image, str(self.settings["instance"]["root_volume_size"] + 1)])
        group = self.endpoint.aws("autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", self.name, "--query",
                                  "AutoScalingGroups[0].LaunchTemplate.Version")
        self.assertEqual(group, ["2"], "the version that the group uses is a release's")


class Examples(harness.TestCase):
    """Both examples are planned with the real provider; of the complete one everything that it names exists."""

    first = True

    def setUp(self):
        super().setUp()
        if not harness.long_run():
            harness.skip("only in ./check --all: the provider takes seconds to start")
        self.region = json.loads(settings_for("terraform"))["aws"]["region"]
        self.attached = {}
        provider_mirror()
        harness.need_command("aws", "awscli")
        self.endpoint = Endpoint(self, self.region)
        self.image = self.endpoint.aws("ec2", "describe-images", "--owners", "amazon", "--filters", "Name=architecture,Values=x86_64",
                                       "--query", "Images[0].ImageId")[0]

    def planned(self, example, settings):
        """{address: what it will be} of an example with these settings."""
        workspace = Workspace(self, f"examples/{example}")
        if example == "complete":
            (workspace.root / "answers.tf").unlink()  # its provider is another, and the tier is not there
        workspace.use_local_state()
        (workspace.root / "settings.json").write_text(settings, encoding="utf-8")
        environment = self.endpoint.environment()
        workspace.run("init", "-no-color", environment=environment)
        if not self.attached:
            workspace.keep_provider(environment)
            self.attached = workspace.attached
        workspace.attached = self.attached
        saved = str(self.folder / f"{example}.plan")
        workspace.run("plan", "-no-color", f"-var=initial_image_id={self.image}", f"-out={saved}", environment=environment)
        shown = json.loads(workspace.run("show", "-json", saved, environment=environment).stdout)
        return {one["address"]: one["change"]["after"] for one in shown["resource_changes"] if one["change"]["actions"] == ["create"]}

    def surroundings(self):
        """(VPC, subnets that people reach, subnets that nobody reaches)"""
        aws = self.endpoint.aws
        [vpc] = aws("ec2", "create-vpc", "--cidr-block", "10.9.0.0/16", "--query", "Vpc.VpcId")
        subnets = [aws("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", f"10.9.{number}.0/24", "--availability-zone",
                       f"{self.region}{zone}", "--query", "Subnet.SubnetId")[0] for number, zone in enumerate("abab")]
        return vpc, subnets[:2], subnets[2:]

    def test_they_plan_what_they_say(self):
        with self.subTest("minimal"):
            minimal = self.planned("minimal", settings_for("terraform"))
            self.assertEqual(minimal["module.tier.module.load_balancer.aws_lb_listener.http"]["default_action"][0]["type"], "forward")
            self.assertGreater(len(minimal), 25)
        vpc, front, back = self.surroundings()
        text = (harness.ROOT / "terraform/examples/complete/complete.yaml").read_text(encoding="utf-8")
        for key, value in {"vpc_id": vpc, "subnet_ids": f"[{', '.join(front)}]", "instance_subnet_ids": f"[{', '.join(back)}]"}.items():
            text, number = re.subn(rf"^  {key}: .*$", f"  {key}: {value}", text, flags=re.MULTILINE)
            self.assertEqual(number, 1, key)
        complete = self.planned("complete", settings_for("terraform", "complete", text, self.folder))
        with self.subTest("the front"):
            balancer = complete["module.tier.module.load_balancer.aws_lb.this"]
            self.assertEqual(sorted(balancer["subnets"]), sorted(front))
            self.assertEqual([one["enabled"] for one in balancer["access_logs"]], [True])
            self.assertEqual(complete["module.tier.module.load_balancer.aws_lb_listener.http"]["default_action"][0]["type"], "redirect")
            self.assertIn("module.tier.module.load_balancer.aws_lb_listener.https[0]", complete)
        with self.subTest("the instances"):
            self.assertEqual(sorted(complete["module.tier.module.fleet.aws_autoscaling_group.this"]["vpc_zone_identifier"]), sorted(back))
            card = complete["module.tier.module.fleet.aws_launch_template.this"]["network_interfaces"][0]
            self.assertEqual(card["associate_public_ip_address"], "false")
        with self.subTest("who is told, and the key"):
            self.assertTrue(all(one["alarm_actions"] for address, one in complete.items() if "metric_alarm" in address))
            self.assertIn(":key/", complete["module.tier.module.observability.aws_cloudwatch_log_group.this"]["kms_key_id"])


if __name__ == "__main__":
    unittest.main()
