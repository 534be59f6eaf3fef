#include "sim/scenario/incident.h"

#include <algorithm>
#include <map>

namespace rr::sim {
namespace {

bool gone_from_service(LifecycleState state) {
  switch (state) {
    case LifecycleState::kPending:
    case LifecycleState::kPendingWait:
    case LifecycleState::kPendingProceed:
    case LifecycleState::kInService:
      return false;
    case LifecycleState::kTerminating:
    case LifecycleState::kTerminatingWait:
    case LifecycleState::kTerminatingProceed:
    case LifecycleState::kTerminated:
    case LifecycleState::kEnteringStandby:
    case LifecycleState::kStandby:
    case LifecycleState::kDetaching:
    case LifecycleState::kDetached:
      return true;
  }
  return true;
}

bool merged_healthy(const RegionState& state, const InstanceId& id) {
  const auto at = state.target_health.find(id);
  return at != state.target_health.end() && at->second.health.state == TargetState::kHealthy;
}

// Merged health is healthy when one node says so; the others may still be finding out.
bool healthy_to_every_node(const RegionState& state, const InstanceId& id) {
  const auto reports = state.reports.find(id);
  if (reports == state.reports.end()) return false;
  return std::all_of(state.nodes.begin(), state.nodes.end(), [&](const auto& entry) {
    if (!entry.second.running) return true;
    bool healthy = false;
    for (const HealthReport& report : reports->second) {
      if (report.node != entry.first) continue;
      healthy = report.health.state == TargetState::kHealthy;
      if (!healthy) break;  // in one of its target groups
    }
    return healthy;
  });
}

int desired(const RegionState& state) {
  int sum = 0;
  for (const auto& [name, group] : state.groups) sum += group.desired_capacity;
  return sum;
}

// Whether a node that lives may still give the instance a request, by its own last report.
bool routed(const RegionState& state, const Incident& incident, const InstanceId& id) {
  const auto instance = state.instances.find(id);
  if (instance == state.instances.end() || gone_from_service(instance->second.lifecycle)) return false;
  const auto reports = state.reports.find(id);
  if (reports == state.reports.end()) return false;
  return std::any_of(reports->second.begin(), reports->second.end(), [&](const HealthReport& report) {
    const auto node = state.nodes.find(report.node);
    const bool lives = node != state.nodes.end() && node->second.running && node->second.zone != incident.zone;
    return lives && report.health.state == TargetState::kHealthy;
  });
}

}  // namespace

Incident begin_incident(const RegionState& state, std::optional<ZoneName> zone, std::optional<InstanceId> instance,
                        std::string what, Time now) {
  Incident incident;
  incident.target = zone ? zone->value : instance ? instance->value : "";
  incident.what = std::move(what);
  incident.zone = zone;
  incident.began = now;
  for (const auto& [id, one] : state.instances) {
    const bool there = (zone && one.zone == *zone) || (instance && id == *instance);
    if (there && !gone_from_service(one.lifecycle)) incident.lost.insert(id);
  }
  return incident;
}

void follow_incident(Incident& incident, const RegionState& state, Time now) {
  if (!incident.detected && std::none_of(incident.lost.begin(), incident.lost.end(),
                                         [&](const InstanceId& id) { return routed(state, incident, id); })) {
    incident.detected = now;
  }
  if (!incident.node_removed && incident.zone) {
    const bool in_dns = std::any_of(state.nodes.begin(), state.nodes.end(), [&](const auto& entry) {
      return entry.second.zone == *incident.zone && entry.second.in_dns;
    });
    if (!in_dns) incident.node_removed = now;
  }
  if (!incident.replaced && incident.detected) {
    const auto others = std::count_if(state.instances.begin(), state.instances.end(), [&](const auto& entry) {
      return entry.second.lifecycle == LifecycleState::kInService && incident.lost.count(entry.first) == 0 &&
             merged_healthy(state, entry.first);
    });
    if (others >= desired(state)) incident.replaced = now;
  }
  if (!incident.healed || incident.balanced) return;
  const int now_in_service = healthy_in_service(state);
  incident.least_in_service = std::min(incident.least_in_service.value_or(now_in_service), now_in_service);
  if (settled(state)) incident.balanced = now;
}

int healthy_in_service(const RegionState& state) {
  return static_cast<int>(std::count_if(state.instances.begin(), state.instances.end(), [&](const auto& entry) {
    return entry.second.lifecycle == LifecycleState::kInService && merged_healthy(state, entry.first);
  }));
}

bool settled(const RegionState& state) {
  std::map<ZoneName, int> by_zone;
  for (const Zone& zone : state.settings.zones) by_zone[zone.name] = 0;
  int in_service = 0;
  for (const auto& [id, instance] : state.instances) {
    const bool apart = instance.lifecycle == LifecycleState::kTerminated ||
                       instance.lifecycle == LifecycleState::kStandby ||
                       instance.lifecycle == LifecycleState::kDetached;
    if (apart) continue;
    if (instance.lifecycle != LifecycleState::kInService || !healthy_to_every_node(state, id)) return false;
    ++in_service;
    ++by_zone[instance.zone];
  }
  const auto [least, most] = std::minmax_element(by_zone.begin(), by_zone.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool all_in_dns = std::all_of(state.nodes.begin(), state.nodes.end(),
                                      [](const auto& entry) { return entry.second.running && entry.second.in_dns; });
  return in_service == desired(state) && most->second - least->second <= 1 && all_in_dns;
}

}  // namespace rr::sim
