#include "sim/cloud/region_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "lb/base/check.h"
#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/node_fleet.h"

namespace rr::sim {
namespace {

/// More would mean that the wake loop keeps making work for the same instant: a bug.
constexpr int kMostRoundsOfAWake = 1'000;

bool is_leaving(LifecycleState state) {
  return state == LifecycleState::kTerminating || state == LifecycleState::kTerminatingWait ||
         state == LifecycleState::kTerminatingProceed;
}

/// Out of service and waiting for its last requests, whatever comes after.
bool is_draining(LifecycleState state) {
  return is_leaving(state) || state == LifecycleState::kEnteringStandby || state == LifecycleState::kDetaching;
}

void take_earlier(std::optional<Time>& earliest, const std::optional<Time>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

Region::Machine::Machine(RegionState from, Journal* journal)
    : state_(std::move(from)), tempo_(state_.settings), journal_(journal) {
  for (const LoadBalancerSettings* balancer : load_balancers(state_.settings)) {
    for (const TargetGroupSettings& target_group : balancer->target_groups) targets_.add_group(target_group.name);
  }
  for (auto& [name, node] : state_.nodes) {
    if (node.start_at) timers_.insert({*node.start_at, TimerKind::kStartNode, name});
    if (node.next_check) timers_.insert({*node.next_check, TimerKind::kCheckNode, name});
    heard_[name] = state_.as_of;  // not later
  }
  for (auto& [id, instance] : state_.instances) {
    const auto reports = state_.reports.find(id);
    const auto health = state_.target_health.find(id);
    const Known& known = index_[id.value] = {&instance, reports == state_.reports.end() ? nullptr : &reports->second,
                                             health == state_.target_health.end() ? nullptr : &health->second};
    if (instance.starts_at) timers_.insert({*instance.starts_at, TimerKind::kLaunch, id.value});
    if (instance.warm_at) timers_.insert({*instance.warm_at, TimerKind::kWarm, id.value});
    if (instance.drain_ends) timers_.insert({*instance.drain_ends, TimerKind::kDrained, id.value});
    if (instance.hook_at) timers_.insert({*instance.hook_at, TimerKind::kHook, id.value});
    if (instance.forget_at) timers_.insert({*instance.forget_at, TimerKind::kForget, id.value});
    counts_[instance.group].count(instance, 1);
    follow_suspect(known);
    if (instance.registered) list_target(instance, true);
    if (is_draining(instance.lifecycle)) leaving_[instance.group].insert(id);
    if (instance.lifecycle != LifecycleState::kTerminated) addresses_.insert(instance.address);
  }
  for (auto& [name, group] : state_.groups) {
    if (group.next_sweep) timers_.insert({*group.next_sweep, TimerKind::kSweep, name});
    // What was due at the moment of writing is not written down; looking once too often changes nothing.
    dirty_[name] = state_.as_of;
  }
  for (auto& [name, action] : state_.scheduled_actions) {
    if (action.next) timers_.insert({*action.next, TimerKind::kScheduled, name});
  }
  for (const ScalingActivity& activity : state_.activities) {
    if (activity.ended) continue;
    // Only these two are ever open: what leaves, and what comes.
    const auto kind = activity.description.starts_with("Launching") ? ActivityKind::kLaunch : ActivityKind::kTerminate;
    open_activities_[{kind, activity.instance}] = activity.number;
  }
  configure_at_ = state_.as_of;
  if (state_.release && state_.release->in_progress()) release_at_ = state_.as_of;
}

void Region::Machine::log(Time now, std::string_view entity, std::string_view event) {
  if (journal_ != nullptr) journal_->write(now, entity, event);
}

/// Time never goes back: a clock that does stands still here until it has caught up.
Time Region::Machine::advance_clock(Time now) {
  state_.as_of = std::max(state_.as_of, now);
  return state_.as_of;
}

Result<Reply, ApiError> Region::Machine::apply(Time now, const Command& command) {
  now = std::max(now, state_.as_of);
  Result<Reply, ApiError> reply = std::visit([&](const auto& what) { return run(now, what); }, command);
  if (!reply.ok()) return reply;
  advance_clock(now);
  if (recorder_ != nullptr) {
    recorder_->record(now, command);
    recorder_->sync(state_);
  }
  return reply;
}

void Region::Machine::apply(Time now, const Event& event) {
  now = advance_clock(now);
  if (recorder_ != nullptr) recorder_->record(now, event);
  std::visit([&](const auto& what) { take(now, what); }, event);
}

std::optional<Time> Region::Machine::next_wake() const {
  std::optional<Time> next;
  if (!timers_.empty()) next = timers_.begin()->at;
  for (const auto& [group, since] : dirty_) take_earlier(next, since);
  take_earlier(next, configure_at_);
  take_earlier(next, release_at_);
  if (state_.release && state_.release->in_progress()) {
    take_earlier(next, state_.release->deadline);
    take_earlier(next, state_.release->next_question);
  }
  return next;
}

void Region::Machine::wake(Time now) {
  now = std::max(now, state_.as_of);
  if (!next_wake() || *next_wake() > now) return;
  advance_clock(now);
  if (recorder_ != nullptr) recorder_->record_wake(now);
  for (int round = 0; next_wake() && *next_wake() <= now; ++round) {
    RR_CHECK(round < kMostRoundsOfAWake, "a wake must come to an end");
    while (!timers_.empty() && timers_.begin()->at <= now) {
      const Timer due = *timers_.begin();
      fire(now, due);
    }
    if (state_.release && state_.release->in_progress()) advance_release(now);
    const std::map<std::string, Time> dirty = std::exchange(dirty_, {});
    for (const auto& [name, since] : dirty) reconcile_group(now, state_.groups.at(name));
    configure_nodes(now);
  }
}

// Timers --------------------------------------------------------------------------------------------------------------

void Region::Machine::arm(std::optional<Time>& field, std::optional<Time> at, TimerKind kind, const std::string& key) {
  if (field) timers_.erase({*field, kind, key});
  field = at;
  if (at) timers_.insert({*at, kind, key});
}

void Region::Machine::fire(Time now, const Timer& timer) {
  const std::string& key = timer.key;
  switch (timer.kind) {
    case TimerKind::kStartNode:
      return fire_start_node(now, state_.nodes.at(key));
    case TimerKind::kCheckNode:
      return fire_check_node(now, state_.nodes.at(key));
    case TimerKind::kLaunch:
      return fire_launch(now, instance_at(InstanceId(key)));
    case TimerKind::kWarm: {
      Instance& instance = instance_at(InstanceId(key));
      arm(instance.warm_at, std::nullopt, TimerKind::kWarm, key);
      mark_dirty(now, instance.group);
      return settle_when_ready(now, instance);
    }
    case TimerKind::kDrained:
      return finish_drain(now, instance_at(InstanceId(key)));
    case TimerKind::kHook:
      return fire_hooks(now, instance_at(InstanceId(key)));
    case TimerKind::kScheduled:
      return fire_scheduled(now, state_.scheduled_actions.at(key));
    case TimerKind::kForget:
      return forget(InstanceId(key));
    case TimerKind::kSweep:
      return fire_sweep(now, state_.groups.at(key));
    case TimerKind::kLook:
      arm(look_at_[key], std::nullopt, TimerKind::kLook, key);
      return mark_dirty(now, key);
    case TimerKind::kRefresh:
      arm(refresh_at_[key], std::nullopt, TimerKind::kRefresh, key);
      return mark_dirty(now, key);
  }
}

void Region::Machine::fire_start_node(Time now, Node& node) {
  arm(node.start_at, std::nullopt, TimerKind::kStartNode, node.name);
  log(now, node.name, "starting");
  actions_.push_back(StartNode{node.name, node.zone, node.address});
}

void Region::Machine::fire_check_node(Time now, Node& node) {
  const Duration interval = tempo_.waits(state_.settings.node_check_interval);
  arm(node.next_check, now + interval, TimerKind::kCheckNode, node.name);
  if (node.check_outstanding) return;
  node.check_outstanding = true;
  const Duration timeout = state_.settings.node_check_timeout;
  actions_.push_back(CheckNode{node.name, std::max(tempo_.waits(timeout), std::min(timeout, kLeastCheckTimeout))});
}

void Region::Machine::fire_launch(Time now, Instance& instance) {
  arm(instance.starts_at, std::nullopt, TimerKind::kLaunch, instance.id.value);
  progress_activity(ActivityKind::kLaunch, instance.id, "InProgress", 50);
  log(now, instance.id.value, fmt::format("launching in {}", instance.zone.value));
  actions_.push_back(LaunchInstance{.instance = instance.id,
                                    .zone = instance.zone,
                                    .image = state_.images.at(instance.image),
                                    .address = instance.address,
                                    .host_name = instance.host_name,
                                    .reason = std::string(to_string(instance.launch_reason))});
}

// Instances -----------------------------------------------------------------------------------------------------------

Region::Machine::Known* Region::Machine::find_known(std::string_view id) {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : &found->second;
}

Region::Machine::Known& Region::Machine::known_at(const InstanceId& id) {
  Known* found = find_known(id.value);
  RR_CHECK(found != nullptr, "an instance that is referred to is known");
  return *found;
}

Instance* Region::Machine::find_instance(const InstanceId& id) {
  const Known* found = find_known(id.value);
  return found == nullptr ? nullptr : found->instance;
}

Instance& Region::Machine::instance_at(const InstanceId& id) { return *known_at(id).instance; }

void Region::Machine::change(Instance& instance, const std::function<void(Instance&)>& how) {
  GroupCounts& group = counts(instance.group);
  group.count(instance, -1);
  how(instance);
  group.count(instance, 1);
}

void Region::Machine::move(Time now, Instance& instance, LifecycleState to, std::string_view why) {
  RR_CHECK(legal(instance.lifecycle, to), "an illegal move of an instance's lifecycle");
  log(now, instance.id.value, fmt::format("{} -> {}: {}", to_string(instance.lifecycle), to_string(to), why));
  change(instance, [&](Instance& i) { i.lifecycle = to; });
  if (is_draining(to)) {
    leaving_[instance.group].insert(instance.id);
  } else {
    leaving_[instance.group].erase(instance.id);
  }
  if (release_runs_on(instance.group)) take_earlier(release_at_, now);
}

void Region::Machine::move(Instance& instance, InstanceState to) {
  RR_CHECK(legal(instance.ec2, to), "an illegal move of an instance's EC2 state");
  instance.ec2 = to;
  follow_suspect(known_at(instance.id));
}

void Region::Machine::launch(Time now, Group& group, const Plan::Launch& item) {
  auto& zones = state_.settings.zones;
  const auto zone = std::find_if(zones.begin(), zones.end(), [&](const Zone& z) { return z.name == item.zone; });
  RR_CHECK(zone != zones.end(), "a group's zones are the region's");
  const std::optional<Address> address = next_instance_address(
      *zone, state_.settings.target_port, [&](const Address& used) { return addresses_.contains(used); });
  if (!address) {
    const std::string why = fmt::format("There are not enough free addresses in the subnet of {}", item.zone.value);
    const std::string status = launch_failure("", why, item.zone, {});
    add_activity({.group = group.settings.name,
                  .instance = {},
                  .description = launching_failed(status),
                  .cause = item.cause,
                  .status_code = "Failed",
                  .status_message = status,
                  .zone = item.zone,
                  .progress = 100,
                  .started = now,
                  .ended = now});
    refuse_zone(now, group, item.zone, state_.settings.launch_retry, true);
    return mark_dirty(now, group.settings.name);
  }
  const CurrentTemplate current = launch_template_of(group);
  Instance instance;
  instance.id = InstanceId(draw_id("i-", state_.rng));
  instance.group = group.settings.name;
  instance.zone = item.zone;
  instance.image = state_.launch_templates.at(current.name).version(current.version)->image;
  instance.template_name = current.name;
  instance.template_version = current.version;
  instance.address = *address;
  instance.host_name = host_name(*address);
  instance.launch_reason = item.reason;
  instance.launched = now;
  Instance& made = state_.instances.emplace(instance.id, instance).first->second;
  index_[made.id.value].instance = &made;
  addresses_.insert(made.address);
  counts(made.group).count(made, 1);
  arm(made.starts_at, now + tempo_.waits(state_.settings.launch_time), TimerKind::kLaunch, made.id.value);
  begin_activity(now, ActivityKind::kLaunch, made, item.cause, launching(made.id));
  log(now, made.id.value,
      fmt::format("Pending in {}, version {}: {}", made.zone.value, made.template_version, to_string(item.reason)));
}

/// A burst of launches that fails together counts once.
void Region::Machine::refuse_zone(Time now, Group& group, const ZoneName& zone, Duration first, bool doubling) {
  const auto until = group.refused_until.find(zone);
  if (until != group.refused_until.end() && until->second > now) return;
  const int refusals = doubling ? ++group.refusals[zone] : std::max(1, group.refusals[zone]);
  group.refusals[zone] = refusals;
  const Duration wait = doubling ? start_delay(refusals, first, state_.settings.launch_retry_most) : first;
  group.refused_until[zone] = now + tempo_.waits(wait);
  log(now, group.settings.name,
      fmt::format("{} refuses launches, next try in {}", zone.value, format_duration(group.refused_until[zone] - now)));
}

void Region::Machine::put_in_service(Time now, Instance& instance) {
  Group& group = state_.groups.at(instance.group);
  group.refused_until.erase(instance.zone);
  group.refusals.erase(instance.zone);
  // Once: an instance that comes back from standby is no surplus.
  if (instance.launch_reason == ChangeReason::kRebalance && !instance.in_service_at) ++group.rebalance_surplus;
  instance.in_service_at = now;
  instance.registered =
      !group.settings.target_groups.empty() && !group.suspended.contains(ScalingProcess::kAddToLoadBalancer);
  if (group.settings.new_instances_protected_from_scale_in) instance.protected_from_scale_in = true;
  const RefreshState* refresh = group.active_refresh();
  const Duration warmup =
      tempo_.waits(refresh != nullptr ? refresh->instance_warmup
                                      : group.settings.default_instance_warmup.value_or(Duration::zero()));
  if (warmup > Duration::zero()) arm(instance.warm_at, now + warmup, TimerKind::kWarm, instance.id.value);
  move(now, instance, LifecycleState::kInService, "running and registered");
  end_activity(now, ActivityKind::kLaunch, instance.id, "Successful");
  if (instance.registered) {
    list_target(instance, true);
    targets_changed(now);
  }
  mark_dirty(now, instance.group);
  settle_when_ready(now, instance);
}

bool Region::Machine::needs_target_health(const Group& group) const {
  return group.settings.health_check_type == HealthCheckType::kElb && !group.settings.target_groups.empty();
}

void Region::Machine::settle_when_ready(Time now, Instance& instance) {
  const bool waits_for_health =
      instance.registered && needs_target_health(state_.groups.at(instance.group)) && !instance.first_healthy_at;
  if (instance.lifecycle != LifecycleState::kInService || !instance.healthy || instance.settled_at ||
      instance.warm_at || waits_for_health) {
    return;
  }
  change(instance, [&](Instance& i) { i.settled_at = now; });
  mark_dirty(now, instance.group);
}

void Region::Machine::mark_unhealthy(Time now, Instance& instance, ChangeReason reason, std::string_view why) {
  log(now, instance.id.value, fmt::format("Unhealthy: {}{}{}", to_string(reason), why.empty() ? "" : ": ", why));
  change(instance, [&](Instance& i) {
    i.healthy = false;
    i.end_reason = reason;
  });
  if (release_runs_on(instance.group) && instance.template_version == state_.release->template_version) {
    state_.release->last_wrong =
        fmt::format("{} was taken out of service for an {}", instance.id.value, to_string(reason));
  }
  mark_dirty(now, instance.group);
}

void Region::Machine::begin_termination(Time now, Instance& instance, ChangeReason reason, const std::string& cause) {
  instance.end_reason = reason;
  instance.terminating_since = now;
  forget_refresh_work(instance);
  arm(instance.warm_at, std::nullopt, TimerKind::kWarm, instance.id.value);
  instance.lifecycle_actions.clear();
  arm_hooks(instance);
  move(now, instance, LifecycleState::kTerminating, to_string(reason));
  end_activity(now, ActivityKind::kLaunch, instance.id, "Cancelled");
  end_activity(now, ActivityKind::kTerminate, instance.id, "Cancelled");  // on its way to standby
  begin_activity(now, ActivityKind::kTerminate, instance, cause, terminating(instance.id));
  mark_dirty(now, instance.group);
  const bool never_told = instance.starts_at.has_value();
  arm(instance.starts_at, std::nullopt, TimerKind::kLaunch, instance.id.value);
  const bool drains = deregister(now, instance);
  if (never_told || instance.ec2 == InstanceState::kStopped) return finish_termination(now, instance);
  if (!drains) after_drain(now, instance);
}

bool Region::Machine::deregister(Time now, Instance& instance) {
  if (instance.drain_ends) return true;  // already
  if (!instance.registered) return false;
  instance.registered = false;
  instance.deregistered_at = now;
  list_target(instance, false);
  targets_changed(now);
  const Duration delay = drain_time(state_.groups.at(instance.group));
  if (delay == Duration::zero() || instance.ec2 == InstanceState::kStopped) return false;
  progress_activity(ActivityKind::kTerminate, instance.id, "WaitingForELBConnectionDraining", 50);
  arm(instance.drain_ends, now + delay, TimerKind::kDrained, instance.id.value);
  // Nobody may have known it: then it has drained at once, and what comes after has been done.
  finish_drain_when_done(now, instance);
  return true;
}

void Region::Machine::after_drain(Time now, Instance& instance) {
  switch (instance.lifecycle) {
    case LifecycleState::kEnteringStandby:
    case LifecycleState::kDetaching: {
      const bool standby = instance.lifecycle == LifecycleState::kEnteringStandby;
      forget_reports(instance);
      move(now, instance, standby ? LifecycleState::kStandby : LifecycleState::kDetached, "out of its target groups");
      end_activity(now, ActivityKind::kTerminate, instance.id, "Successful");
      return mark_dirty(now, instance.group);
    }
    case LifecycleState::kTerminating:
      // Only what has been in service is kept for the hooks of its end.
      if (instance.in_service_at && wait_for_hooks(now, instance, LifecycleTransition::kTerminating)) return;
      return request_stop(instance);
    case LifecycleState::kPending:
    case LifecycleState::kPendingWait:
    case LifecycleState::kPendingProceed:
    case LifecycleState::kInService:
    case LifecycleState::kTerminatingWait:
    case LifecycleState::kTerminatingProceed:
    case LifecycleState::kTerminated:
    case LifecycleState::kStandby:
    case LifecycleState::kDetached:
      return;
  }
}

/// A node that started after the deregistration never knew the target.
void Region::Machine::finish_drain_when_done(Time now, Instance& instance) {
  if (!instance.drain_ends || !state_.settings.terminate_when_drained) return;
  for (const auto& [name, node] : state_.nodes) {
    const bool knew_it = node.running && node.running_since && *node.running_since <= *instance.deregistered_at;
    if (knew_it && !instance.drained_by.contains(name)) return;
  }
  finish_drain(now, instance);
}

void Region::Machine::finish_drain(Time now, Instance& instance) {
  arm(instance.drain_ends, std::nullopt, TimerKind::kDrained, instance.id.value);
  log(now, instance.id.value, "drained");
  after_drain(now, instance);
}

void Region::Machine::request_stop(Instance& instance) {
  instance.stop_requested = true;
  move(instance, InstanceState::kShuttingDown);
  progress_activity(ActivityKind::kTerminate, instance.id, "InProgress", 50);
  actions_.push_back(TerminateInstance{instance.id, std::string(to_string(*instance.end_reason))});
}

void Region::Machine::finish_termination(Time now, Instance& instance) {
  arm(instance.drain_ends, std::nullopt, TimerKind::kDrained, instance.id.value);
  if (instance.lifecycle == LifecycleState::kTerminatingWait) {
    instance.lifecycle_actions.clear();
    arm_hooks(instance);
    move(now, instance, LifecycleState::kTerminatingProceed, "it does not run any more");
  }
  if (legal(instance.ec2, InstanceState::kShuttingDown)) move(instance, InstanceState::kShuttingDown);
  move(instance, InstanceState::kTerminated);
  instance.terminated_at = now;
  arm(instance.forget_at, now + tempo_.waits(state_.settings.terminated_visible), TimerKind::kForget,
      instance.id.value);
  addresses_.erase(instance.address);
  forget_reports(instance);
  move(now, instance, LifecycleState::kTerminated, to_string(*instance.end_reason));
  end_activity(now, ActivityKind::kTerminate, instance.id, "Successful");
}

void Region::Machine::drop_failed_launch(Time now, Instance& instance, std::string_view code,
                                         std::string_view message) {
  if (is_leaving(instance.lifecycle)) return finish_termination(now, instance);
  const Group& group = state_.groups.at(instance.group);
  const std::string status = launch_failure(code, message, instance.zone, group.settings.zones);
  if (ScalingActivity* activity = open_activity(ActivityKind::kLaunch, instance.id)) {
    activity->description = launching_failed(status);
  }
  end_activity(now, ActivityKind::kLaunch, instance.id, "Failed", status);
  log(now, instance.id.value,
      fmt::format("launch failed in {}: {}", instance.zone.value, code.empty() ? message : code));
  mark_dirty(now, instance.group);
  forget(instance.id);
}

void Region::Machine::forget(const InstanceId& id) {
  Instance& instance = instance_at(id);
  for (auto [field, kind] : {std::pair{&instance.starts_at, TimerKind::kLaunch},
                             {&instance.warm_at, TimerKind::kWarm},
                             {&instance.drain_ends, TimerKind::kDrained},
                             {&instance.hook_at, TimerKind::kHook},
                             {&instance.forget_at, TimerKind::kForget}}) {
    arm(*field, std::nullopt, kind, id.value);
  }
  counts(instance.group).count(instance, -1);
  if (instance.lifecycle != LifecycleState::kTerminated) addresses_.erase(instance.address);
  forget_reports(instance);
  if (const auto suspects = suspects_.find(instance.group); suspects != suspects_.end()) suspects->second.erase(id);
  index_.erase(id.value);
  state_.instances.erase(id);
}

Duration Region::Machine::drain_time(const Group& group) const {
  Duration longest = Duration::zero();
  const auto& used = group.settings.target_groups;
  for (const LoadBalancerSettings* balancer : load_balancers(state_.settings)) {
    for (const TargetGroupSettings& target_group : balancer->target_groups) {
      if (std::find(used.begin(), used.end(), target_group.name) == used.end()) continue;
      longest = std::max(longest, tempo_.races(target_group.deregistration_delay));
    }
  }
  return longest;
}

bool Region::Machine::grace_is_over(Time now, const Instance& instance) const {
  const Duration grace = state_.groups.at(instance.group).settings.health_check_grace_period;
  return instance.in_service_at && now >= *instance.in_service_at + tempo_.races(grace);
}

}  // namespace rr::sim
