#include "sim/swarm/drawn_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kHookByDay = "by-day";  // put while everything goes on; those of the tier have other names
constexpr std::string_view kScheduled = "soon";

int between(Rng& rng, int least, int most) {
  return least + static_cast<int>(rng.below(static_cast<std::uint64_t>(most - least + 1)));
}
bool chance(Rng& rng, int percent) { return between(rng, 1, 100) <= percent; }

using Fits = std::function<bool(const Instance&)>;
using Ids = std::vector<InstanceId>;

Ids all_that(const RegionState& state, const Fits& fits) {
  Ids ids;
  for (const auto& [id, one] : state.instances) {
    if (fits(one)) ids.push_back(id);
  }
  return ids;
}
Fits is_in(LifecycleState lifecycle) {
  return [lifecycle](const Instance& one) { return one.lifecycle == lifecycle; };
}
bool has_ended(const Instance& one) { return one.lifecycle == LifecycleState::kTerminated; }

/// Up to `most` of them.
Ids some(Rng& rng, Ids ids, int most) {
  const auto wanted = static_cast<std::size_t>(between(rng, 1, most));
  while (ids.size() > wanted) ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(rng.below(ids.size())));
  return ids;
}

std::string named(const Ids& ids) {
  std::string text;
  for (const InstanceId& id : ids) text += " " + id.value;
  return text;
}

template <class T>
std::optional<T> one_of(Rng& rng, const std::map<std::string, T>& all) {
  if (all.empty()) return std::nullopt;
  return std::next(all.begin(), static_cast<std::ptrdiff_t>(rng.below(all.size())))->second;
}

using Drawn = std::optional<DrawnCall>;

// Members -------------------------------------------------------------------------------------------------------------

Drawn take_out(Rng& rng, const RegionState& state) {
  const Ids ids = some(rng, all_that(state, is_in(LifecycleState::kInService)), 2);
  if (ids.empty()) return std::nullopt;
  const bool decrement = chance(rng, 50);
  const std::string how = decrement ? ", desired capacity with it" : ", to be replaced";
  if (chance(rng, 60)) return DrawnCall{"standby" + named(ids) + how, EnterStandby{ids, decrement}};
  return DrawnCall{"detach" + named(ids) + how, DetachInstances{ids, decrement}};
}

Drawn bring_back(Rng& rng, const RegionState& state) {
  const Ids standby = all_that(state, is_in(LifecycleState::kStandby));
  const Ids detached = all_that(state, is_in(LifecycleState::kDetached));
  if (!standby.empty() && (detached.empty() || chance(rng, 50))) {
    const Ids ids = some(rng, standby, 2);
    return DrawnCall{"exit standby" + named(ids), ExitStandby{ids}};
  }
  if (detached.empty()) return std::nullopt;
  const Ids ids = some(rng, detached, 2);
  return DrawnCall{"attach" + named(ids), AttachInstances{"web", ids}};
}

Drawn protect(Rng& rng, const RegionState& state) {
  const Ids ids = some(rng, all_that(state, is_in(LifecycleState::kInService)), 3);
  if (ids.empty()) return std::nullopt;
  const bool protects = chance(rng, 60);
  return DrawnCall{(protects ? "protect" : "unprotect") + named(ids), SetInstanceProtection{ids, protects}};
}

Drawn set_health(Rng& rng, const RegionState& state) {
  const Ids ids = some(rng, all_that(state, is_in(LifecycleState::kInService)), 1);
  if (ids.empty()) return std::nullopt;
  const bool healthy = chance(rng, 30);
  return DrawnCall{fmt::format("health of{}: {}", named(ids), healthy ? "Healthy" : "Unhealthy"),
                   SetInstanceHealth{ids.front(), healthy, chance(rng, 50)}};
}

Drawn terminate(Rng& rng, const RegionState& state) {
  const Ids ids = some(rng, all_that(state, [](const Instance& one) { return !has_ended(one); }), 1);
  if (ids.empty()) return std::nullopt;
  const bool decrement = chance(rng, 30);
  return DrawnCall{fmt::format("terminate{}{}", named(ids), decrement ? ", desired capacity with it" : ""),
                   TerminateInstanceInAutoScalingGroup{ids.front(), decrement}};
}

// The group -----------------------------------------------------------------------------------------------------------

Drawn scale(Rng& rng, const Group& group) {
  const int to = between(rng, group.settings.min_size, group.settings.max_size);
  return DrawnCall{fmt::format("scale to {}", to), SetDesiredCapacity{"web", to, chance(rng, 20)}};
}

