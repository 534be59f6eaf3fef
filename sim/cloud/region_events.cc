// What the world reports, and what follows from a restart.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/activity.h"
#include "sim/cloud/node_fleet.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr std::string_view kClientError = "Client.InternalError: Client error on launch.";

}  // namespace

void Region::Machine::take(Time now, const InstanceRunning& event) {
  Instance* instance = find_instance(event.instance);
  if (instance == nullptr) return;
  if (instance->lifecycle == LifecycleState::kTerminated) {
    // It came back after it had been given up: power returned to its zone, for instance.
    actions_.push_back(TerminateInstance{instance->id, "it was terminated before"});
    return;
  }
  if (instance->ec2 != InstanceState::kPending || instance->starts_at) return;
  move(*instance, InstanceState::kRunning);
  if (!wait_for_hooks(now, *instance, LifecycleTransition::kLaunching)) put_in_service(now, *instance);
}

/// The launch that came to nothing is made again for the same reason.
void Region::Machine::owe_launch_again(const Instance& instance) {
  Group& group = state_.groups.at(instance.group);
  if (instance.launch_reason == ChangeReason::kReplaceUnhealthy) ++group.replacements_owed;
  const bool refreshing = group.active_refresh() != nullptr && group.active_refresh()->batch.size > 0;
  if (instance.launch_reason == ChangeReason::kInstanceRefresh && refreshing) ++group.refreshes.back().batch.owed;
}

void Region::Machine::take(Time now, const InstanceStopped& event) {
  Instance* instance = find_instance(event.instance);
  if (instance == nullptr) return;
  switch (instance->lifecycle) {
    case LifecycleState::kPending:
    case LifecycleState::kPendingWait:
    case LifecycleState::kPendingProceed:
      if (instance->starts_at) return;  // the world has not been told of it
      owe_launch_again(*instance);
      log(now, instance->id.value, fmt::format("stopped before it ran: {}", event.why));
      return drop_failed_launch(now, *instance, "Client.InternalError", kClientError);
    case LifecycleState::kInService:
      if (instance->ec2 != InstanceState::kRunning) return;
      move(*instance, InstanceState::kStopping);
      move(*instance, InstanceState::kStopped);
      if (state_.groups.at(instance->group).suspended.contains(ScalingProcess::kHealthCheck)) return;
      return mark_unhealthy(now, *instance, ChangeReason::kEc2HealthCheck, event.why);
    case LifecycleState::kEnteringStandby:
    case LifecycleState::kStandby:
    case LifecycleState::kDetaching:
      // Nobody checks its health there; it is found out when it comes back.
      if (instance->ec2 != InstanceState::kRunning) return;
      log(now, instance->id.value, fmt::format("stopped: {}", event.why));
      move(*instance, InstanceState::kStopping);
      return move(*instance, InstanceState::kStopped);
    case LifecycleState::kDetached:
      instance->end_reason = ChangeReason::kEc2HealthCheck;
      move(now, *instance, LifecycleState::kTerminating, event.why);
      return finish_termination(now, *instance);
    case LifecycleState::kTerminating:
    case LifecycleState::kTerminatingWait:
    case LifecycleState::kTerminatingProceed:
      return finish_termination(now, *instance);
    case LifecycleState::kTerminated:
      return;
  }
}

void Region::Machine::take(Time now, const LaunchFailed& event) {
  Instance* instance = find_instance(event.instance);
  if (instance == nullptr || instance->starts_at) return;
  if (instance->ec2 != InstanceState::kPending) return take(now, InstanceStopped{event.instance, event.message});
  Group& group = state_.groups.at(instance->group);
  switch (instance->launch_reason) {
    case ChangeReason::kRebalance:
      // A trial: it says nothing new about how long the zone will refuse.
      refuse_zone(now, group, instance->zone, state_.settings.rebalance_interval, false);
      break;
    case ChangeReason::kReplaceUnhealthy:
    case ChangeReason::kInstanceRefresh:
      owe_launch_again(*instance);
      refuse_zone(now, group, instance->zone, state_.settings.launch_retry, true);
      break;
    case ChangeReason::kDesiredCapacity:
    case ChangeReason::kElbHealthCheck:
    case ChangeReason::kEc2HealthCheck:
    case ChangeReason::kUserHealthCheck:
    case ChangeReason::kUserRequest:
    case ChangeReason::kLaunchFailed:
    case ChangeReason::kMaxInstanceLifetime:
      refuse_zone(now, group, instance->zone, state_.settings.launch_retry, true);
      break;
  }
  drop_failed_launch(now, *instance, event.code, event.message);
}

