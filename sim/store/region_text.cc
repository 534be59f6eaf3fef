#include "sim/store/region_text.h"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "lb/document/settings_document.h"

namespace rr::sim {
namespace {

using Json = nlohmann::json;

/// Thrown while reading, caught at the two entry points of this file.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The fields of each type
// ----------------------------------------------------------------------------------------------- Once for writing
// (const) and reading. The structured bindings name all members in their order, so a new member does not compile until
// it has its line here.

template <class A, class B>
concept Of = std::same_as<std::remove_const_t<A>, B>;

#define RR_FIELD(member) visit(#member, member)

void fields(Of<Zone> auto& value, auto&& visit) {
  auto& [name, subnet, prefix, next_host] = value;
  RR_FIELD(name), RR_FIELD(subnet), RR_FIELD(prefix), RR_FIELD(next_host);
}

void fields(Of<RegionSettings> auto& value, auto&& visit) {
  auto& [name, zones, speed, own_program, load_balancer, further_load_balancers, target_port, launch_time,
         sweep_interval, rebalance_interval, launch_retry, launch_retry_most, node_check_interval, node_check_threshold,
         node_check_timeout, node_start_retry, node_start_retry_most, release_timeout, release_question_interval,
         refresh_timeout, terminated_visible, terminate_when_drained] = value;
  RR_FIELD(name), RR_FIELD(zones), RR_FIELD(speed), RR_FIELD(own_program), RR_FIELD(load_balancer);
  RR_FIELD(further_load_balancers);
  RR_FIELD(target_port), RR_FIELD(launch_time), RR_FIELD(sweep_interval), RR_FIELD(rebalance_interval);
  RR_FIELD(launch_retry), RR_FIELD(launch_retry_most), RR_FIELD(node_check_interval), RR_FIELD(node_check_threshold);
  RR_FIELD(node_check_timeout), RR_FIELD(node_start_retry), RR_FIELD(node_start_retry_most);
  RR_FIELD(release_timeout), RR_FIELD(release_question_interval), RR_FIELD(refresh_timeout);
  RR_FIELD(terminated_visible), RR_FIELD(terminate_when_drained);
}

void fields(Of<Image> auto& value, auto&& visit) {
  auto& [id, name, commit, build, folder, command, created] = value;
  RR_FIELD(id), RR_FIELD(name), RR_FIELD(commit), RR_FIELD(build), RR_FIELD(folder), RR_FIELD(command);
  RR_FIELD(created);
}

void fields(Of<LaunchTemplateVersion> auto& value, auto&& visit) {
  auto& [number, image, description, created] = value;
  RR_FIELD(number), RR_FIELD(image), RR_FIELD(description), RR_FIELD(created);
}

void fields(Of<LaunchTemplate> auto& value, auto&& visit) {
  auto& [id, name, default_version, versions] = value;
  RR_FIELD(id), RR_FIELD(name), RR_FIELD(default_version), RR_FIELD(versions);
}

void fields(Of<LaunchTemplateSpecification> auto& value, auto&& visit) {
  auto& [template_name, version] = value;
  RR_FIELD(template_name), RR_FIELD(version);
}

void fields(Of<InstanceMaintenancePolicy> auto& value, auto&& visit) {
  auto& [min_healthy_percentage, max_healthy_percentage] = value;
  RR_FIELD(min_healthy_percentage), RR_FIELD(max_healthy_percentage);
}

void fields(Of<LifecycleHook> auto& value, auto&& visit) {
  auto& [name, transition, heartbeat_timeout, default_result] = value;
  RR_FIELD(name), RR_FIELD(transition), RR_FIELD(heartbeat_timeout), RR_FIELD(default_result);
}

void fields(Of<LifecycleAction> auto& value, auto&& visit) {
  auto& [token, default_result, heartbeat, ends, ends_at_last] = value;
  RR_FIELD(token), RR_FIELD(default_result), RR_FIELD(heartbeat), RR_FIELD(ends), RR_FIELD(ends_at_last);
}

void fields(Of<GroupSettings> auto& value, auto&& visit) {
  auto& [name, min_size, max_size, launch_template, zones, target_groups, health_check_type, health_check_grace_period,
         default_instance_warmup, maintenance_policy, termination_policies, default_cooldown, max_instance_lifetime,
         new_instances_protected_from_scale_in, capacity_distribution_strategy] = value;
  RR_FIELD(name), RR_FIELD(min_size), RR_FIELD(max_size), RR_FIELD(launch_template), RR_FIELD(zones);
  RR_FIELD(target_groups), RR_FIELD(health_check_type), RR_FIELD(health_check_grace_period);
  RR_FIELD(default_instance_warmup), RR_FIELD(maintenance_policy), RR_FIELD(termination_policies);
  RR_FIELD(default_cooldown), RR_FIELD(max_instance_lifetime), RR_FIELD(new_instances_protected_from_scale_in);
  RR_FIELD(capacity_distribution_strategy);
}

void fields(Of<Instance> auto& value, auto&& visit) {
  auto& [id, group, zone, image, template_name, template_version, address, host_name, lifecycle, ec2, healthy,
         protected_from_scale_in, launch_reason, end_reason, launched, starts_at, in_service_at, warm_at,
         first_healthy_at, settled_at, terminating_since, drain_ends, terminated_at, forget_at, stop_requested,
         drained_by, registered, deregistered_at, lifecycle_actions, hook_at] = value;
  RR_FIELD(id), RR_FIELD(group), RR_FIELD(zone), RR_FIELD(image), RR_FIELD(template_name), RR_FIELD(template_version);
  RR_FIELD(address), RR_FIELD(host_name), RR_FIELD(lifecycle), RR_FIELD(ec2), RR_FIELD(healthy);
  RR_FIELD(protected_from_scale_in), RR_FIELD(launch_reason), RR_FIELD(end_reason), RR_FIELD(launched);
  RR_FIELD(starts_at), RR_FIELD(in_service_at), RR_FIELD(warm_at), RR_FIELD(first_healthy_at), RR_FIELD(settled_at);
  RR_FIELD(terminating_since), RR_FIELD(drain_ends), RR_FIELD(terminated_at), RR_FIELD(forget_at);
  RR_FIELD(stop_requested), RR_FIELD(drained_by), RR_FIELD(registered), RR_FIELD(deregistered_at);
  RR_FIELD(lifecycle_actions), RR_FIELD(hook_at);
}

void fields(Of<ScalingActivity> auto& value, auto&& visit) {
  auto& [number, group, instance, description, cause, status_code, status_message, zone, progress, started, ended] =
      value;
  RR_FIELD(number), RR_FIELD(group), RR_FIELD(instance), RR_FIELD(description), RR_FIELD(cause);
  RR_FIELD(status_code), RR_FIELD(status_message), RR_FIELD(zone), RR_FIELD(progress), RR_FIELD(started);
  RR_FIELD(ended);
}

void fields(Of<Node> auto& value, auto&& visit) {
  auto& [zone, name, address, running, in_dns, failed_checks, passed_checks, start_at, failed_starts, running_since,
         passing, admitted, next_check, check_outstanding, generation, vouched] = value;
  RR_FIELD(zone), RR_FIELD(name), RR_FIELD(address), RR_FIELD(running), RR_FIELD(in_dns), RR_FIELD(failed_checks);
  RR_FIELD(passed_checks), RR_FIELD(start_at), RR_FIELD(failed_starts), RR_FIELD(running_since), RR_FIELD(passing);
  RR_FIELD(admitted), RR_FIELD(next_check), RR_FIELD(check_outstanding), RR_FIELD(generation), RR_FIELD(vouched);
}

void fields(Of<Health> auto& value, auto&& visit) {
  auto& [state, reason, last_status] = value;
  RR_FIELD(state), RR_FIELD(reason), RR_FIELD(last_status);
}

void fields(Of<HealthReport> auto& value, auto&& visit) {
  auto& [node, time, health, target_group] = value;
  RR_FIELD(node), RR_FIELD(time), RR_FIELD(health), RR_FIELD(target_group);
}

void fields(Of<MergedHealth> auto& value, auto&& visit) {
  auto& [health, stale] = value;
  RR_FIELD(health), RR_FIELD(stale);
}

void fields(Of<DoubleRelease> auto& value, auto&& visit) {
  auto& [group, image, commit, template_version, previous_version, previous_specification, original_capacity, phase,
         started, phase_began, ended, deadline, next_question, confirmed, front_answers, front_hosts, asked,
         front_asked, last_wrong, commit_unproved, hosts_unproved, ended_singly, rolled_back, outcome] = value;
  RR_FIELD(group), RR_FIELD(image), RR_FIELD(commit), RR_FIELD(template_version), RR_FIELD(previous_version);
  RR_FIELD(previous_specification), RR_FIELD(original_capacity), RR_FIELD(phase), RR_FIELD(started);
  RR_FIELD(phase_began), RR_FIELD(ended), RR_FIELD(deadline), RR_FIELD(next_question), RR_FIELD(confirmed);
  RR_FIELD(front_answers), RR_FIELD(front_hosts), RR_FIELD(asked), RR_FIELD(front_asked), RR_FIELD(last_wrong);
  RR_FIELD(commit_unproved), RR_FIELD(hosts_unproved), RR_FIELD(ended_singly), RR_FIELD(rolled_back), RR_FIELD(outcome);
}

void fields(Of<RefreshPreferences> auto& value, auto&& visit) {
  auto& [min_healthy_percentage, max_healthy_percentage, instance_warmup, skip_matching, auto_rollback,
         checkpoint_percentages, checkpoint_delay, scale_in_protected_instances, standby_instances, alarms, bake_time] =
      value;
  RR_FIELD(min_healthy_percentage), RR_FIELD(max_healthy_percentage), RR_FIELD(instance_warmup);
  RR_FIELD(skip_matching), RR_FIELD(auto_rollback), RR_FIELD(checkpoint_percentages), RR_FIELD(checkpoint_delay);
  RR_FIELD(scale_in_protected_instances), RR_FIELD(standby_instances), RR_FIELD(alarms), RR_FIELD(bake_time);
}

void fields(Of<RollbackDetails> auto& value, auto&& visit) {
  auto& [reason, started, percentage_complete, instances_to_update] = value;
  RR_FIELD(reason), RR_FIELD(started), RR_FIELD(percentage_complete), RR_FIELD(instances_to_update);
}

void fields(Of<RefreshBatch> auto& value, auto&& visit) {
  auto& [size, owed, end_when_ready] = value;
  RR_FIELD(size), RR_FIELD(owed), RR_FIELD(end_when_ready);
}

void fields(Of<RefreshState> auto& value, auto&& visit) {
  auto& [id, preferences, desired_configuration, min_healthy_percentage, max_healthy_percentage, instance_warmup,
         status, status_reason, percentage_complete, instances_to_update, started, ended, rollback, total, completed,
         order, left, batch, next_checkpoint, resume_at, bake_ends, progress_at] = value;
  RR_FIELD(id), RR_FIELD(preferences), RR_FIELD(desired_configuration), RR_FIELD(min_healthy_percentage);
  RR_FIELD(max_healthy_percentage), RR_FIELD(instance_warmup), RR_FIELD(status), RR_FIELD(status_reason);
  RR_FIELD(percentage_complete), RR_FIELD(instances_to_update), RR_FIELD(started), RR_FIELD(ended), RR_FIELD(rollback);
  RR_FIELD(total), RR_FIELD(completed), RR_FIELD(order), RR_FIELD(left), RR_FIELD(batch), RR_FIELD(next_checkpoint);
  RR_FIELD(resume_at), RR_FIELD(bake_ends), RR_FIELD(progress_at);
}

void fields(Of<Group> auto& value, auto&& visit) {
  auto& [settings, desired_capacity, created, next_sweep, next_rebalance, refused_until, refusals, replacements_owed,
         rebalance_surplus, trigger, target_groups_in_service, suspended, hooks, cooldown_until, all_protected_noted,
         refreshes] = value;
  RR_FIELD(settings), RR_FIELD(desired_capacity), RR_FIELD(created), RR_FIELD(next_sweep), RR_FIELD(next_rebalance);
  RR_FIELD(refused_until), RR_FIELD(refusals), RR_FIELD(replacements_owed), RR_FIELD(rebalance_surplus);
  RR_FIELD(trigger), RR_FIELD(target_groups_in_service), RR_FIELD(suspended), RR_FIELD(hooks);
  RR_FIELD(cooldown_until), RR_FIELD(all_protected_noted), RR_FIELD(refreshes);
}

void fields(Of<AlarmSettings> auto& value, auto&& visit) {
  auto& [name, group, metric, comparison, threshold, evaluation_periods, datapoints_to_alarm, treat_missing_data] =
      value;
  RR_FIELD(name), RR_FIELD(group), RR_FIELD(metric), RR_FIELD(comparison), RR_FIELD(threshold);
  RR_FIELD(evaluation_periods), RR_FIELD(datapoints_to_alarm), RR_FIELD(treat_missing_data);
}

void fields(Of<Alarm> auto& value, auto&& visit) {
  auto& [settings, state, state_reason, state_since, datapoints] = value;
  RR_FIELD(settings), RR_FIELD(state), RR_FIELD(state_reason), RR_FIELD(state_since), RR_FIELD(datapoints);
}

void fields(Of<StepAdjustment> auto& value, auto&& visit) {
  auto& [lower, upper, scaling_adjustment] = value;
  RR_FIELD(lower), RR_FIELD(upper), RR_FIELD(scaling_adjustment);
}

void fields(Of<ScalingPolicy> auto& value, auto&& visit) {
  auto& [name, group, type, enabled, metric, target_value, disable_scale_in, alarm, adjustment_type, step_adjustments,
         scaling_adjustment, min_adjustment_magnitude, cooldown] = value;
  RR_FIELD(name), RR_FIELD(group), RR_FIELD(type), RR_FIELD(enabled), RR_FIELD(metric), RR_FIELD(target_value);
  RR_FIELD(disable_scale_in), RR_FIELD(alarm), RR_FIELD(adjustment_type), RR_FIELD(step_adjustments);
  RR_FIELD(scaling_adjustment), RR_FIELD(min_adjustment_magnitude), RR_FIELD(cooldown);
}

void fields(Of<ScheduledAction> auto& value, auto&& visit) {
  auto& [name, group, start_time, end_time, recurrence, min_size, max_size, desired_capacity, next] = value;
  RR_FIELD(name), RR_FIELD(group), RR_FIELD(start_time), RR_FIELD(end_time), RR_FIELD(recurrence);
  RR_FIELD(min_size), RR_FIELD(max_size), RR_FIELD(desired_capacity), RR_FIELD(next);
}

void fields(Of<RegionState> auto& value, auto&& visit) {
  auto& [settings, rng, as_of, next_activity, generation, targets_generation, images, launch_templates, groups,
         instances, nodes, activities, reports, target_health, release, alarms, policies, scheduled_actions] = value;
  RR_FIELD(settings), RR_FIELD(rng), RR_FIELD(as_of), RR_FIELD(next_activity), RR_FIELD(generation);
  RR_FIELD(targets_generation), RR_FIELD(images), RR_FIELD(launch_templates), RR_FIELD(groups), RR_FIELD(instances);
  RR_FIELD(nodes), RR_FIELD(activities), RR_FIELD(reports), RR_FIELD(target_health), RR_FIELD(release);
  RR_FIELD(alarms), RR_FIELD(policies), RR_FIELD(scheduled_actions);
}

// Commands.
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

// Events.
void fields(Of<InstanceRunning> auto& value, auto&& visit) {
  auto& [instance] = value;
  RR_FIELD(instance);
}
void fields(Of<InstanceStopped> auto& value, auto&& visit) {
  auto& [instance, why] = value;
  RR_FIELD(instance), RR_FIELD(why);
}
void fields(Of<LaunchFailed> auto& value, auto&& visit) {
  auto& [instance, code, message] = value;
  RR_FIELD(instance), RR_FIELD(code), RR_FIELD(message);
}
void fields(Of<TargetHealthReported::Target> auto& value, auto&& visit) {
  auto& [id, port, health, target_group] = value;
  RR_FIELD(id), RR_FIELD(port), RR_FIELD(health), RR_FIELD(target_group);
}
void fields(Of<TargetHealthReported> auto& value, auto&& visit) {
  auto& [node, targets, others_unchanged] = value;
  RR_FIELD(node), RR_FIELD(targets), RR_FIELD(others_unchanged);
}
void fields(Of<TargetDrained> auto& value, auto&& visit) {
  auto& [node, id] = value;
  RR_FIELD(node), RR_FIELD(id);
}
void fields(Of<NodeRunning> auto& value, auto&& visit) {
  auto& [node] = value;
  RR_FIELD(node);
}
void fields(Of<NodeStopped> auto& value, auto&& visit) {
  auto& [node, why] = value;
  RR_FIELD(node), RR_FIELD(why);
}
void fields(Of<NodeChecked> auto& value, auto&& visit) {
  auto& [node, passed] = value;
  RR_FIELD(node), RR_FIELD(passed);
}
void fields(Of<VersionAnswered> auto& value, auto&& visit) {
  auto& [instance, status, commit, served_by] = value;
  RR_FIELD(instance), RR_FIELD(status), RR_FIELD(commit), RR_FIELD(served_by);
}
void fields(Of<MetricReported> auto& value, auto&& visit) {
  auto& [group, metric, value_] = value;
  RR_FIELD(group), RR_FIELD(metric), visit("value", value_);
}

#undef RR_FIELD

// Names
// -----------------------------------------------------------------------------------------------------------------

/// The names of a variant's alternatives, in their order.
template <class Variant>
struct AlternativeNames;
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
template <>
struct AlternativeNames<Event> {
  static constexpr std::array kNames{"InstanceRunning", "InstanceStopped", "LaunchFailed", "TargetHealthReported",
                                     "TargetDrained",   "NodeRunning",     "NodeStopped",  "NodeChecked",
                                     "VersionAnswered", "MetricReported"};
};

constexpr std::array kHealthCheckTypes{"EC2", "ELB"};
constexpr std::array kChangeReasons{
    "desired-capacity", "elb-health-check", "ec2-health-check", "user-health-check", "replace-unhealthy",
    "rebalance",        "user-request",     "launch-failed",    "instance-refresh",  "max-instance-lifetime"};

std::string name_of(HealthCheckType type) { return kHealthCheckTypes.at(static_cast<std::size_t>(type)); }
std::string name_of(ChangeReason reason) { return kChangeReasons.at(static_cast<std::size_t>(reason)); }
template <class Enum>
requires requires(Enum value) { to_string(value); }
std::string name_of(Enum value) { return std::string(to_string(value)); }

template <class Enum, class Names>
std::optional<Enum> find_name(const Names& names, const std::string& text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

/// Of an enum of ours whose to_string answers nothing beyond its last value.
template <class Enum>
std::optional<Enum> find_value(const std::string& text) {
  for (std::uint8_t i = 0; !to_string(static_cast<Enum>(i)).empty(); ++i) {
    if (to_string(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <class Enum>
std::optional<Enum> parse_name(const std::string& text) {
  if constexpr (std::same_as<Enum, HealthCheckType>) {
    return find_name<Enum>(kHealthCheckTypes, text);
  } else if constexpr (std::same_as<Enum, ChangeReason>) {
    return find_name<Enum>(kChangeReasons, text);
  } else if constexpr (std::same_as<Enum, TargetState>) {
    return parse_target_state(text);
  } else if constexpr (std::same_as<Enum, TargetReason>) {
    return parse_target_reason(text);
  } else {
    return find_value<Enum>(text);
  }
}

// Kinds of types
// ----------------------------------------------------------------------------------------------------------

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool kIs<Template<Arguments...>, Template> = true;
template <class T>
inline constexpr bool kIsList = kIs<T, std::vector> || kIs<T, std::deque> || kIs<T, std::set>;

template <class T>
Json write(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return value;
  } else if constexpr (kIs<T, Name>) {
    return value.value;
  } else if constexpr (std::is_enum_v<T>) {
    return name_of(value);
  } else if constexpr (std::same_as<T, Time>) {
    return value.time_since_epoch().count();
  } else if constexpr (std::same_as<T, Duration>) {
    return value.count();
  } else if constexpr (std::same_as<T, Address>) {
    return format_address(value);
  } else if constexpr (std::same_as<T, LoadBalancerSettings>) {
    return whole_to_json(value);
  } else if constexpr (std::same_as<T, Rng>) {
    return value.state();
  } else if constexpr (kIs<T, std::optional>) {
    return value ? write(*value) : Json(nullptr);
  } else if constexpr (kIsList<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(write(item));
    return list;
  } else if constexpr (kIs<T, std::map>) {
    Json object = Json::object();
    for (const auto& [key, item] : value) object[write(key).template get<std::string>()] = write(item);
    return object;
  } else if constexpr (kIs<T, std::variant>) {
    Json object = std::visit([](const auto& alternative) { return write(alternative); }, value);
    object["type"] = AlternativeNames<T>::kNames.at(value.index());
    return object;
  } else {
    Json object = Json::object();
    fields(value, [&](const char* key, const auto& member) { object[key] = write(member); });
    return object;
  }
}

template <class T>
T read(const Json& json);

template <class Variant, std::size_t Index = 0>
Variant read_alternative(Json json, const std::string& type) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    if (type != AlternativeNames<Variant>::kNames.at(Index)) return read_alternative<Variant, Index + 1>(json, type);
    json.erase("type");
    return read<std::variant_alternative_t<Index, Variant>>(json);
  } else {
    throw Unreadable(fmt::format("type: '{}' is not known", type));
  }
}

template <class T>
T read_number(const Json& json) {
  if constexpr (std::same_as<T, bool>) {
    if (!json.is_boolean()) throw Unreadable("true or false expected");
  } else if constexpr (std::integral<T>) {
    if (!json.is_number_integer()) throw Unreadable("a whole number expected");
    const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                                : std::in_range<T>(json.get<std::int64_t>());
    if (!fits) throw Unreadable(fmt::format("{} is out of range", json.dump()));
  } else {
    if (!json.is_number()) throw Unreadable("a number expected");
  }
  return json.get<T>();
}

/// All members must be there and no others: a file of this version was written by this code.
template <class T>
T read_object(const Json& json) {
  if (!json.is_object()) throw Unreadable("an object expected");
  T value;
  std::size_t known = 0;
  fields(value, [&](const char* key, auto& member) {
    ++known;
    const auto found = json.find(key);
    if (found == json.end()) throw Unreadable(fmt::format("{} is missing", key));
    try {
      member = read<std::remove_cvref_t<decltype(member)>>(*found);
    } catch (const Unreadable& error) {
      throw Unreadable(fmt::format("{}: {}", key, error.what()));
    }
  });
  if (json.size() != known) throw Unreadable("a member that is not known");
  return value;
}

template <class T, class E>
T accept(Result<T, E> result) {
  if (!result.ok()) throw Unreadable(result.error().message);
  return *std::move(result);
}

/// Of the schema that the balancer's own configuration has; here too every key must be known.
LoadBalancerSettings read_load_balancer(const Json& json) {
  const auto document = accept(parse_json_document(json.dump()));
  ConfigErrors errors;
  LoadBalancerSettings settings;
  {
    MapReader map(document, "", "", errors);
    read_whole(map, settings);
  }
  if (!errors.empty()) throw Unreadable(errors.front());
  return settings;
}

template <class T>
T read(const Json& json) {
  if constexpr (std::is_arithmetic_v<T>) {
    return read_number<T>(json);
  } else if constexpr (std::same_as<T, std::string>) {
    return json.get<std::string>();
  } else if constexpr (kIs<T, Name>) {
    return T(json.get<std::string>());
  } else if constexpr (std::is_enum_v<T>) {
    const std::optional<T> value = parse_name<T>(json.get<std::string>());
    if (!value) throw Unreadable(fmt::format("'{}' is not known", json.get<std::string>()));
    return *value;
  } else if constexpr (std::same_as<T, Time>) {
    return Time(Duration(read_number<std::int64_t>(json)));
  } else if constexpr (std::same_as<T, Duration>) {
    return Duration(read_number<std::int64_t>(json));
  } else if constexpr (std::same_as<T, Address>) {
    return accept(parse_address(json.get<std::string>()));
  } else if constexpr (std::same_as<T, LoadBalancerSettings>) {
    return read_load_balancer(json);
  } else if constexpr (std::same_as<T, Rng>) {
    return Rng(json.get<std::array<std::uint64_t, 4>>());
  } else if constexpr (kIs<T, std::optional>) {
    if (json.is_null()) return std::nullopt;
    return read<typename T::value_type>(json);
  } else if constexpr (kIsList<T>) {
    if (!json.is_array()) throw Unreadable("a list expected");
    T list;
    for (const Json& item : json) list.insert(list.end(), read<typename T::value_type>(item));
    return list;
  } else if constexpr (kIs<T, std::map>) {
    if (!json.is_object()) throw Unreadable("an object expected");
    T map;
    for (const auto& [key, item] : json.items()) {
      map.emplace(typename T::key_type(key), read<typename T::mapped_type>(item));
    }
    return map;
  } else if constexpr (kIs<T, std::variant>) {
    if (!json.is_object()) throw Unreadable("an object expected");
    return read_alternative<T>(json, json.at("type").template get<std::string>());
  } else {
    return read_object<T>(json);
  }
}

template <class T>
Result<T> catching(const std::function<T()>& reading) {
  try {
    return reading();
  } catch (const Json::exception& error) {
    return Error{error.what()};
  } catch (const Unreadable& error) {
    return Error{error.what()};
  }
}

LogRecord read_record_json(const Json& json) {
  LogRecord record;
  if (!json.is_object() || json.size() != 3) throw Unreadable("a record has a number n, a time t and what happened");
  record.number = read<std::uint64_t>(json.at("n"));
  record.time = read<Time>(json.at("t"));
  if (json.contains("command")) {
    record.what = read<Command>(json.at("command"));
  } else if (json.contains("event")) {
    record.what = read<Event>(json.at("event"));
  } else if (json.contains("recovered")) {
    record.what = Recovered{read<std::set<std::string>>(json.at("recovered"))};
  } else if (!json.contains("woken")) {
    throw Unreadable("a record that is not known");
  }
  return record;
}

}  // namespace

std::string write_snapshot(const Snapshot& snapshot) {
  const Json json{{"version", RegionState::kVersion}, {"number", snapshot.number}, {"state", write(snapshot.state)}};
  return json.dump(1) + "\n";
}

Result<Snapshot> read_snapshot(std::string_view text) {
  return catching<Snapshot>([&] {
    const Json json = Json::parse(text);
    const int version = read<int>(json.at("version"));
    if (version != RegionState::kVersion) {
      throw Unreadable(fmt::format("version {} is {} than the {} that this program knows", version,
                                   version > RegionState::kVersion ? "newer" : "older", RegionState::kVersion));
    }
    return Snapshot{read<std::uint64_t>(json.at("number")), read<RegionState>(json.at("state"))};
  });
}

std::string write_command(const Command& command) { return write(command).dump(); }

Result<Command> read_command(std::string_view text) {
  return catching<Command>([&] { return read<Command>(Json::parse(text)); });
}

std::string write_record(const LogRecord& record) {
  Json json{{"n", record.number}, {"t", write(record.time)}};
  if (const auto* command = std::get_if<Command>(&record.what)) {
    json["command"] = write(*command);
  } else if (const auto* event = std::get_if<Event>(&record.what)) {
    json["event"] = write(*event);
  } else if (const auto* recovered = std::get_if<Recovered>(&record.what)) {
    json["recovered"] = write(recovered->still_running);
  } else {
    json["woken"] = true;
  }
  return json.dump();
}

Result<LogRecord> read_record(std::string_view line) {
  return catching<LogRecord>([&] { return read_record_json(Json::parse(line)); });
}

}  // namespace rr::sim
