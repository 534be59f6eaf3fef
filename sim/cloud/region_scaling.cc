// Alarms, scaling policies and scheduled actions inside the region. Telemetry reduces each period to one value a
// metric; only here it is evaluated.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/api_errors.h"
#include "sim/cloud/cron.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

ApiError no_such_alarm(const std::string& name) {
  return {"ResourceNotFound", fmt::format("The alarm {} does not exist", name)};
}

ApiError no_such_policy(const std::string& name) {
  return validation_error(fmt::format("PolicyName not found - no such policy: {}", name));
}

bool is_tracking_alarm(const std::string& name) { return name.starts_with("TargetTracking-"); }

}  // namespace

// Alarms --------------------------------------------------------------------------------------------------------------

Result<Reply, ApiError> Region::Machine::run(Time now, const PutMetricAlarm& command) {
  const AlarmSettings& settings = command.settings;
  if (!state_.groups.contains(settings.group)) return no_such_group(settings.group);
  if (auto wrong = wrong_alarm(settings)) return validation_error(*std::move(wrong));
  if (is_tracking_alarm(settings.name)) {
    return validation_error(
        fmt::format("AlarmName '{}': TargetTracking- is for the alarms that policies make", settings.name));
  }
  Alarm& alarm = state_.alarms[settings.name];
  if (alarm.settings != settings) {
    alarm = Alarm{};
    alarm.settings = settings;
    alarm.state_since = now;
    log(now, settings.name, fmt::format("alarm on {}", to_string(settings.metric)));
  }
  return Reply{settings.name, 0};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const DeleteAlarm& command) {
  const auto found = state_.alarms.find(command.alarm);
  if (found == state_.alarms.end()) return no_such_alarm(command.alarm);
  if (is_tracking_alarm(command.alarm)) {
    return validation_error(fmt::format("{} belongs to a target tracking policy: delete the policy", command.alarm));
  }
  for (const auto& [name, group] : state_.groups) {
    const RefreshState* refresh = group.active_refresh();
    if (refresh == nullptr) continue;
    const auto& watched = refresh->preferences.alarms;
    if (std::find(watched.begin(), watched.end(), command.alarm) == watched.end()) continue;
    return validation_error(fmt::format("{} is watched by the instance refresh {}", command.alarm, refresh->id));
  }
  state_.alarms.erase(found);
  log(now, command.alarm, "alarm is deleted");
  return Reply{command.alarm, 0};
}

/// SetAlarmState: for a while, until the next period is evaluated.
Result<Reply, ApiError> Region::Machine::run(Time now, const SetAlarmState& command) {
  const auto found = state_.alarms.find(command.alarm);
  if (found == state_.alarms.end()) return no_such_alarm(command.alarm);
  Alarm& alarm = found->second;
  if (alarm.state != command.state) {
    alarm.state = command.state;
    alarm.state_since = now;
    alarm.state_reason = command.reason;
    alarm_changed(now, alarm);
  }
  trigger_policies(now, alarm, alarm.settings.threshold);
  return Reply{command.alarm, 0};
}

void Region::Machine::alarm_changed(Time now, const Alarm& alarm) {
  log(now, alarm.settings.name, fmt::format("{}: {}", to_string(alarm.state), alarm.state_reason));
  mark_dirty(now, alarm.settings.group);  // an instance refresh may watch it
}

/// The metrics of one period come together; each alarm sees its own.
void Region::Machine::take(Time now, const MetricReported& event) {
  if (!state_.groups.contains(event.group)) return;
  std::vector<std::string> names;
  for (const auto& [name, alarm] : state_.alarms) {
    if (alarm.settings.group == event.group && alarm.settings.metric == event.metric) names.push_back(name);
  }
  for (const std::string& name : names) {
    Alarm& alarm = state_.alarms.at(name);
    if (take_datapoint(alarm, event.value, now)) alarm_changed(now, alarm);
    if (event.value) trigger_policies(now, alarm, *event.value);
  }
}

std::optional<std::string> Region::Machine::refresh_alarm(const Group& group) const {
  const RefreshState* refresh = group.active_refresh();
  if (refresh == nullptr) return std::nullopt;
  for (const std::string& name : refresh->preferences.alarms) {
    const auto alarm = state_.alarms.find(name);
    if (alarm != state_.alarms.end() && alarm->second.state == AlarmStateValue::kAlarm) return name;
  }
  return std::nullopt;
}

// Policies ------------------------------------------------------------------------------------------------------------

