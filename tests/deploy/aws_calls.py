"""The test's own calls to an AWS-compatible endpoint, plain and unsigned but for the form: they arrange things and look, beside
what the programs under test do. A relay that writes down calls leaves those out that carry OWN.
"""

import http.client
import json
import urllib.parse
import xml.etree.ElementTree

import harness

REGION = "eu-west-1"
OWN = "X-Of-The-Test"
VERSIONS = {"ec2": "2016-11-15", "autoscaling": "2011-01-01", "elasticloadbalancing": "2015-12-01", "monitoring": "2010-08-01",
            "iam": "2010-05-08"}


def strip(root):
    """The tree without namespaces."""
    for one in root.iter():
        one.tag = one.tag.rsplit("}", 1)[-1]
    return root


class Calls:
    """Whoever has a `url`."""

    def call(self, service, action, **parameters):
        """The answer of a query API as a tree. `Owner_1=...` is the parameter Owner.1."""
        body = urllib.parse.urlencode({"Action": action, "Version": VERSIONS[service],
                                       **{name.replace("_", "."): value for name, value in parameters.items()}})
        content = self._send("POST", "/", body, service, **{"Content-Type": "application/x-www-form-urlencoded"})
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
            raise AssertionError(f"{method} {path} {body[:80]}: {answer.status} {content[:300]}")
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

    def group(self):
        """(template version, desired capacity, ids of the instances, suspended processes) of the only group."""
        one = self.call("autoscaling", "DescribeAutoScalingGroups").find(".//AutoScalingGroups/member")
        return (one.findtext("LaunchTemplate/Version"), int(one.findtext("DesiredCapacity")),
                {instance.findtext("InstanceId") for instance in one.find("Instances")},
                {process.findtext("ProcessName") for process in one.find("SuspendedProcesses") or []})