Drawn resize(Rng& rng, const DrawnTier& tier, const Group& group) {
  GroupSettings settings = group.settings;
  settings.min_size = between(rng, 1, tier.desired);
  settings.max_size = between(rng, tier.desired, 2 * tier.desired);
  return DrawnCall{fmt::format("size {} to {}", settings.min_size, settings.max_size),
                   UpdateAutoScalingGroup{settings}};
}

Drawn suspend(Rng& rng, const Group& group) {
  constexpr int kLast = static_cast<int>(ScalingProcess::kScheduledActions);
  if (!group.suspended.empty() && chance(rng, 60)) return DrawnCall{"resume all", ResumeProcesses{"web", {}}};
  if (chance(rng, 10)) return DrawnCall{"suspend all", SuspendProcesses{"web", {}}};
  const auto process = static_cast<ScalingProcess>(between(rng, 0, kLast));
  return DrawnCall{fmt::format("suspend {}", to_string(process)), SuspendProcesses{"web", {process}}};
}

Drawn hook(Rng& rng, const Group& group) {
  const std::string name(kHookByDay);
  if (group.hooks.contains(name)) return DrawnCall{"delete hook " + name, DeleteLifecycleHook{"web", name}};
  LifecycleHook made = draw_hook(rng);
  made.name = name;
  return DrawnCall{fmt::format("hook {} of {}, {}", name, to_string(made.transition), to_string(made.default_result)),
                   PutLifecycleHook{"web", made}};
}

Drawn schedule(Rng& rng, Time now, const DrawnTier& tier) {
  ScheduledAction action;
  action.name = kScheduled;
  action.group = "web";
  action.start_time = now + seconds(between(rng, 20, 300));
  action.desired_capacity = between(rng, 1, 2 * tier.desired);
  return DrawnCall{fmt::format("scale to {} at {}", *action.desired_capacity, format_iso8601(*action.start_time, 0)),
                   PutScheduledUpdateGroupAction{action}};
}

Drawn alarm(Rng& rng, const RegionState& state) {
  const std::optional<ScalingPolicy> policy = one_of(rng, state.policies);
  if (policy && chance(rng, 30)) {
    ExecutePolicy made{policy->name, false, std::nullopt, std::nullopt};
    if (policy->type == PolicyType::kStepScaling) {
      made.breach_threshold = 100;
      made.metric_value = between(rng, 50, 250);
    }
    return DrawnCall{"execute " + policy->name, made};
  }
  const std::optional<Alarm> one = one_of(rng, state.alarms);
  if (!one) return std::nullopt;
  const auto value = chance(rng, 70) ? AlarmStateValue::kAlarm : AlarmStateValue::kOk;
  return DrawnCall{fmt::format("{} is set to {}", one->settings.name, to_string(value)),
                   SetAlarmState{one->settings.name, value, "drawn"}};
}

// Releases and traffic ------------------------------------------------------------------------------------------------

Drawn refresh(Rng& rng, const DrawnTier& tier, const RegionState& state) {
  StartInstanceRefresh made{"web", LaunchTemplateSpecification{"web", chance(rng, 50) ? "1" : "2"}, tier.refresh};
  RefreshPreferences& wants = made.preferences;
  wants.skip_matching = chance(rng, 30);
  wants.auto_rollback = chance(rng, 40);
  wants.scale_in_protected_instances = static_cast<ScaleInProtectedInstances>(between(rng, 0, 2));
  wants.standby_instances = static_cast<StandbyInstances>(between(rng, 0, 2));
  if (chance(rng, 30)) wants.bake_time = seconds(between(rng, 10, 120));
  if (chance(rng, 30)) {
    wants.checkpoint_percentages = {50, 100};
    wants.checkpoint_delay = seconds(between(rng, 0, 120));
  }
  const std::optional<Alarm> watched = one_of(rng, state.alarms);
  if (watched && chance(rng, 40)) wants.alarms = {watched->settings.name};
  return DrawnCall{fmt::format("refresh to version {}, at least {} % healthy", made.desired_configuration->version,
                               *wants.min_healthy_percentage),
                   made};
}

Drawn change_refresh(Rng& rng) {
  if (chance(rng, 50)) return DrawnCall{"roll the refresh back", RollbackInstanceRefresh{"web"}};
  return DrawnCall{"cancel the refresh", CancelInstanceRefresh{"web", chance(rng, 50)}};
}