Result<Reply, ApiError> Region::Machine::run(Time now, const PutScalingPolicy& command) {
  ScalingPolicy policy = command.policy;
  if (!state_.groups.contains(policy.group)) return no_such_group(policy.group);
  if (auto wrong = wrong_policy(policy)) return validation_error(*std::move(wrong));
  const bool tracks = policy.type == PolicyType::kTargetTrackingScaling;
  if (tracks && state_.groups.at(policy.group).settings.target_groups.empty()) {
    return validation_error("ALBRequestCountPerTarget: the AutoScalingGroup is attached to no target group");
  }
  if (!tracks && !policy.alarm.empty() && !state_.alarms.contains(policy.alarm)) return no_such_alarm(policy.alarm);
  policy.alarm = tracks ? draw_uuid(state_.rng) : policy.alarm;
  if (const auto known = state_.policies.find(policy.name); known != state_.policies.end()) {
    erase_tracking_alarms(known->second);
  }
  if (tracks) {
    for (const AlarmSettings& settings : {high_alarm(policy, policy.alarm), low_alarm(policy, policy.alarm)}) {
      Alarm alarm;
      alarm.settings = settings;
      alarm.state_since = now;
      state_.alarms[settings.name] = alarm;
    }
  }
  log(now, policy.name, fmt::format("{} of {}", to_string(policy.type), policy.group));
  state_.policies[policy.name] = policy;
  return Reply{policy.name, 0};
}

void Region::Machine::erase_tracking_alarms(const ScalingPolicy& policy) {
  if (policy.type != PolicyType::kTargetTrackingScaling) return;
  state_.alarms.erase(high_alarm(policy, policy.alarm).name);
  state_.alarms.erase(low_alarm(policy, policy.alarm).name);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const DeletePolicy& command) {
  const auto found = state_.policies.find(command.policy);
  if (found == state_.policies.end()) return no_such_policy(command.policy);
  erase_tracking_alarms(found->second);
  state_.policies.erase(found);
  log(now, command.policy, "policy is deleted");
  return Reply{command.policy, 0};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const ExecutePolicy& command) {
  const auto found = state_.policies.find(command.policy);
  if (found == state_.policies.end()) return no_such_policy(command.policy);
  const ScalingPolicy& policy = found->second;
  Group& group = state_.groups.at(policy.group);
  if (policy.type == PolicyType::kTargetTrackingScaling) {
    return validation_error("A target tracking policy cannot be executed: its alarms do that");
  }
  const bool steps = policy.type == PolicyType::kStepScaling;
  if (steps != (command.metric_value.has_value() && command.breach_threshold.has_value())) {
    return validation_error("MetricValue and BreachThreshold belong to StepScaling, and only to it");
  }
  if (release_runs_on(policy.group)) return release_in_progress(policy.group);
  if (!steps && command.honor_cooldown && group.cooldown_until && now < *group.cooldown_until) {
    return in_cooldown(policy.group);
  }
  const int from = group.desired_capacity;
  ScalingView view = scaling_view(group);
  view.value = command.metric_value.value_or(0);
  view.threshold = command.breach_threshold.value_or(0);
  if (const std::optional<int> next = next_capacity(policy, view)) {
    set_desired(now, group, *next, executed_policy(now, policy.name, from, *next));
    begin_cooldown(now, group, policy);
  }
  return Reply{policy.name, group.desired_capacity};
}

ScalingView Region::Machine::scaling_view(const Group& group) {
  const GroupCounts& members = counts(group.settings.name);
  ScalingView view;
  view.desired = group.desired_capacity;
  view.ready = static_cast<int>(members.members.size() - members.unsettled.size() - members.unhealthy.size());
  view.min_size = group.settings.min_size;
  view.max_size = group.settings.max_size;
  return view;
}

void Region::Machine::begin_cooldown(Time now, Group& group, const ScalingPolicy& policy) {
  group.cooldown_until = now + tempo_.waits(policy.cooldown.value_or(group.settings.default_cooldown));
}

/// While an alarm is in ALARM its policies are asked again every period.
void Region::Machine::trigger_policies(Time now, const Alarm& alarm, double value) {
  Group& group = state_.groups.at(alarm.settings.group);
  const std::string& name = group.settings.name;
  if (alarm.state != AlarmStateValue::kAlarm || group.suspended.contains(ScalingProcess::kAlarmNotification)) return;
  if (release_runs_on(name)) return;  // it counts on the capacity that it has asked for
  for (const auto& [policy_name, policy] : state_.policies) {
    if (policy.group != name || !policy.enabled) continue;
    const bool tracks = policy.type == PolicyType::kTargetTrackingScaling;
    const bool low = tracks && alarm.settings.name == low_alarm(policy, policy.alarm).name;
    const bool high = tracks && alarm.settings.name == high_alarm(policy, policy.alarm).name;
    if (tracks ? !low && !high : policy.alarm != alarm.settings.name) continue;
    const bool simple = policy.type == PolicyType::kSimpleScaling;
    if (simple && group.cooldown_until && now < *group.cooldown_until) continue;
    ScalingView view = scaling_view(group);
    view.value = value;
    view.threshold = alarm.settings.threshold;
    view.low = low;
    const std::optional<int> next = next_capacity(policy, view);
    if (!next) continue;
    set_desired(now, group, *next, triggered_policy(now, alarm.settings.name, policy_name, view.desired, *next));
    begin_cooldown(now, group, policy);
  }
}

