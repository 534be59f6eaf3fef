// The health of instances: what the nodes report of them, and the groups' looks at it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lb/base/prefetch.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {
constexpr std::size_t kLookAhead = 4;  // reports
}

/// The group's look at what the load balancer says. Only then, and only after the grace period, does an instance become
/// Unhealthy for it. While all are unhealthy they are marked one at a time: what they have in common is likelier to be
/// to blame than each of them.
void Region::Machine::fire_sweep(Time now, Group& group) {
  arm(group.next_sweep, now + tempo_.waits(state_.settings.sweep_interval), TimerKind::kSweep, group.settings.name);
  if (group.suspended.contains(ScalingProcess::kHealthCheck)) return;
  const GroupCounts& members = counts(group.settings.name);
  std::vector<InstanceId> stopped;
  std::vector<InstanceId> suspects;
  int ill = 0;
  const Duration interval = longest_report_interval();
  for (const InstanceId& id : to_be_looked_at(now, group)) {
    Known& known = known_at(id);
    Instance& instance = *known.instance;
    if (instance.lifecycle != LifecycleState::kInService) continue;
    merge_reports(now, known, interval);
    if (instance.ec2 == InstanceState::kStopped && instance.healthy) stopped.push_back(id);
    const bool seen_unhealthy =
        known.health != nullptr && !known.health->stale && known.health->health.state == TargetState::kUnhealthy;
    if (seen_unhealthy || !instance.healthy) ++ill;
    if (seen_unhealthy && instance.healthy && grace_is_over(now, instance)) suspects.push_back(id);
  }
  for (const InstanceId& id : stopped) {
    mark_unhealthy(now, instance_at(id), ChangeReason::kEc2HealthCheck, "it stopped while checks were suspended");
  }
  if (!needs_target_health(group) || group.target_groups_in_service.empty() || suspects.empty()) return;
  const bool all_ill = ill == members.in_service && ill > 1;
  if (all_ill && (!members.unhealthy.empty() || !members.unsettled.empty())) return;
  if (all_ill) suspects.resize(1);
  for (const InstanceId& id : suspects) {
    mark_unhealthy(now, instance_at(id), ChangeReason::kElbHealthCheck, describe(state_.target_health.at(id).health));
  }
}

/// With many healthy instances a look at each of them would be most of what a region does. Time alone changes what is
/// known of one only when a node's reports get out of date, or count again; else those that are ill are enough.
std::vector<InstanceId> Region::Machine::to_be_looked_at(Time now, const Group& group) {
  const GroupCounts& members = counts(group.settings.name);
  const Duration lasts = 2 * longest_report_interval();
  Look look{now, {}};
  for (const auto& [name, node] : state_.nodes) {
    if (node.running && node.vouched && now - *node.vouched <= lasts) look.fresh.insert(name);
  }
  std::optional<Look>& last = looks_[group.settings.name];
  const bool same = last && last->fresh == look.fresh && nothing_expires_since(last->at, look.fresh, lasts);
  if (!same) {
    last = std::move(look);
    return {members.members.begin(), members.members.end()};
  }
  std::set<InstanceId> ill = suspects_[group.settings.name];
  ill.insert(members.unhealthy.begin(), members.unhealthy.end());
  return {ill.begin(), ill.end()};
}

/// No report of a node that is not fresh can have got out of date since then: the last of them had before.
bool Region::Machine::nothing_expires_since(Time then, const std::set<std::string>& fresh, Duration lasts) const {
  return std::all_of(state_.nodes.begin(), state_.nodes.end(), [&](const auto& entry) {
    const auto heard = heard_.find(entry.first);
    return fresh.contains(entry.first) || heard == heard_.end() || heard->second + lasts < then;
  });
}

void Region::Machine::follow_suspect(const Known& known) {
  const Instance& instance = *known.instance;
  const bool is_ill = known.health != nullptr && known.health->health.state == TargetState::kUnhealthy;
  if (is_ill || instance.ec2 == InstanceState::kStopped) {
    suspects_[instance.group].insert(instance.id);
  } else if (const auto group = suspects_.find(instance.group); group != suspects_.end()) {
    group->second.erase(instance.id);
  }
}

void Region::Machine::forget_reports(const Instance& instance) {
  Known& known = known_at(instance.id);
  if (std::exchange(known.reports, nullptr) != nullptr) state_.reports.erase(instance.id);
  if (std::exchange(known.health, nullptr) != nullptr) state_.target_health.erase(instance.id);
  follow_suspect(known);
}

