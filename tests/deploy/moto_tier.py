"""The AWS side of a tier, made by plain calls on moto's server (or the endpoint that RR_AWS_ENDPOINT names), with a relay that
writes down which calls of others than the test come by and what they were answered, and mends what moto makes of launch
templates (launch_templates.py). An endpoint that is given by name is used as it is.
"""

import http.client
import http.server
import os
import threading
import urllib.parse

import harness
from aws_calls import OWN, REGION, Calls
from launch_templates import Templates


def action_of(method, path, headers, body):
    """As the API's reference calls it. S3 has no names on the wire: the method, and whether there is a key."""
    if "X-Amz-Target" in headers:
        return headers["X-Amz-Target"].split(".")[-1]
    if path == "/":
        return urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    plain, _, query = path.partition("?")
    kind = "Object" if plain.count("/") > 1 else "Bucket"
    if method == "GET" and "versions=" in query:
        return "ListObjectVersions"
    return {"PUT": "Put" if kind == "Object" else "Create", "HEAD": "Head", "DELETE": "Delete", "GET": "Get"}[method] + kind


class _Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if OWN not in self.headers and (text := self.server.instead.get(action_of(self.command, self.path, self.headers, body))):
            return self.answer(200, [("Content-Type", "text/xml")], text.encode())
        templates = self.server.templates
        if templates is not None:
            body = templates.complete(body)
        connection = http.client.HTTPConnection(*self.server.back, timeout=harness.scaled(60))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "expect", "content-length")}
        connection.request(self.command, self.path, body if templates is None else templates.without_user_data(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        action = action_of(self.command, self.path, self.headers, body)
        if OWN not in self.headers:
            self.server.calls.append((action, answer.status))
        if templates is not None and answer.status == 200:
            content = templates.hear(action, body, content)
        connection.close()
        return self.answer(answer.status, answer.getheaders(), content)

    def answer(self, status, fields, content):
        self.send_response(status)
        for name, value in fields:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any


class MotoTier(Calls):
    """`url`, `calls` [(action, status)], and a group round-robin-local with two instances of template version 1. `instead`
    {action: text} is what the relay answers by itself, to others than the test."""

    def __init__(self, test):
        named = os.environ.get("RR_AWS_ENDPOINT")
        if named:
            parts = urllib.parse.urlsplit(named)
            back = (parts.hostname, parts.port)
        else:
            program = harness.need_command("moto_server", "moto's server: pip install 'moto[server]'")
            moto = test.start(program, "-H", "127.0.0.1", "-p", "0", name="moto")
            back = ("127.0.0.1", int(moto.wait_for(r"Running on http://127\.0\.0\.1:(\d+)", timeout=60).group(1)))
        relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Relay)
        relay.daemon_threads, relay.back, relay.calls, relay.templates = True, back, [], None if named else Templates()
        relay.instead = self.instead = {}
        threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        test.addCleanup(lambda: (relay.shutdown(), relay.server_close()))
        self.url, self.calls = f"http://127.0.0.1:{relay.server_port}", relay.calls

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                "AWS_SESSION_TOKEN": None, "AWS_PROFILE": None, "CI_COMMIT": None, "NO_PROXY": "127.0.0.1"}

    def make(self, commits):
        """Images that are tagged with these commits (their ids are returned), and the group on the first of them."""
        found = self.call("ec2", "DescribeImages", Owner_1="amazon", Filter_1_Name="architecture", Filter_1_Value_1="x86_64")
        images = [one.findtext("imageId") for one in found.find("imagesSet")][:len(commits)]
        for image, commit in zip(images, commits):
            self.call("ec2", "CreateTags", ResourceId_1=image, Tag_1_Key="Commit", Tag_1_Value=commit)
        subnets = self.call("ec2", "DescribeSubnets").find("subnetSet")
        subnet_ids = [one.findtext("subnetId") for one in subnets][:2]
        vpc = subnets[0].findtext("vpcId")
        name = "round-robin-local"
        template = self.call("ec2", "CreateLaunchTemplate", LaunchTemplateName=name, LaunchTemplateData_ImageId=images[0],
                             LaunchTemplateData_InstanceType="t3.micro").find("launchTemplate").findtext("launchTemplateId")
        targets = self.call("elasticloadbalancing", "CreateTargetGroup", Name=name, Protocol="HTTP", Port=8080, VpcId=vpc)
        targets = targets.find(".//TargetGroupArn").text
        balancer = self.call("elasticloadbalancing", "CreateLoadBalancer", Name=name, Subnets_member_1=subnet_ids[0],
                             Subnets_member_2=subnet_ids[1]).find(".//LoadBalancerArn").text
        self.call("elasticloadbalancing", "CreateListener", LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
                  DefaultActions_member_1_Type="forward", DefaultActions_member_1_TargetGroupArn=targets)
        self.call("autoscaling", "CreateAutoScalingGroup", AutoScalingGroupName=name, MinSize=2, MaxSize=4, DesiredCapacity=2,
                  VPCZoneIdentifier=",".join(subnet_ids), LaunchTemplate_LaunchTemplateId=template, LaunchTemplate_Version="1",
                  TargetGroupARNs_member_1=targets)
        self.call("monitoring", "PutMetricAlarm", AlarmName=f"{name}-release-5xx", MetricName="HTTPCode_Target_5XX_Count",
                  Namespace="AWS/ApplicationELB", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5,
                  ComparisonOperator="GreaterThanThreshold")
        return images
