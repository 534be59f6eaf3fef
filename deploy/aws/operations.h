#pragma once
// Every call of AWS that this program can make. The client refuses to make another (a check that is always on), so the
// list is whole; tests/deploy/test_calls.py sends each of them to an AWS-compatible endpoint, and whoever writes the
// policy of a role finds here what it has to allow.
#include <string>

namespace rr::deploy {

struct Operation {
  const char* service;  // as the credential scope has it
  const char* action;
};

inline constexpr Operation kOperations[] = {
    {"autoscaling", "CancelInstanceRefresh"},
    {"autoscaling", "DescribeAutoScalingGroups"},
    {"autoscaling", "DescribeInstanceRefreshes"},
    {"autoscaling", "DescribeScalingActivities"},
    {"autoscaling", "ResumeProcesses"},
    {"autoscaling", "RollbackInstanceRefresh"},
    {"autoscaling", "SetDesiredCapacity"},
    {"autoscaling", "StartInstanceRefresh"},
    {"autoscaling", "SuspendProcesses"},
    {"autoscaling", "TerminateInstanceInAutoScalingGroup"},
    {"autoscaling", "UpdateAutoScalingGroup"},
    {"ec2", "CreateLaunchTemplateVersion"},
    {"ec2", "DeleteLaunchTemplateVersions"},
    {"ec2", "DeleteSnapshot"},
    {"ec2", "DeregisterImage"},
    {"ec2", "DescribeImages"},
    {"ec2", "DescribeInstanceTypeOfferings"},
    {"ec2", "DescribeInstanceTypes"},
    {"ec2", "DescribeLaunchTemplateVersions"},
    {"ec2", "DescribeSubnets"},
    {"elasticloadbalancing", "DescribeLoadBalancers"},
    {"elasticloadbalancing", "DescribeTargetGroups"},
    {"elasticloadbalancing", "DescribeTargetHealth"},
    {"iam", "CreateServiceLinkedRole"},
    {"iam", "GetInstanceProfile"},
    {"iam", "GetRole"},
    {"iam", "SimulatePrincipalPolicy"},
    {"logs", "FilterLogEvents"},
    {"monitoring", "DescribeAlarms"},
    {"s3", "CreateBucket"},
    {"s3", "DeleteBucket"},
    {"s3", "DeleteObject"},
    {"s3", "HeadBucket"},
    {"s3", "HeadObject"},
    {"s3", "ListObjectVersions"},
    {"s3", "PutObject"},
    {"servicequotas", "GetServiceQuota"},
    {"ssm", "DeleteParameter"},
    {"ssm", "GetParameter"},
    {"ssm", "GetParameterHistory"},
    {"ssm", "PutParameter"},
    {"sts", "GetCallerIdentity"},
};

inline bool is_operation(const std::string& service, const std::string& action) {
  for (const Operation& one : kOperations) {
    if (service == one.service && action == one.action) return true;
  }
  return false;
}

}  // namespace rr::deploy
