// Lifecycle hooks: instances that wait, on their way into service or out of it, for somebody to say that they may go
// on. https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/api_errors.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr std::size_t kMostHooks = 50;
constexpr std::size_t kMostName = 255;
constexpr Duration kLeastHeartbeat = std::chrono::seconds(30);
constexpr Duration kMostHeartbeat = std::chrono::seconds(7'200);
/// A wait ends after 48 hours or 100 heartbeats, whichever is sooner, however many heartbeats come.
constexpr Duration kLongestWait = std::chrono::hours(48);
constexpr int kMostHeartbeats = 100;

bool is_hook_name(const std::string& name) {
  return !name.empty() && name.size() <= kMostName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '/';
  });
}

ApiError no_action(const std::string& hook, const std::string& whose) {
  return validation_error(fmt::format("No active Lifecycle Action found with {}, of the hook {}", whose, hook));
}

}  // namespace

Result<Reply, ApiError> Region::Machine::run(Time now, const PutLifecycleHook& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  const LifecycleHook& hook = command.hook;
  if (!is_hook_name(hook.name)) {
    return validation_error(fmt::format(
        "LifecycleHookName '{}': 1 to 255 letters, digits, hyphens, underscores and slashes are right", hook.name));
  }
  if (hook.heartbeat_timeout < kLeastHeartbeat || hook.heartbeat_timeout > kMostHeartbeat) {
    return validation_error(
        fmt::format("HeartbeatTimeout {}: 30 to 7200 seconds is right", format_duration(hook.heartbeat_timeout)));
  }
  auto& hooks = found->second.hooks;
  if (!hooks.contains(hook.name) && hooks.size() == kMostHooks) {
    return ApiError{"LimitExceeded",
                    fmt::format("The AutoScalingGroup {} has {} lifecycle hooks already.", command.group, kMostHooks)};
  }
  log(now, command.group, fmt::format("hook {} of {}", hook.name, to_string(hook.transition)));
  hooks[hook.name] = hook;
  return Reply{hook.name, static_cast<int>(hooks.size())};
}

/// Who waits for it goes on as if it had been completed by its default.
Result<Reply, ApiError> Region::Machine::run(Time now, const DeleteLifecycleHook& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  if (found->second.hooks.erase(command.hook) == 0) {
    return validation_error(
        fmt::format("No Lifecycle Hook found with name: {} on the AutoScalingGroup {}", command.hook, command.group));
  }
  log(now, command.group, fmt::format("hook {} is deleted", command.hook));
  std::vector<InstanceId> waiting;
  for (const auto& [id, instance] : state_.instances) {
    if (instance.group == command.group && instance.lifecycle_actions.contains(command.hook)) waiting.push_back(id);
  }
  for (const InstanceId& id : waiting) {
    Instance& instance = instance_at(id);
    complete_action(now, instance, command.hook, instance.lifecycle_actions.at(command.hook).default_result);
  }
  return Reply{command.hook, static_cast<int>(found->second.hooks.size())};
}

Result<Instance*, ApiError> Region::Machine::waiting_for(const std::string& group, const std::string& hook,
                                                         const InstanceId& id, const std::string& token) {
  if (!state_.groups.contains(group)) return no_such_group(group);
  if (!id.empty()) {
    Instance* instance = find_instance(id);
    const bool waits = instance != nullptr && instance->group == group && instance->lifecycle_actions.contains(hook);
    if (!waits) return no_action(hook, "instance ID " + id.value);
    return instance;
  }
  for (auto& [other, instance] : state_.instances) {
    const auto action = instance.lifecycle_actions.find(hook);
    if (instance.group != group || action == instance.lifecycle_actions.end()) continue;
    if (action->second.token == token) return &instance;
  }
  return no_action(hook, "token " + token);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CompleteLifecycleAction& command) {
  const auto found = waiting_for(command.group, command.hook, command.instance, command.token);
  if (!found.ok()) return found.error();
  const Reply reply{found.value()->id.value, 0};
  complete_action(now, *found.value(), command.hook, command.result);
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const RecordLifecycleActionHeartbeat& command) {
  const auto found = waiting_for(command.group, command.hook, command.instance, command.token);
  if (!found.ok()) return found.error();
  Instance& instance = *found.value();
  LifecycleAction& action = instance.lifecycle_actions.at(command.hook);
  action.ends = std::min(now + action.heartbeat, action.ends_at_last);
  log(now, instance.id.value, fmt::format("heartbeat for the hook {}", command.hook));
  arm_hooks(instance);
  return Reply{instance.id.value, 0};
}

