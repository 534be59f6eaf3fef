#pragma once
// The members of each command, and the commands' names.
#include <array>

#include "sim/cloud/region.h"
#include "sim/store/fields.h"

namespace rr::sim {

template <>
struct AlternativeNames<Command> {
  static constexpr std::array kNames{"RegisterImage",
                                     "CreateLaunchTemplate",
                                     "CreateLaunchTemplateVersion",
                                     "CreateAutoScalingGroup",
                                     "UpdateAutoScalingGroup",
                                     "SetDesiredCapacity",
                                     "TerminateInstanceInAutoScalingGroup",
                                     "SetInstanceHealth",
                                     "StartDoubleRelease",
                                     "StartInstanceRefresh",
                                     "CancelInstanceRefresh",
                                     "RollbackInstanceRefresh",
                                     "EnterStandby",
                                     "ExitStandby",
                                     "DetachInstances",
                                     "AttachInstances",
                                     "SetInstanceProtection",
                                     "SuspendProcesses",
                                     "ResumeProcesses",
                                     "PutLifecycleHook",
                                     "DeleteLifecycleHook",
                                     "CompleteLifecycleAction",
                                     "RecordLifecycleActionHeartbeat",
                                     "PutMetricAlarm",
                                     "DeleteAlarm",
                                     "SetAlarmState",
                                     "PutScalingPolicy",
                                     "DeletePolicy",
                                     "ExecutePolicy",
                                     "PutScheduledUpdateGroupAction",
                                     "DeleteScheduledAction",
                                     "StartZonalShift",
                                     "CancelZonalShift"};
};

void fields(Of<RegisterImage> auto& value, auto&& visit) {
  auto& [image] = value;
  RR_FIELD(image);
}
void fields(Of<CreateLaunchTemplate> auto& value, auto&& visit) {
  auto& [name, image, description] = value;
  RR_FIELD(name), RR_FIELD(image), RR_FIELD(description);
}
void fields(Of<CreateLaunchTemplateVersion> auto& value, auto&& visit) {
  auto& [name, image, description] = value;
  RR_FIELD(name), RR_FIELD(image), RR_FIELD(description);
}
void fields(Of<CreateAutoScalingGroup> auto& value, auto&& visit) {
  auto& [settings, desired_capacity] = value;
  RR_FIELD(settings), RR_FIELD(desired_capacity);
}
void fields(Of<UpdateAutoScalingGroup> auto& value, auto&& visit) {
  auto& [settings] = value;
  RR_FIELD(settings);
}
void fields(Of<SetDesiredCapacity> auto& value, auto&& visit) {
  auto& [group, desired_capacity, honor_cooldown] = value;
  RR_FIELD(group), RR_FIELD(desired_capacity), RR_FIELD(honor_cooldown);
}
void fields(Of<TerminateInstanceInAutoScalingGroup> auto& value, auto&& visit) {
  auto& [instance, should_decrement_desired_capacity] = value;
  RR_FIELD(instance), RR_FIELD(should_decrement_desired_capacity);
}
void fields(Of<SetInstanceHealth> auto& value, auto&& visit) {
  auto& [instance, healthy, should_respect_grace_period] = value;
  RR_FIELD(instance), RR_FIELD(healthy), RR_FIELD(should_respect_grace_period);
}
void fields(Of<StartDoubleRelease> auto& value, auto&& visit) {
  auto& [group, image] = value;
  RR_FIELD(group), RR_FIELD(image);
}

void fields(Of<StartInstanceRefresh> auto& value, auto&& visit) {
  auto& [group, desired_configuration, preferences] = value;
  RR_FIELD(group), RR_FIELD(desired_configuration), RR_FIELD(preferences);
}
void fields(Of<CancelInstanceRefresh> auto& value, auto&& visit) {
  auto& [group, wait_for_transitioning_instances] = value;
  RR_FIELD(group), RR_FIELD(wait_for_transitioning_instances);
}
void fields(Of<RollbackInstanceRefresh> auto& value, auto&& visit) {
  auto& [group] = value;
  RR_FIELD(group);
}

void fields(Of<EnterStandby> auto& value, auto&& visit) {
  auto& [instances, should_decrement_desired_capacity] = value;
  RR_FIELD(instances), RR_FIELD(should_decrement_desired_capacity);
}
void fields(Of<ExitStandby> auto& value, auto&& visit) {
  auto& [instances] = value;
  RR_FIELD(instances);
}
void fields(Of<DetachInstances> auto& value, auto&& visit) {
  auto& [instances, should_decrement_desired_capacity] = value;
  RR_FIELD(instances), RR_FIELD(should_decrement_desired_capacity);
}
void fields(Of<AttachInstances> auto& value, auto&& visit) {
  auto& [group, instances] = value;
  RR_FIELD(group), RR_FIELD(instances);
}
void fields(Of<SetInstanceProtection> auto& value, auto&& visit) {
  auto& [instances, protected_from_scale_in] = value;
  RR_FIELD(instances), RR_FIELD(protected_from_scale_in);
}
void fields(Of<SuspendProcesses> auto& value, auto&& visit) {
  auto& [group, processes] = value;
  RR_FIELD(group), RR_FIELD(processes);
}
void fields(Of<ResumeProcesses> auto& value, auto&& visit) {
  auto& [group, processes] = value;
  RR_FIELD(group), RR_FIELD(processes);
}
void fields(Of<PutLifecycleHook> auto& value, auto&& visit) {
  auto& [group, hook] = value;
  RR_FIELD(group), RR_FIELD(hook);
}
void fields(Of<DeleteLifecycleHook> auto& value, auto&& visit) {
  auto& [group, hook] = value;
  RR_FIELD(group), RR_FIELD(hook);
}
void fields(Of<CompleteLifecycleAction> auto& value, auto&& visit) {
  auto& [group, hook, result, instance, token] = value;
  RR_FIELD(group), RR_FIELD(hook), RR_FIELD(result), RR_FIELD(instance), RR_FIELD(token);
}
void fields(Of<RecordLifecycleActionHeartbeat> auto& value, auto&& visit) {
  auto& [group, hook, instance, token] = value;
  RR_FIELD(group), RR_FIELD(hook), RR_FIELD(instance), RR_FIELD(token);
}

void fields(Of<PutMetricAlarm> auto& value, auto&& visit) {
  auto& [settings] = value;
  RR_FIELD(settings);
}
void fields(Of<DeleteAlarm> auto& value, auto&& visit) {
  auto& [alarm] = value;
  RR_FIELD(alarm);
}
void fields(Of<SetAlarmState> auto& value, auto&& visit) {
  auto& [alarm, state, reason] = value;
  RR_FIELD(alarm), RR_FIELD(state), RR_FIELD(reason);
}
void fields(Of<PutScalingPolicy> auto& value, auto&& visit) {
  auto& [policy] = value;
  RR_FIELD(policy);
}
void fields(Of<DeletePolicy> auto& value, auto&& visit) {
  auto& [policy] = value;
  RR_FIELD(policy);
}
void fields(Of<ExecutePolicy> auto& value, auto&& visit) {
  auto& [policy, honor_cooldown, metric_value, breach_threshold] = value;
  RR_FIELD(policy), RR_FIELD(honor_cooldown), RR_FIELD(metric_value), RR_FIELD(breach_threshold);
}
void fields(Of<PutScheduledUpdateGroupAction> auto& value, auto&& visit) {
  auto& [action] = value;
  RR_FIELD(action);
}
void fields(Of<DeleteScheduledAction> auto& value, auto&& visit) {
  auto& [action] = value;
  RR_FIELD(action);
}
void fields(Of<StartZonalShift> auto& value, auto&& visit) {
  auto& [away_from, expires_in] = value;
  RR_FIELD(away_from), RR_FIELD(expires_in);
}
void fields(Of<CancelZonalShift> auto&, auto&&) {}

}  // namespace rr::sim
