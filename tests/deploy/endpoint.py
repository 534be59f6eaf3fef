"""An AWS-compatible endpoint for the tests: the one that RR_AWS_ENDPOINT names, else moto's server on a port of the kernel's
choice, behind a relay that gives back what moto forgets, and mends what it makes of launch templates (launch_templates.py).

moto 5.2 loses a few members that it is given, which Terraform would see as a change at every plan. The relay remembers them
from the requests and puts them into the answers, as AWS has them:

  DescribeAutoScalingGroups        DefaultInstanceWarmup and InstanceMaintenancePolicy
  DescribeSecurityGroupRules       the description of a rule that names another group
  DescribeLaunchTemplateVersions   the template's own tags are not in its data

An endpoint that is given by name is used as it is.
"""

import http.client
import http.server
import os
import re
import threading
import urllib.parse
import xml.etree.ElementTree as xml

import harness
from aws_calls import OWN, Calls
from launch_templates import Templates
from terraform import need_tool


def _local(element):
    return element.tag.rsplit("}", 1)[-1]


def _child(element, name):
    return next((one for one in element if _local(one) == name), None)


def _text(element, name):
    found = _child(element, name)
    return found.text if found is not None else None


def _add(element, name, text=None):
    child = xml.SubElement(element, element.tag[:element.tag.find("}") + 1] + name)
    child.text = text
    return child


class Memory:
    """What moto was told and will not say again."""

    def __init__(self):
        self.groups, self.rules = {}, {}

    def hear(self, action, request, answer):
        if action in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup"):
            known = self.groups.setdefault(request["AutoScalingGroupName"], {})
            for key in ("DefaultInstanceWarmup", "InstanceMaintenancePolicy.MinHealthyPercentage",
                        "InstanceMaintenancePolicy.MaxHealthyPercentage"):
                if key in request:
                    known[key] = request[key]
        elif action in ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"):
            identity = re.search(rb"<securityGroupRuleId>([^<]+)<", answer)
            description = request.get("IpPermissions.1.Groups.1.Description")
            if identity and description:
                self.rules[identity.group(1).decode()] = description
        elif action == "ModifySecurityGroupRules":
            identity = request.get("SecurityGroupRule.1.SecurityGroupRuleId")
            description = request.get("SecurityGroupRule.1.SecurityGroupRule.Description")
            if identity and description:
                self.rules[identity] = description

    def repair(self, action, answer):
        repairs = {"DescribeAutoScalingGroups": self._groups, "DescribeSecurityGroupRules": self._rules,
                   "DescribeLaunchTemplateVersions": self._templates}
        if action not in repairs:
            return answer
        root = xml.fromstring(answer)
        if "}" in root.tag:
            xml.register_namespace("", root.tag[1:root.tag.find("}")])
        repairs[action](root)
        return xml.tostring(root, encoding="utf-8", xml_declaration=True)

    def _groups(self, root):
        for one in list(root.iter()):
            known = self.groups.get(_text(one, "AutoScalingGroupName")) if _child(one, "VPCZoneIdentifier") is not None else None
            if not known:
                continue
            if "DefaultInstanceWarmup" in known and _child(one, "DefaultInstanceWarmup") is None:
                _add(one, "DefaultInstanceWarmup", known["DefaultInstanceWarmup"])
            if _child(one, "InstanceMaintenancePolicy") is None and "InstanceMaintenancePolicy.MinHealthyPercentage" in known:
                policy = _add(one, "InstanceMaintenancePolicy")
                for name in ("MinHealthyPercentage", "MaxHealthyPercentage"):
                    _add(policy, name, known[f"InstanceMaintenancePolicy.{name}"])

    def _rules(self, root):
        for one in root.iter():
            description = self.rules.get(_text(one, "securityGroupRuleId"))
            if description and not _text(one, "description"):
                stale = _child(one, "description")
                if stale is not None:
                    one.remove(stale)
                _add(one, "description", description)

    @staticmethod
    def _templates(root):
        for specifications in root.iter():
            if _local(specifications) == "tagSpecificationSet":
                for one in [one for one in specifications if _text(one, "resourceType") == "launch-template"]:
                    specifications.remove(one)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _relay(self):
        body = self.server.templates.complete(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        connection = http.client.HTTPConnection(*self.server.back, timeout=harness.scaled(60))
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in ("connection", "expect", "content-length")}
        connection.request(self.command, self.path, self.server.templates.without_user_data(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        action = self._action(body)
        if answer.status == 200 and action:
            with self.server.lock:
                content = self._mended(action, body, content)
        if OWN not in self.headers:
            with self.server.lock:
                self.server.calls.append((self.headers.get("Authorization", ""), action or f"{self.command} {self.path}", answer.status))
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "server", "date"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _relay

    def _mended(self, action, body, content):
        memory = self.server.memory
        memory.hear(action, dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"))), content)
        return memory.repair(action, self.server.templates.hear(action, body, content))

    def _action(self, body):
        if self.headers.get("X-Amz-Target"):
            return self.headers["X-Amz-Target"].rsplit(".", 1)[-1]
        found = re.match(rb"(?:.*&)?Action=(\w+)", body) if self.path == "/" else None
        return found.group(1).decode() if found else None

    def log_message(self, *arguments):
        pass


class Endpoint(Calls):
    """`url`, the environment that leads every tool there, and the calls that came by (of the relay only)."""

    def __init__(self, test, region):
        self.test, self.region = test, region
        self.url = os.environ.get("RR_AWS_ENDPOINT", "")
        self.is_moto = not self.url
        self.calls = []
        if self.is_moto:
            self._start_moto()

    def _start_moto(self):
        program = need_tool("moto_server")
        moto = self.test.start(program, "-H", "127.0.0.1", "-p", "0", name="moto")
        port = int(moto.wait_for(r"Running on http://127\.0\.0\.1:(\d+)", timeout=60).group(1))
        relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        relay.daemon_threads = True
        relay.back, relay.memory, relay.lock, relay.calls = ("127.0.0.1", port), Memory(), threading.Lock(), self.calls
        relay.templates = Templates()
        thread = threading.Thread(target=relay.serve_forever, daemon=True)
        thread.start()
        self.test.addCleanup(lambda: (relay.shutdown(), relay.server_close(), thread.join()))
        self.url = f"http://127.0.0.1:{relay.server_port}"

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
                "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"), "AWS_REGION": self.region,
                "AWS_DEFAULT_REGION": self.region, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PAGER": "", "NO_PROXY": "127.0.0.1", "AWS_PROFILE": None}

    def aws(self, *arguments):
        """What the AWS CLI prints as text, one item a word."""
        program = harness.need_command("aws", "awscli")
        done = self.test.run_program(program, *arguments, "--output", "text", timeout=120, environment=self.environment())
        self.test.assertEqual(done.returncode, 0, done)
        return done.stdout.split()

    def actions(self):
        return [action for _, action, _ in self.calls]
