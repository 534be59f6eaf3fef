"""What a tier had, looked for when it is gone."""

import xml.etree.ElementTree

from aws_calls import strip


def remains(endpoint, names):
    """{kind: names} of what the endpoint still has; `names` are those of the tier's settings as rendered for Terraform."""
    tier = names["tier"]

    def named(service, action, what, **parameters):
        return [one.text for one in endpoint.call(service, action, **parameters).iter(what)]
    instances = endpoint.call("ec2", "DescribeInstances").iterfind(".//instancesSet/item")
    buckets = strip(xml.etree.ElementTree.fromstring(endpoint.object("GET", "/")))
    left = {
        "load balancers": named("elasticloadbalancing", "DescribeLoadBalancers", "LoadBalancerName"),
        "target groups": named("elasticloadbalancing", "DescribeTargetGroups", "TargetGroupName"),
        "groups": named("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroupName"),
        "instances": [one.findtext("instanceId") for one in instances if one.findtext("instanceState/name") != "terminated"],
        "templates": named("ec2", "DescribeLaunchTemplates", "launchTemplateName"),
        "security groups": [name for name in named("ec2", "DescribeSecurityGroups", "groupName") if name != "default"],
        "keys": named("ec2", "DescribeKeyPairs", "keyName"),
        "roles": [name for name in named("iam", "ListRoles", "RoleName") if name.startswith(tier)],
        "profiles": named("iam", "ListInstanceProfiles", "InstanceProfileName"),
        "log groups": [one["logGroupName"] for one in endpoint.json_call(
            "logs", "Logs_20140328.DescribeLogGroups", logGroupNamePrefix=names["log_group"])["logGroups"]],
        "alarms": named("monitoring", "DescribeAlarms", "AlarmName", AlarmNamePrefix=tier),
        "dashboards": named("monitoring", "ListDashboards", "DashboardName"),
        "parameters": [one["Name"] for one in endpoint.json_call(
            "ssm", "AmazonSSM.GetParametersByPath", Path=names["parameter_path"], Recursive=True)["Parameters"]],
        "buckets": [one.findtext("Name") for one in buckets.iter("Bucket")],
    }
    return {kind: found for kind, found in left.items() if found}