void Region::Machine::take(Time now, const TargetDrained& event) {
  Instance* instance = find_instance(InstanceId(event.id));
  if (instance == nullptr || !instance->drain_ends || !state_.nodes.contains(event.node)) return;
  instance->drained_by[event.node] = now;
  finish_drain_when_done(now, *instance);
}

void Region::Machine::take(Time now, const NodeRunning& event) {
  const auto found = state_.nodes.find(event.node);
  if (found == state_.nodes.end() || found->second.running) return;
  Node& node = found->second;
  log(now, node.name, "running");
  node.running = true;
  node.running_since = now;
  node.generation = 0;
  arm(node.start_at, std::nullopt, TimerKind::kStartNode, node.name);
  arm(node.next_check, now, TimerKind::kCheckNode, node.name);
  if (!configure_at_ || now < *configure_at_) configure_at_ = now;
}

void Region::Machine::take(Time now, const NodeStopped& event) {
  const auto found = state_.nodes.find(event.node);
  if (found == state_.nodes.end()) return;
  Node& node = found->second;
  if (!node.running && node.start_at) return;  // said before
  node_down(now, node, event.why);
  ++node.failed_starts;
  const Duration delay =
      start_delay(node.failed_starts, state_.settings.node_start_retry, state_.settings.node_start_retry_most);
  arm(node.start_at, now + tempo_.waits(delay), TimerKind::kStartNode, node.name);
}

void Region::Machine::take(Time now, const NodeChecked& event) {
  const auto found = state_.nodes.find(event.node);
  if (found == state_.nodes.end() || !found->second.running || !found->second.check_outstanding) return;
  Node& node = found->second;
  node.check_outstanding = false;
  if (event.passed) node.failed_starts = 0;
  if (!observe_check(node, event.passed, state_.settings.node_check_threshold)) return;
  log(now, node.name, node.passing ? "passes its checks" : "fails its checks");
  if (!configure_at_ || now < *configure_at_) configure_at_ = now;
}

void Region::Machine::take(Time now, const VersionAnswered& event) {
  if (!state_.release || !state_.release->in_progress()) return;
  DoubleRelease& release = *state_.release;
  if (!event.instance) {
    observe_front_answer(release, event.status, event.commit, event.served_by);
    release_at_ = release_at_.value_or(now);
  } else if (observe_instance_answer(release, *event.instance, event.status, event.commit)) {
    log(now, event.instance->value, fmt::format("runs the new version {}", event.commit));
    release_at_ = release_at_.value_or(now);
  }
}

void Region::Machine::recover(Time now, const std::set<std::string>& still_running) {
  now = advance_clock(now);
  if (recorder_ != nullptr) recorder_->record_recovery(now, still_running);
  actions_.clear();
  log(now, state_.settings.name, "the control plane was restarted");
  for (auto& [name, node] : state_.nodes) {
    if (still_running.contains(name)) continue;
    if (node.running) node_down(now, node, "the control plane was restarted");
    node.failed_starts = 0;
    arm(node.start_at, now, TimerKind::kStartNode, name);
  }
  std::vector<InstanceId> gone;
  for (const auto& [id, instance] : state_.instances) {
    const bool ran = instance.lifecycle != LifecycleState::kTerminated && !instance.starts_at;
    if (ran && !still_running.contains(id.value)) gone.push_back(id);
  }
  for (const InstanceId& id : gone) take(now, InstanceStopped{id, "the control plane was restarted"});
  for (auto& [id, health] : state_.target_health) health.stale = true;
  looks_.clear();
  if (!state_.release || !state_.release->in_progress()) return;
  DoubleRelease& release = *state_.release;
  release.asked.clear();
  release.front_asked = 0;
  release.front_answers = 0;
  release.front_hosts.clear();
  release.next_question = now;
  enter_phase(now, release.phase);
}

}  // namespace rr::sim
