#include "sim/cloud/model.h"

#include <array>

namespace rr::sim {
namespace {

constexpr std::array kTerminationPolicies{
    TerminationPolicy::kDefault,
    TerminationPolicy::kOldestInstance,
    TerminationPolicy::kNewestInstance,
    TerminationPolicy::kOldestLaunchTemplate,
    TerminationPolicy::kClosestToNextInstanceHour,
    TerminationPolicy::kOldestLaunchConfiguration,
    TerminationPolicy::kAllocationStrategy,
};

constexpr std::array kScalingProcesses{
    ScalingProcess::kLaunch,
    ScalingProcess::kTerminate,
    ScalingProcess::kAddToLoadBalancer,
    ScalingProcess::kAlarmNotification,
    ScalingProcess::kAZRebalance,
    ScalingProcess::kHealthCheck,
    ScalingProcess::kInstanceRefresh,
    ScalingProcess::kReplaceUnhealthy,
    ScalingProcess::kScheduledActions,
};

}  // namespace

const LaunchTemplateVersion* LaunchTemplate::version(int number) const {
  for (const LaunchTemplateVersion& candidate : versions) {
    if (candidate.number == number) return &candidate;
  }
  return nullptr;
}

std::string_view to_string(TerminationPolicy policy) {
  switch (policy) {
    case TerminationPolicy::kDefault:
      return "Default";
    case TerminationPolicy::kOldestInstance:
      return "OldestInstance";
    case TerminationPolicy::kNewestInstance:
      return "NewestInstance";
    case TerminationPolicy::kOldestLaunchTemplate:
      return "OldestLaunchTemplate";
    case TerminationPolicy::kClosestToNextInstanceHour:
      return "ClosestToNextInstanceHour";
    case TerminationPolicy::kOldestLaunchConfiguration:
      return "OldestLaunchConfiguration";
    case TerminationPolicy::kAllocationStrategy:
      return "AllocationStrategy";
  }
  return "";
}

std::string_view to_string(CapacityDistributionStrategy strategy) {
  switch (strategy) {
    case CapacityDistributionStrategy::kBalancedBestEffort:
      return "balanced-best-effort";
    case CapacityDistributionStrategy::kBalancedOnly:
      return "balanced-only";
  }
  return "";
}

std::string_view to_string(ScalingProcess process) {
  switch (process) {
    case ScalingProcess::kLaunch:
      return "Launch";
    case ScalingProcess::kTerminate:
      return "Terminate";
    case ScalingProcess::kAddToLoadBalancer:
      return "AddToLoadBalancer";
    case ScalingProcess::kAlarmNotification:
      return "AlarmNotification";
    case ScalingProcess::kAZRebalance:
      return "AZRebalance";
    case ScalingProcess::kHealthCheck:
      return "HealthCheck";
    case ScalingProcess::kInstanceRefresh:
      return "InstanceRefresh";
    case ScalingProcess::kReplaceUnhealthy:
      return "ReplaceUnhealthy";
    case ScalingProcess::kScheduledActions:
      return "ScheduledActions";
  }
  return "";
}

std::optional<ScalingProcess> parse_scaling_process(std::string_view text) {
  for (const ScalingProcess process : kScalingProcesses) {
    if (text == to_string(process)) return process;
  }
  return std::nullopt;
}

std::string_view to_string(LifecycleTransition transition) {
  switch (transition) {
    case LifecycleTransition::kLaunching:
      return "autoscaling:EC2_INSTANCE_LAUNCHING";
    case LifecycleTransition::kTerminating:
      return "autoscaling:EC2_INSTANCE_TERMINATING";
  }
  return "";
}

std::string_view to_string(LifecycleActionResult result) {
  switch (result) {
    case LifecycleActionResult::kContinue:
      return "CONTINUE";
    case LifecycleActionResult::kAbandon:
      return "ABANDON";
  }
  return "";
}

std::optional<TerminationPolicy> parse_termination_policy(std::string_view text) {
  for (const TerminationPolicy policy : kTerminationPolicies) {
    if (text == to_string(policy)) return policy;
  }
  return std::nullopt;
}

}  // namespace rr::sim