bool Region::Machine::healthy_by_targets(const Instance& instance) const {
  if (state_.groups.at(instance.group).settings.target_groups.empty()) return true;
  const auto found = state_.target_health.find(instance.id);
  return found != state_.target_health.end() && !found->second.stale &&
         found->second.health.state == TargetState::kHealthy;
}

/// An event's targets are thousands at times: all are looked up first, and what is known of each is fetched while those
/// before it are dealt with, so that one wait for memory does not follow the other.
void Region::Machine::take(Time now, const TargetHealthReported& event) {
  const auto node = state_.nodes.find(event.node);
  if (node == state_.nodes.end()) return;
  if (event.others_unchanged) node->second.vouched = now;
  heard_[event.node] = now;
  const Duration interval = longest_report_interval();
  std::vector<Known*> known;
  known.reserve(event.targets.size());
  for (const TargetHealthReported::Target& target : event.targets) known.push_back(find_known(target.id));
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i + kLookAhead < known.size()) expect(known[i + kLookAhead]);
    if (known[i] == nullptr || known[i]->instance->lifecycle == LifecycleState::kTerminated) continue;
    take_report(now, event, event.targets[i], *known[i]);
    merge_reports(now, *known[i], interval);
  }
}

/// It will be wanted soon, with what is reported of it.
void Region::Machine::expect(const Known* known) {
  if (known == nullptr) return;
  prefetch(known->instance);
  prefetch(known->health);
  if (known->reports == nullptr) return;
  for (const HealthReport& report : *known->reports) prefetch(&report);
}

void Region::Machine::take_report(Time now, const TargetHealthReported& event,
                                  const TargetHealthReported::Target& target, Known& known) {
  if (known.reports == nullptr) known.reports = &state_.reports[known.instance->id];
  std::vector<HealthReport>& reports = *known.reports;
  const auto same = std::find_if(reports.begin(), reports.end(), [&](const HealthReport& report) {
    return report.node == event.node && report.target_group == target.target_group;
  });
  const HealthReport report{event.node, now, target.health, target.target_group};
  if (same == reports.end()) {
    reports.push_back(report);
  } else {
    *same = report;
  }
}

void Region::Machine::merge_reports(Time now, Known& of, Duration interval) {
  Instance& instance = *of.instance;
  if (of.reports == nullptr) {
    if (of.health != nullptr) of.health->stale = true;
    return;
  }
  for (HealthReport& report : *of.reports) {
    const auto node = state_.nodes.find(report.node);
    if (node != state_.nodes.end() && node->second.vouched) report.time = std::max(report.time, *node->second.vouched);
  }
  if (of.health == nullptr) of.health = &state_.target_health[instance.id];
  const MergedHealth merged = merge_health(now, interval, *of.reports, of.health->health);
  const MergedHealth before = std::exchange(*of.health, merged);
  if (merged.health.state != before.health.state) follow_suspect(of);
  if (merged.health.state != before.health.state) {
    log(now, instance.id.value,
        fmt::format("target {} -> {} {}", rr::to_string(before.health.state), rr::to_string(merged.health.state),
                    rr::to_string(merged.health.reason)));
  }
  if (merged != before && release_runs_on(instance.group)) release_at_ = std::min(release_at_.value_or(now), now);
  if (merged.stale || merged.health.state != TargetState::kHealthy) return;
  if (instance.lifecycle != LifecycleState::kInService || instance.first_healthy_at) return;
  instance.first_healthy_at = now;
  mark_dirty(now, instance.group);
  Group& group = state_.groups.at(instance.group);
  group.target_groups_in_service.insert(group.settings.target_groups.begin(), group.settings.target_groups.end());
  settle_when_ready(now, instance);
}

Duration Region::Machine::longest_report_interval() const {
  Duration interval = Duration::zero();
  for (const LoadBalancerSettings* balancer : load_balancers(state_.settings)) {
    for (const TargetGroupSettings& target_group : balancer->target_groups) {
      interval = std::max(interval, tempo_.report_interval(target_group));
    }
  }
  return interval;
}

bool Region::Machine::has_target_group(const std::string& name) const {
  const auto all = load_balancers(state_.settings);
  return std::any_of(all.begin(), all.end(), [&](const LoadBalancerSettings* balancer) {
    const auto& groups = balancer->target_groups;
    return std::any_of(groups.begin(), groups.end(), [&](const TargetGroupSettings& one) { return one.name == name; });
  });
}

}  // namespace rr::sim