Drawn shift(Rng& rng, const DrawnTier& tier) {
  if (chance(rng, 25)) return DrawnCall{"cancel the zonal shift", CancelZonalShift{}};
  const ZoneName& zone = tier.region.zones[rng.below(tier.region.zones.size())].name;
  return DrawnCall{"zonal shift away from " + zone.value, StartZonalShift{zone, minutes(between(rng, 1, 10))}};
}

// Tidying -------------------------------------------------------------------------------------------------------------

/// What is there under a name, and the call that ends it.
template <class Delete, class T>
void delete_all(std::vector<Command>& calls, const std::map<std::string, T>& all) {
  for (const auto& [name, one] : all) calls.push_back(Delete{name});
}

void tidy_members(std::vector<Command>& calls, const RegionState& state) {
  const auto in_service = [](const Instance& one) { return one.lifecycle == LifecycleState::kInService; };
  for (const auto& [id, one] : state.instances) {
    if (one.lifecycle == LifecycleState::kStandby) calls.push_back(ExitStandby{{id}});
    const bool runs = one.ec2 == InstanceState::kRunning;
    if (one.lifecycle == LifecycleState::kDetached && runs) calls.push_back(AttachInstances{"web", {id}});
    if (!in_service(one)) continue;
    if (one.protected_from_scale_in) calls.push_back(SetInstanceProtection{{id}, false});
    // It came into service while AddToLoadBalancer was suspended, and is not added later.
    if (!one.registered) calls.push_back(TerminateInstanceInAutoScalingGroup{id, false});
  }
}

}  // namespace

std::optional<DrawnCall> draw_call(Rng& rng, Time now, const DrawnTier& tier, const RegionState& state) {
  const auto found = state.groups.find("web");
  if (found == state.groups.end()) return std::nullopt;
  const Group& group = found->second;
  switch (rng.below(16)) {
    case 0:
    case 1:
      return refresh(rng, tier, state);
    case 2:
      return change_refresh(rng);
    case 3:
      return scale(rng, group);
    case 4:
      return terminate(rng, state);
    case 5:
    case 6:
      return take_out(rng, state);
    case 7:
    case 8:
      return bring_back(rng, state);
    case 9:
      return protect(rng, state);
    case 10:
      return set_health(rng, state);
    case 11:
      return resize(rng, tier, group);
    case 12:
      return suspend(rng, group);
    case 13:
      return chance(rng, 50) ? hook(rng, group) : schedule(rng, now, tier);
    case 14:
      return alarm(rng, state);
    default:
      return shift(rng, tier);
  }
}

std::optional<DrawnAnswer> draw_answer(Rng& rng, const Instance& instance, const std::string& hook, bool well_meant) {
  const Duration after = seconds(between(rng, 1, well_meant ? 20 : 90));
  const int drawn = well_meant ? 100 : between(rng, 1, 100);
  if (drawn <= 10) return std::nullopt;
  if (drawn <= 20) return DrawnAnswer{after, RecordLifecycleActionHeartbeat{"web", hook, instance.id, ""}};
  const auto result = drawn <= 35 ? LifecycleActionResult::kAbandon : LifecycleActionResult::kContinue;
  return DrawnAnswer{after, CompleteLifecycleAction{"web", hook, result, instance.id, ""}};
}

std::vector<Command> calls_to_tidy(const RegionState& state, const GroupSettings& settings) {
  std::vector<Command> calls;
  const auto found = state.groups.find(settings.name);
  if (found == state.groups.end()) return calls;
  const Group& group = found->second;
  if (!group.suspended.empty()) calls.push_back(ResumeProcesses{settings.name, {}});
  delete_all<DeletePolicy>(calls, state.policies);
  for (const auto& [name, one] : state.alarms) {
    // Those of target tracking go with their policy.
    if (!name.starts_with("TargetTracking-")) calls.push_back(DeleteAlarm{name});
  }
  delete_all<DeleteScheduledAction>(calls, state.scheduled_actions);
  const std::size_t away = all_that(state, is_in(LifecycleState::kStandby)).size() +
                           all_that(state, is_in(LifecycleState::kDetached)).size();
  const int room = std::max(settings.max_size, group.desired_capacity) + static_cast<int>(away);
  if (group.settings.max_size < room) {
    GroupSettings wider = group.settings;
    wider.max_size = room;
    calls.push_back(UpdateAutoScalingGroup{wider});
  }
  tidy_members(calls, state);
  return calls;
}

}  // namespace rr::sim
