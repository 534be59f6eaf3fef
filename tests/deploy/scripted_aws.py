"""An AWS and a load balancer of the test's own, for rr-deploy: one group, its launch template, instance refreshes, two
parameters, and answers to viewers. Standard library only, on an address of 127/8.

Every request must be signed: the signature is computed again here (Signature Version 4), so whoever signs wrongly is told
so, as AWS would. What happens takes wall time, but little: `launch` seconds until an instance is healthy.
"""

import base64
import hashlib
import hmac
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse
import xml.sax.saxutils

from kit.addresses import loopback_host

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIDEXAMPLE"
TERMINAL = {"Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"}


class Refused(Exception):
    def __init__(self, code, message="as AWS says it", status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def check_signature(method, path, headers, body):
    """The region of the request; Refused when it is not signed as AWS wants it."""
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, ?"
                         r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", headers.get("Authorization", ""))
    if not match:
        raise Refused("MissingAuthenticationToken", status=403)
    key_id, day, region, service, signed, signature = match.groups()
    if key_id != KEY_ID:
        raise Refused("InvalidClientTokenId", status=403)
    names = signed.split(";")
    if not {"host", "x-amz-date"} <= set(names) or ("X-Amz-Security-Token" in headers and "x-amz-security-token" not in names):
        raise Refused("SignatureDoesNotMatch", f"signed are only {signed}", status=403)
    canonical = "\n".join([method, path, "", *[f"{name}:{' '.join(headers[name].split())}" for name in names], "", signed,
                           headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = _hmac(("AWS4" + SECRET).encode(), day)
    for part in (region, service, "aws4_request"):
        key = _hmac(key, part)
    if not hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), signature):
        raise Refused("SignatureDoesNotMatch", "another signature was computed", status=403)
    return region


def _element(name, value):
    if isinstance(value, dict):
        inside = "".join(_element(key, one) for key, one in value.items())
    elif isinstance(value, tuple):  # (name of an item, items)
        inside = "".join(_element(value[0], one) for one in value[1])
    else:
        inside = xml.sax.saxutils.escape(str(value).lower() if isinstance(value, bool) else str(value))
    return f"<{name}>{inside}</{name}>"


class ScriptedAws:
    """`images`: {ami: {"commit": ..., "status": 200, "crashes": False, "slow": 0}}, and `artifacts` the same by the hash of an
    object. `interfere(action, parameters)` may raise Refused, return a text that is sent in place of the answer, or "hang up"."""

    def __init__(self, group="round-robin-local", launch=0.3):
        self.lock = threading.RLock()
        self.group, self.launch = group, launch
        self.images = {"ami-0000000000000000a": {"commit": "commit-old"}, "ami-0000000000000000b": {"commit": "commit-new"}}
        self.versions = {5: ("ami-0000000000000000a", "first"), 6: ("ami-0000000000000000a", "second")}
        self.user_data, self.objects = {}, {}
        self.artifacts = {}
        self.version, self.desired, self.max_size = "6", 2, 4
        self.suspended, self.instances, self.refreshes, self.parameters = [], {}, [], {}
        self.alarms = {f"{group}-release-5xx": "OK"}
        self.made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))
        self.zones, self.offered = ["eu-west-1a", "eu-west-1b"], ["eu-west-1a", "eu-west-1b"]
        self.quota, self.pass_role, self.caller = 32.0, "allowed", "arn:aws:iam::123456789012:user/me"
        self.roles = {"AWSServiceRoleForAutoScaling": "aws-service-role/", "AWSServiceRoleForElasticLoadBalancing": "aws-service-role/"}
        self.profiles = {"round-robin-local-bake-instance"}
        self.interfere = lambda action, parameters: None
        self.calls, self.errors, self.number, self.regions = [], [], 0, set()
        self.refuses_rollback, self.bake = False, 0.3
        for _ in range(2):
            self._launch("6", -100_000)
        self.api, self.front, self.secure = self._serve(_Api), self._serve(_Front), None
        self.balancer_name = "load-balancer.invalid"

    def serve_https(self, certificate, key):
        """The load balancer with an HTTPS listener too, of which AWS says host and port; returns the port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.secure = self._serve(_Front, context)
        self.balancer_name, port = self.secure.server_address[:2]
        return port

    def _serve(self, handler, secure=None):
        server = http.server.ThreadingHTTPServer((loopback_host(), 0), type("Bound", (handler,), {"aws": self}))
        if secure:  # the handshake is made by the thread of the connection
            server.handle_error = lambda *_: None  # a client that does not trust it hangs up
            server.socket = secure.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        server.url = "http://%s:%d" % server.server_address[:2]
        return server

    def close(self):
        for server in filter(None, (self.api, self.front, self.secure)):
            server.shutdown()
            server.server_close()

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.api.url, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_SESSION_TOKEN": "a+token/with=signs", "AWS_REGION": "eu-west-1", "AWS_PROFILE": None, "CI_COMMIT": None,
                "HOME": "/nonexistent"}

    # -- what happens by itself

    def _launch(self, version, age=0.0):
        self.number += 1
        identity = f"i-{self.number:017x}"
        self.instances[identity] = (version, time.monotonic() + age, "ab"[self.number % 2])

    def _healthy(self, identity):
        version, born, _ = self.instances[identity]
        return time.monotonic() - born >= self.launch and not self._program(version).get("crashes")

    def healthy(self):
        """How many instances are."""
        with self.lock:
            return sum(self._healthy(one) for one in self.instances)

    def grown_up(self):
        """How many have had the time to become so."""
        with self.lock:
            return sum(time.monotonic() - born >= self.launch for _, born, _ in self.instances.values())

    def _program(self, version):
        """What an instance of this version runs: its image, or the object that its user data fetches."""
        data = self.user_data.get(int(version), "")
        if (named := re.search(r"(?m)^# artifact: (s3://\S+)$", data)) is None:
            return self.images[self.versions[int(version)][0]]
        found = self.objects.get(named.group(1))
        if found is None or hashlib.sha256(found).hexdigest() != re.search(r"(?m)^# sha256: (\S+)$", data).group(1):
            return {"crashes": True}
        return self.artifacts[hashlib.sha256(found).hexdigest()]

    def _replace(self, version):
        old = [one for one, (of, _, _) in self.instances.items() if of != version]
        fresh = [one for one, (of, _, _) in self.instances.items() if of == version]
        for _ in range(self.desired - len(fresh)):
            self._launch(version)
        if sum(self._healthy(one) for one in fresh) >= self.desired:
            for one in old:
                del self.instances[one]
        return {of for of, _, _ in self.instances.values()} == {version}

    def pass_time(self):
        refresh = self.refreshes[0] if self.refreshes else None
        if refresh is None or refresh["Status"] in TERMINAL:
            while len(self.instances) < self.desired:
                self._launch(self.version)
            while len(self.instances) > self.desired:  # the oldest first
                del self.instances[min(self.instances, key=lambda one: self.instances[one][1])]
            return
        if refresh["Status"] == "RollbackInProgress":
            if self._replace(self.version):
                refresh["Status"] = "RollbackSuccessful"
            return
        if self._replace(refresh["version"]):
            refresh["percent"] = 100
            refresh.setdefault("baking", time.monotonic())
            done = time.monotonic() - refresh["baking"] >= refresh["bake"]
            refresh["Status"] = "Successful" if done else "Baking"
            if done:
                self.version = refresh["version"]
        if any(self.alarms.get(name) == "ALARM" for name in refresh["alarms"]) and refresh["Status"] not in TERMINAL:
            refresh["Status"], refresh["reason"] = "RollbackInProgress", "an alarm is in ALARM"

    # -- the calls

    def call(self, action, p):
        self.pass_time()
        instead = self.interfere(action, p)
        if instead is not None:
            return instead
        if not hasattr(self, action):
            raise Refused("InvalidAction", f"{action} is not scripted")
        return getattr(self, action)(p)

    def query(self, action, result):
        return _element(action + "Response", {action + "Result": result})

    def GetCallerIdentity(self, _):
        return self.query("GetCallerIdentity", {"Account": "123456789012", "Arn": self.caller})

    def DescribeAutoScalingGroups(self, p):
        template = {"LaunchTemplateId": "lt-00000000000000001", "LaunchTemplateName": self.group}
        members = [{"InstanceId": one, "InstanceType": "t3.micro", "AvailabilityZone": "eu-west-1" + zone,
                    "LifecycleState": "InService", "HealthStatus": "Healthy", "ProtectedFromScaleIn": False,
                    "LaunchTemplate": {**template, "Version": version}} for one, (version, _, zone) in self.instances.items()]
        group = {"AutoScalingGroupName": self.group, "MinSize": 2, "MaxSize": self.max_size, "DesiredCapacity": self.desired,
                 "HealthCheckGracePeriod": 60, "LaunchTemplate": {**template, "Version": self.version},
                 "TargetGroupARNs": ("member", ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/tg/1"]),
                 "SuspendedProcesses": ("member", [{"ProcessName": one} for one in self.suspended]),
                 "Instances": ("member", members)}
        found = [group] if p.get("AutoScalingGroupNames.member.1") == self.group else []
        return self.query("DescribeAutoScalingGroups", {"AutoScalingGroups": ("member", found)})

    def DescribeInstanceRefreshes(self, _):
        return self.query("DescribeInstanceRefreshes", {"InstanceRefreshes": ("member", [
            {"InstanceRefreshId": one["id"], "Status": one["Status"], "StatusReason": one.get("reason", ""),
             "PercentageComplete": one["percent"], "InstancesToUpdate": 0,
             "DesiredConfiguration": {"LaunchTemplate": {"Version": one["version"]}}} for one in self.refreshes])})

    def StartInstanceRefresh(self, p):
        if self.refreshes and self.refreshes[0]["Status"] not in TERMINAL:
            raise Refused("InstanceRefreshInProgress")
        names = [value for key, value in p.items() if key.startswith("Preferences.AlarmSpecification")]
        self.refreshes.insert(0, {"id": f"refresh-{len(self.refreshes)}", "Status": "InProgress", "percent": 0, "alarms": names,
                                  "version": p["DesiredConfiguration.LaunchTemplate.Version"],
                                  "bake": self.bake if "Preferences.BakeTime" in p else 0})
        return self.query("StartInstanceRefresh", {"InstanceRefreshId": self.refreshes[0]["id"]})

    def _active(self):
        if not self.refreshes or self.refreshes[0]["Status"] in TERMINAL:
            raise Refused("ActiveInstanceRefreshNotFound")
        return self.refreshes[0]

    def RollbackInstanceRefresh(self, _):
        if self.refuses_rollback:
            raise Refused("IrreversibleInstanceRefresh")
        self._active()["Status"] = "RollbackInProgress"
        return self.query("RollbackInstanceRefresh", {"InstanceRefreshId": "x"})

    def CancelInstanceRefresh(self, _):
        self._active()["Status"] = "Cancelled"
        return self.query("CancelInstanceRefresh", {"InstanceRefreshId": "x"})

    def DescribeScalingActivities(self, _):
        return self.query("DescribeScalingActivities", {"Activities": ("member", [])})

    def SuspendProcesses(self, p):
        self.suspended += [value for key, value in p.items() if key.startswith("ScalingProcesses")]
        return _element("SuspendProcessesResponse", "")

    def ResumeProcesses(self, p):
        gone = {value for key, value in p.items() if key.startswith("ScalingProcesses")}
        self.suspended = [one for one in self.suspended if one not in gone]
        return _element("ResumeProcessesResponse", "")

    def SetDesiredCapacity(self, p):
        self.desired = int(p["DesiredCapacity"])
        return _element("SetDesiredCapacityResponse", "")

    def UpdateAutoScalingGroup(self, p):
        self.version = p["LaunchTemplate.Version"]
        return _element("UpdateAutoScalingGroupResponse", "")

    def TerminateInstanceInAutoScalingGroup(self, p):
        del self.instances[p["InstanceId"]]
        self.desired -= p["ShouldDecrementDesiredCapacity"] == "true"
        return _element("TerminateInstanceInAutoScalingGroupResponse", "")

    def DescribeLaunchTemplateVersions(self, _):
        return _element("DescribeLaunchTemplateVersionsResponse", {"launchTemplateVersionSet": ("item", [
            {"versionNumber": number, "versionDescription": text, "defaultVersion": number == 5, "createTime": self.made,
             "launchTemplateData": {"imageId": image, "instanceType": "t3.micro",
                                    "userData": base64.b64encode(self.user_data.get(number, "").encode()).decode()}}
            for number, (image, text) in self.versions.items()])})

    def CreateLaunchTemplateVersion(self, p):
        number = max(self.versions) + 1
        source = int(p["SourceVersion"])
        self.versions[number] = (p.get("LaunchTemplateData.ImageId", self.versions[source][0]), p["VersionDescription"])
        data = p.get("LaunchTemplateData.UserData")
        self.user_data[number] = self.user_data.get(source, "") if data is None else base64.b64decode(data).decode()
        return _element("CreateLaunchTemplateVersionResponse", {"launchTemplateVersion": {"versionNumber": number}})

    def DeleteLaunchTemplateVersions(self, p):
        wanted = [int(value) for key, value in p.items() if key.startswith("LaunchTemplateVersion.")]
        missing = [number for number in wanted if self.versions.pop(number, None) is None]
        return _element("DeleteLaunchTemplateVersionsResponse", {"unsuccessfullyDeletedLaunchTemplateVersionSet": ("item", [
            {"versionNumber": number, "responseError": {"code": "launchTemplateVersionDoesNotExist", "message": "not there"}}
            for number in missing])})

    def DescribeImages(self, p):
        wanted = {value for key, value in p.items() if key.startswith("Filter.1.Value")}
        return _element("DescribeImagesResponse", {"imagesSet": ("item", [
            {"imageId": one, "imageState": "available", "architecture": of.get("architecture", "x86_64"),
             "tagSet": ("item", [{"key": "Commit", "value": of["commit"]}])}
            for one, of in self.images.items() if one in wanted])})

    def DescribeInstanceTypes(self, _):
        return _element("DescribeInstanceTypesResponse", {"instanceTypeSet": ("item", [
            {"processorInfo": {"supportedArchitectures": ("item", ["x86_64"])}, "vCpuInfo": {"defaultVCpus": 2}}])})

    def DescribeTargetHealth(self, _):
        return self.query("DescribeTargetHealth", {"TargetHealthDescriptions": ("member", [
            {"Target": {"Id": one}, "TargetHealth": {"State": "healthy"} if self._healthy(one) else
             {"State": "unhealthy", "Reason": "Target.FailedHealthChecks"}} for one in self.instances])})

    def DescribeTargetGroups(self, _):
        return self.query("DescribeTargetGroups", {"TargetGroups": ("member", [{"LoadBalancerArns": ("member", ["arn:lb"])}])})

    def DescribeLoadBalancers(self, _):
        return self.query("DescribeLoadBalancers", {"LoadBalancers": ("member", [
            {"LoadBalancerName": self.group, "DNSName": self.balancer_name, "State": {"Code": "active"}}])})

    def DescribeAlarms(self, _):
        return self.query("DescribeAlarms", {"MetricAlarms": ("member", [
            {"AlarmName": name, "StateValue": state} for name, state in self.alarms.items()])})

    def GetParameter(self, p):
        if p["Name"] not in self.parameters:
            raise Refused("ParameterNotFound")
        value, at = self.parameters[p["Name"]][-1]
        return {"Parameter": {"Name": p["Name"], "Value": value, "LastModifiedDate": at}}

    def PutParameter(self, p):
        if self.parameters.get(p["Name"]) and not p["Overwrite"]:
            raise Refused("ParameterAlreadyExists")
        self.parameters.setdefault(p["Name"], []).append((p["Value"], time.time()))
        return {"Version": len(self.parameters[p["Name"]])}

    def DeleteParameter(self, p):
        if self.parameters.pop(p["Name"], None) is None:
            raise Refused("ParameterNotFound")
        return {}

    def GetParameterHistory(self, p):
        if p["Name"] not in self.parameters:
            raise Refused("ParameterNotFound")
        return {"Parameters": [{"Value": value, "LastModifiedDate": at} for value, at in self.parameters[p["Name"]]]}

    # -- what doctor asks; a test changes the answers

    def DescribeSubnets(self, p):
        ours = p.get("Filter.1.Value.1") in ("true", "vpc-1")
        return _element("DescribeSubnetsResponse", {"subnetSet": ("item", [
            {"subnetId": f"subnet-{zone}", "availabilityZone": zone} for zone in self.zones if ours])})

    def DescribeInstanceTypeOfferings(self, _):
        return _element("DescribeInstanceTypeOfferingsResponse", {"instanceTypeOfferingSet": ("item", [
            {"instanceType": "t3.micro", "location": zone} for zone in self.offered])})

    def GetServiceQuota(self, p):
        assert (p["ServiceCode"], p["QuotaCode"]) == ("ec2", "L-1216C47A"), p
        return {"Quota": {"QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "Value": self.quota}}

    def GetRole(self, p):
        if p["RoleName"] not in self.roles:
            raise Refused("NoSuchEntity", status=404)
        return self.query("GetRole", {"Role": {
            "RoleName": p["RoleName"], "Arn": f"arn:aws:iam::123456789012:role/{self.roles[p['RoleName']]}{p['RoleName']}"}})

    def GetInstanceProfile(self, p):
        if p["InstanceProfileName"] not in self.profiles:
            raise Refused("NoSuchEntity", status=404)
        return self.query("GetInstanceProfile", {"InstanceProfile": {"InstanceProfileName": p["InstanceProfileName"]}})

    def SimulatePrincipalPolicy(self, p):
        self.simulated = p
        return self.query("SimulatePrincipalPolicy", {"EvaluationResults": ("member", [
            {"EvalActionName": "iam:PassRole", "EvalDecision": self.pass_role}])})

    # -- viewers

    def answer_viewer(self):
        """(status, document, seconds until it comes)"""
        self.pass_time()
        there = [one for one in self.instances if self._healthy(one)]
        if not there:
            return 503, {}, 0
        self.number += 1
        one = there[self.number % len(there)]
        version, _, zone = self.instances[one]
        image = self._program(version)
        return (image.get("status", 200), {"commit": image.get("answers", image["commit"]), "build": None, "instance": one,
                                           "zone": "eu-west-1" + zone}, image.get("slow", 0))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, content, kind, **fields):
        content = content.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Api(_Handler):
    def do_HEAD(self):
        """Of a bucket or an object: those that there are, and the state's bucket."""
        try:
            check_signature("HEAD", self.path, self.headers, b"")
            found = self.path.count("/") == 1 or "s3:/" + self.path in self.aws.objects
        except Refused:
            found = False
        with self.aws.lock:
            self.aws.calls.append("HeadBucket" if self.path.count("/") == 1 else "HeadObject")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self):
        """An object of S3."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            check_signature("PUT", self.path, self.headers, body)
            if hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
                raise Refused("XAmzContentSHA256Mismatch")
            with self.aws.lock:
                self.aws.calls.append("PutObject")
                instead = self.aws.interfere("PutObject", {"path": self.path})
                self.aws.objects["s3:/" + self.path] = body if instead is None else instead
        except Refused as refused:
            return self.send(refused.status, _element("Error", {"Code": refused.code, "Message": refused.message}), "text/xml")
        return self.send(200, "", "text/xml")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = "json" in self.headers.get("Content-Type", "")
        try:
            self.aws.regions.add(check_signature("POST", self.path, self.headers, body))
            if is_json:
                action, parameters = self.headers["X-Amz-Target"].split(".")[1], json.loads(body)
            else:
                parameters = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
                action = parameters["Action"]
            with self.aws.lock:
                self.aws.calls.append(action)
                answer = self.aws.call(action, parameters)
        except Refused as refused:
            if refused.code.startswith("Signature"):
                self.aws.errors.append(refused.message)
            if is_json:
                return self.send(refused.status, json.dumps({"__type": refused.code, "message": refused.message}), "application/json")
            error = {"Error": {"Code": refused.code, "Message": refused.message}}
            return self.send(refused.status, _element("ErrorResponse", error), "text/xml")
        if answer == "hang up":
            self.close_connection = True
            return None
        if isinstance(answer, dict):
            answer = json.dumps(answer)
        return self.send(200, answer, "application/json" if is_json else "text/xml")


class _Front(_Handler):
    def do_GET(self):
        with self.aws.lock:
            status, document, seconds = self.aws.answer_viewer()
        time.sleep(seconds)
        self.send(status, json.dumps(document), "application/json", Commit=document.get("commit", ""))