// Scheduled actions ---------------------------------------------------------------------------------------------------

Result<Reply, ApiError> Region::Machine::run(Time now, const PutScheduledUpdateGroupAction& command) {
  ScheduledAction action = command.action;
  if (!state_.groups.contains(action.group)) return no_such_group(action.group);
  if (action.name.empty() || action.name.size() > 255) {
    return validation_error(fmt::format("ScheduledActionName '{}': 1 to 255 characters are right", action.name));
  }
  if (!action.min_size && !action.max_size && !action.desired_capacity) {
    return validation_error("At least one of MinSize, MaxSize and DesiredCapacity is right");
  }
  for (const std::optional<int>& size : {action.min_size, action.max_size, action.desired_capacity}) {
    if (size && *size < 0) return validation_error(fmt::format("{}: a capacity of 0 or more is right", *size));
  }
  const bool sizes_fit = !action.min_size || !action.max_size || *action.min_size <= *action.max_size;
  if (!sizes_fit) return validation_error("MinSize must not be above MaxSize");
  if (action.recurrence.empty() && !action.start_time) {
    return validation_error("StartTime or Recurrence is right: without one it would never be done");
  }
  if (action.recurrence.empty() && *action.start_time <= now) {
    return validation_error("Given start time is in the past");
  }
  if (!action.recurrence.empty()) {
    if (const auto cron = parse_cron(action.recurrence); !cron) return validation_error(cron.error().message);
  }
  action.next.reset();
  ScheduledAction& known = state_.scheduled_actions[action.name];
  arm(known.next, std::nullopt, TimerKind::kScheduled, action.name);
  known = action;
  arm(known.next, next_time(known, now), TimerKind::kScheduled, action.name);
  log(now, action.name,
      fmt::format("scheduled for {}", known.next ? format_iso8601(*known.next, 0) : std::string("never")));
  return Reply{action.name, 0};
}

std::optional<Time> Region::Machine::next_time(const ScheduledAction& action, Time after) const {
  std::optional<Time> next;
  if (action.recurrence.empty()) {
    if (*action.start_time > after) next = action.start_time;
  } else {
    // A start time is the first one it may be done at.
    const Time from = action.start_time ? std::max(after, *action.start_time - kSecond) : after;
    next = next_after(parse_cron(action.recurrence).value(), from);
  }
  if (next && action.end_time && *next > *action.end_time) return std::nullopt;
  return next;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const DeleteScheduledAction& command) {
  const auto found = state_.scheduled_actions.find(command.action);
  if (found == state_.scheduled_actions.end()) {
    return validation_error(fmt::format("Scheduled action name not found: {}", command.action));
  }
  arm(found->second.next, std::nullopt, TimerKind::kScheduled, command.action);
  state_.scheduled_actions.erase(found);
  log(now, command.action, "scheduled action is deleted");
  return Reply{command.action, 0};
}

void Region::Machine::fire_scheduled(Time now, ScheduledAction& action) {
  arm(action.next, next_time(action, now), TimerKind::kScheduled, action.name);
  Group& group = state_.groups.at(action.group);
  const bool skipped = group.suspended.contains(ScalingProcess::kScheduledActions) || release_runs_on(action.group);
  log(now, action.name, skipped ? "scheduled action is skipped" : "scheduled action");
  if (!skipped) {
    group.settings.min_size = action.min_size.value_or(group.settings.min_size);
    group.settings.max_size = std::max(action.max_size.value_or(group.settings.max_size), group.settings.min_size);
    const int from = group.desired_capacity;
    const int to = std::clamp(action.desired_capacity.value_or(from), group.settings.min_size, group.settings.max_size);
    set_desired(now, group, to, scheduled_constraints(now, group.settings, from, to));
  }
  if (action.next || !action.recurrence.empty()) return;
  state_.scheduled_actions.erase(std::string(action.name));  // done, once and for all
}

}  // namespace rr::sim