/// False when there is no hook for it.
bool Region::Machine::wait_for_hooks(Time now, Instance& instance, LifecycleTransition transition) {
  for (const auto& [name, hook] : state_.groups.at(instance.group).hooks) {
    if (hook.transition != transition) continue;
    const Duration heartbeat = tempo_.waits(hook.heartbeat_timeout);
    const Time at_last = now + std::min(tempo_.waits(kLongestWait), kMostHeartbeats * heartbeat);
    instance.lifecycle_actions[name] = {.token = draw_uuid(state_.rng),
                                        .default_result = hook.default_result,
                                        .heartbeat = heartbeat,
                                        .ends = std::min(now + heartbeat, at_last),
                                        .ends_at_last = at_last};
    log(now, instance.id.value, fmt::format("waits for the hook {}", name));
  }
  if (instance.lifecycle_actions.empty()) return false;
  const bool launching = transition == LifecycleTransition::kLaunching;
  move(now, instance, launching ? LifecycleState::kPendingWait : LifecycleState::kTerminatingWait, "lifecycle hooks");
  progress_activity(launching ? ActivityKind::kLaunch : ActivityKind::kTerminate, instance.id, "MidLifecycleAction",
                    50);
  arm_hooks(instance);
  return true;
}

void Region::Machine::arm_hooks(Instance& instance) {
  std::optional<Time> first;
  for (const auto& [name, action] : instance.lifecycle_actions) {
    if (!first || action.ends < *first) first = action.ends;
  }
  arm(instance.hook_at, first, TimerKind::kHook, instance.id.value);
}

void Region::Machine::fire_hooks(Time now, Instance& instance) {
  arm(instance.hook_at, std::nullopt, TimerKind::kHook, instance.id.value);
  const std::map<std::string, LifecycleAction> actions = instance.lifecycle_actions;
  for (const auto& [name, action] : actions) {
    if (action.ends > now || !instance.lifecycle_actions.contains(name)) continue;
    log(now, instance.id.value, fmt::format("the hook {} was not completed in time", name));
    complete_action(now, instance, name, action.default_result);
  }
  arm_hooks(instance);
}

void Region::Machine::complete_action(Time now, Instance& instance, const std::string& hook,
                                      LifecycleActionResult result) {
  const std::string token = instance.lifecycle_actions.at(hook).token;
  instance.lifecycle_actions.erase(hook);
  log(now, instance.id.value, fmt::format("hook {}: {}", hook, to_string(result)));
  const bool launching = instance.lifecycle == LifecycleState::kPendingWait;
  if (result == LifecycleActionResult::kAbandon) instance.lifecycle_actions.clear();  // the others are not waited for
  arm_hooks(instance);
  if (!instance.lifecycle_actions.empty()) return;
  if (launching && result == LifecycleActionResult::kAbandon) return abandon_launch(now, instance, token);
  if (launching) {
    move(now, instance, LifecycleState::kPendingProceed, "lifecycle hooks are completed");
    return put_in_service(now, instance);
  }
  move(now, instance, LifecycleState::kTerminatingProceed, "lifecycle hooks are completed");
  request_stop(instance);
}

void Region::Machine::abandon_launch(Time now, Instance& instance, const std::string& token) {
  end_activity(now, ActivityKind::kLaunch, instance.id, "Failed",
               fmt::format("Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {} was "
                           "abandoned: Lifecycle Action Completed with ABANDON Result",
                           token));
  owe_launch_again(instance);
  begin_termination(now, instance, ChangeReason::kLaunchFailed, taken_for_hook(now));
}

}  // namespace rr::sim
