#pragma once
// The members of a region's state and of all that it is made of.
#include "sim/cloud/region.h"
#include "sim/store/fields.h"

namespace rr::sim {

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

}  // namespace rr::sim
