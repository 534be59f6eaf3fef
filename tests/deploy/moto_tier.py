"""The AWS side of a tier, made by plain calls on moto's server (or the endpoint that RR_AWS_ENDPOINT names), with a relay that
writes down which calls of others than the test come by and what they were answered.

moto 5.2 takes no notice of SourceVersion when a version of a launch template is made, and launches no instance of a version
that has user data (it fails on an assertion of its own). For moto the relay therefore does what AWS does: it lays the given data
over that of the source version, which it remembers in the words of the requests, and it keeps user data to itself and puts it into
what moto answers. An endpoint that is given by name is used as it is.
"""

import http.client
import http.server
import json
import os
import threading
import urllib.parse
import xml.etree.ElementTree

import harness

REGION = "eu-west-1"
VERSIONS = {"ec2": "2016-11-15", "autoscaling": "2011-01-01", "elasticloadbalancing": "2015-12-01", "monitoring": "2010-08-01"}


def strip(root):
    """The tree without namespaces."""
    for one in root.iter():
        one.tag = one.tag.rsplit("}", 1)[-1]
    return root


OWN = "X-Of-The-Test"  # of a request: the test's own, which is not written down
USER_DATA = "LaunchTemplateData.UserData"


class Templates:
    """known: {template's id: {version: its data as the request had it}}"""

    def __init__(self):
        self.known = {}

    @staticmethod
    def data_of(request):
        return {name: value for name, value in request if name.startswith("LaunchTemplateData.")}

    def complete(self, body):
        """The request with the data of its source version, where it names one."""
        if b"Action=CreateLaunchTemplateVersion" not in body:
            return body
        request = urllib.parse.parse_qsl(body.decode())
        words = dict(request)
        source = self.known.get(words["LaunchTemplateId"], {}).get(words.get("SourceVersion"), {})
        merged = {**source, **self.data_of(request)}
        return urllib.parse.urlencode([*[one for one in request if one[0] not in merged], *merged.items()]).encode()

    @staticmethod
    def without_user_data(body):
        if USER_DATA.encode() not in body:
            return body
        return urllib.parse.urlencode([one for one in urllib.parse.parse_qsl(body.decode()) if one[0] != USER_DATA]).encode()

    def hear(self, action, body, answer):
        """What moto answered to a request, as whoever asked shall see it."""
        if action in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"):
            root = strip(xml.etree.ElementTree.fromstring(answer))
            versions = self.known.setdefault(root.findtext(".//launchTemplateId"), {})
            versions[root.findtext(".//versionNumber") or "1"] = self.data_of(urllib.parse.parse_qsl(body.decode()))
        if action != "DescribeLaunchTemplateVersions":
            return answer
        root = strip(xml.etree.ElementTree.fromstring(answer))
        for one in root.iterfind(".//launchTemplateVersionSet/item"):
            data = self.known.get(one.findtext("launchTemplateId"), {}).get(one.findtext("versionNumber"), {})
            if USER_DATA in data:
                xml.etree.ElementTree.SubElement(one.find("launchTemplateData"), "userData").text = data[USER_DATA]
        return xml.etree.ElementTree.tostring(root)


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
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")
        connection.close()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any


class MotoTier:
    """`url`, `calls` [(action, status)], and a group round-robin-local with two instances of template version 1."""

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
        threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        test.addCleanup(lambda: (relay.shutdown(), relay.server_close()))
        self.url, self.calls = f"http://127.0.0.1:{relay.server_port}", relay.calls

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                "AWS_SESSION_TOKEN": None, "AWS_PROFILE": None, "CI_COMMIT": None, "NO_PROXY": "127.0.0.1"}

    def call(self, service, action, **parameters):
        body = urllib.parse.urlencode({"Action": action, "Version": VERSIONS[service],
                                       **{name.replace("_", "."): value for name, value in parameters.items()}})
        host, port = self.url[7:].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=harness.scaled(60))
        connection.request("POST", "/", body, {
            "Content-Type": "application/x-www-form-urlencoded", OWN: "yes",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{action}: {answer.status} {content[:300]}")
        return strip(xml.etree.ElementTree.fromstring(content))

    def _send(self, method, path, body, service, **headers):
        host, port = self.url[7:].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=harness.scaled(60))
        connection.request(method, path, body, {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            OWN: "yes", **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]}")
        return content

    def json_call(self, service, target, **parameters):
        return json.loads(self._send("POST", "/", json.dumps(parameters), service, **{
            "X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}) or "{}")

    def object(self, method, path, body=b""):
        return self._send(method, path, body, "s3")

    def make_bucket(self, name):
        self.object("PUT", f"/{name}", b"<CreateBucketConfiguration><LocationConstraint>" + REGION.encode() +
                    b"</LocationConstraint></CreateBucketConfiguration>")

    def versions_of(self, bucket, key):
        root = strip(xml.etree.ElementTree.fromstring(self.object("GET", f"/{bucket}?versions=")))
        return [one.findtext("VersionId") for one in root if one.findtext("Key") == key]

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

    def group(self):
        """(template version, desired capacity, ids of the instances)"""
        one = self.call("autoscaling", "DescribeAutoScalingGroups").find(".//AutoScalingGroups/member")
        return (one.findtext("LaunchTemplate/Version"), int(one.findtext("DesiredCapacity")),
                {instance.findtext("InstanceId") for instance in one.find("Instances")},
                {process.findtext("ProcessName") for process in one.find("SuspendedProcesses") or []})
