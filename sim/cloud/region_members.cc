// Instances that leave the group without being ended, come back, or are protected; processes that are suspended.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/activity.h"
#include "sim/cloud/api_errors.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr std::size_t kMostInstancesOfACall = 20;
constexpr std::size_t kMostProcesses = 9;

std::set<ScalingProcess> all_processes() {
  std::set<ScalingProcess> all;
  for (std::size_t i = 0; i < kMostProcesses; ++i) all.insert(static_cast<ScalingProcess>(i));
  return all;
}

}  // namespace

/// The group that all of the instances are in, each in a state that `fits`; AWS refuses all of them for one.
Result<Group*, ApiError> Region::Machine::group_of(const std::vector<InstanceId>& ids, std::string_view state,
                                                   const std::function<bool(const Instance&)>& fits) {
  if (ids.empty() || ids.size() > kMostInstancesOfACall) {
    return validation_error(
        fmt::format("InstanceIds: {} are given, 1 to {} are right", ids.size(), kMostInstancesOfACall));
  }
  Group* group = nullptr;
  for (const InstanceId& id : ids) {
    const Instance* instance = find_instance(id);
    if (instance == nullptr || instance->lifecycle == LifecycleState::kTerminated) return no_such_instance(id);
    if (std::count(ids.begin(), ids.end(), id) > 1) {
      return validation_error(fmt::format("The instance {} is listed twice.", id.value));
    }
    Group& its = state_.groups.at(instance->group);
    if (group != nullptr && group != &its) return validation_error("The instances are not all of one group.");
    group = &its;
    if (!fits(*instance)) {
      return validation_error(fmt::format("The instance {} is in the state {}, not in {}.", id.value,
                                          to_string(instance->lifecycle), state));
    }
  }
  return group;
}

/// What EnterStandby and DetachInstances have in common: out of the load balancer, drained, then in the state after.
Result<Reply, ApiError> Region::Machine::take_out(Time now, const std::vector<InstanceId>& ids, bool decrement,
                                                  LifecycleState first) {
  const bool detaches = first == LifecycleState::kDetaching;
  const auto found = group_of(ids, detaches ? "InService or Standby" : "InService", [&](const Instance& i) {
    return i.lifecycle == LifecycleState::kInService || (detaches && i.lifecycle == LifecycleState::kStandby);
  });
  if (!found.ok()) return found.error();
  Group& group = *found.value();
  const std::string name = group.settings.name;
  if (release_runs_on(name)) return release_in_progress(name);
  const int from = group.desired_capacity;
  const auto in_service = std::count_if(ids.begin(), ids.end(), [&](const InstanceId& id) {
    return instance_at(id).lifecycle == LifecycleState::kInService;
  });
  const int to = decrement ? from - static_cast<int>(in_service) : from;
  if (to < group.settings.min_size) return below_min(to, group.settings.min_size);
  if (to != from) log(now, name, fmt::format("desired capacity {} -> {}", from, to));
  group.desired_capacity = to;
  for (const InstanceId& id : ids) {
    Instance& instance = instance_at(id);
    const std::string cause = detaches ? detached_by_user(now, id, from, to) : moved_to_standby(now, id, from, to);
    begin_activity(now, ActivityKind::kTerminate, instance, cause, detaches ? detaching(id) : to_standby(id));
    progress_activity(ActivityKind::kTerminate, id, "InProgress", 50);
    leave_refresh(instance);
    arm(instance.warm_at, std::nullopt, TimerKind::kWarm, id.value);
    move(now, instance, first, "a user request");
    if (!deregister(now, instance)) after_drain(now, instance);
  }
  mark_dirty(now, name);
  return Reply{name, to};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const EnterStandby& command) {
  return take_out(now, command.instances, command.should_decrement_desired_capacity, LifecycleState::kEnteringStandby);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const DetachInstances& command) {
  return take_out(now, command.instances, command.should_decrement_desired_capacity, LifecycleState::kDetaching);
}

/// Back through Pending into service, as the desired capacity grows with it.
Result<Reply, ApiError> Region::Machine::bring_back(Time now, Group& group, const std::vector<InstanceId>& ids,
                                                    bool attaches) {
  const std::string name = group.settings.name;
  if (release_runs_on(name)) return release_in_progress(name);
  const int from = group.desired_capacity;
  const int to = from + static_cast<int>(ids.size());
  if (to > group.settings.max_size) return above_max(to, group.settings.max_size);
  log(now, name, fmt::format("desired capacity {} -> {}", from, to));
  group.desired_capacity = to;
  for (const InstanceId& id : ids) {
    Instance& instance = instance_at(id);
    instance.group = name;
    instance.settled_at.reset();
    instance.first_healthy_at.reset();
    instance.deregistered_at.reset();
    instance.drained_by.clear();
    begin_activity(now, ActivityKind::kLaunch, instance,
                   attaches ? attached_by_user(now, id, from, to) : moved_out_of_standby(now, id, from, to),
                   attaches ? attaching(id) : out_of_standby(id));
    move(now, instance, LifecycleState::kPending, "a user request");
    put_in_service(now, instance);
    join_refresh(instance);
    if (instance.ec2 == InstanceState::kStopped) {
      mark_unhealthy(now, instance, ChangeReason::kEc2HealthCheck, "it stopped while it was away");
    }
  }
  mark_dirty(now, name);
  return Reply{name, to};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const ExitStandby& command) {
  const auto found =
      group_of(command.instances, "Standby", [](const Instance& i) { return i.lifecycle == LifecycleState::kStandby; });
  if (!found.ok()) return found.error();
  return bring_back(now, *found.value(), command.instances, false);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const AttachInstances& command) {
  const auto group = state_.groups.find(command.group);
  if (group == state_.groups.end()) return no_such_group(command.group);
  const auto found = group_of(command.instances, "Detached",
                              [](const Instance& i) { return i.lifecycle == LifecycleState::kDetached; });
  if (!found.ok()) return found.error();
  return bring_back(now, group->second, command.instances, true);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const SetInstanceProtection& command) {
  const auto found = group_of(command.instances, "InService", [](const Instance& i) {
    return i.lifecycle == LifecycleState::kInService || i.lifecycle == LifecycleState::kStandby;
  });
  if (!found.ok()) return found.error();
  const std::string name = found.value()->settings.name;
  for (const InstanceId& id : command.instances) {
    instance_at(id).protected_from_scale_in = command.protected_from_scale_in;
    log(now, id.value, command.protected_from_scale_in ? "protected from scale-in" : "not protected from scale-in");
  }
  mark_dirty(now, name);
  return Reply{name, static_cast<int>(command.instances.size())};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const SuspendProcesses& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  std::set<ScalingProcess>& suspended = found->second.suspended;
  for (const ScalingProcess process : command.processes.empty() ? all_processes() : command.processes) {
    if (suspended.insert(process).second) log(now, command.group, fmt::format("{} is suspended", to_string(process)));
  }
  mark_dirty(now, command.group);
  return Reply{command.group, static_cast<int>(suspended.size())};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const ResumeProcesses& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  Group& group = found->second;
  for (const ScalingProcess process : command.processes.empty() ? all_processes() : command.processes) {
    if (group.suspended.erase(process) > 0) log(now, command.group, fmt::format("{} is resumed", to_string(process)));
  }
  // What was suspended made no progress, and could not.
  if (group.active_refresh() != nullptr) group.refreshes.back().progress_at = now;
  mark_dirty(now, command.group);
  return Reply{command.group, static_cast<int>(group.suspended.size())};
}

}  // namespace rr::sim
