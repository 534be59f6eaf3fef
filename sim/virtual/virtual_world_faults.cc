// Faults: what is in force is a list, and what it makes of each instance and node is derived from the list.
#include <fmt/format.h>

#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {

Status VirtualWorld::State::check_target(const FaultTarget& target) const {
  switch (target.kind) {
    case FaultTargetKind::kZone: {
      const auto same = [&](const Zone& zone) { return zone.name.value == target.name; };
      if (std::any_of(settings.zones.begin(), settings.zones.end(), same)) return Ok{};
      return Error{fmt::format("there is no zone '{}'", target.name)};
    }
    case FaultTargetKind::kInstance: {
      const auto found = instance_slots.find(target.name);
      if (found != instance_slots.end() && instances[found->second]->alive()) return Ok{};
      return Error{fmt::format("there is no running instance '{}'", target.name)};
    }
    case FaultTargetKind::kNode: {
      const auto found = node_slots.find(target.name);
      if (found != node_slots.end() && nodes[found->second]->running) return Ok{};
      return Error{fmt::format("there is no running node '{}'", target.name)};
    }
    case FaultTargetKind::kLink:
    case FaultTargetKind::kControlPlane:
      return Error{fmt::format("'{}': no such fault here", target.name)};
  }
  return Ok{};
}

Status VirtualWorld::State::inject(Time now, const Fault& fault) {
  const auto rows = fault_kinds();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const FaultKindRow& one) { return one.kind == fault.kind; });
  const bool fits =
      row != rows.end() && std::find(row->targets.begin(), row->targets.end(), fault.target.kind) != row->targets.end();
  if (!fits) return Error{fmt::format("this fault cannot be done to '{}'", fault.target.name)};
  if (Status known = check_target(fault.target); !known) return known;
  if (fault.kind != FaultKind::kCrash) {
    for (const FaultStatus& one : in_force) {
      if (one.fault.target == fault.target && one.fault.kind == fault.kind) {
        return Error{fmt::format("'{}' has this fault already: {}", fault.target.name, row->name)};
      }
    }
    std::optional<Time> until;
    if (fault.lasts) until = now + *fault.lasts;
    in_force.push_back({fault, now, until});
  }
  write(now, fault.target.name, fmt::format("fault: {}", row->name));
  strike(now, fault);
  apply_faults(now);
  arm_faults();
  return Ok{};
}

/// What happens once, when a fault begins.
void VirtualWorld::State::strike(Time now, const Fault& fault) {
  const std::string& name = fault.target.name;
  if (fault.kind == FaultKind::kPowerLoss) {
    dark.insert(ZoneName(name));
    const Place zone = place(ZoneName(name));
    for (std::uint32_t slot = 0; slot < instances.size(); ++slot) {
      if (instances[slot]->zone() == zone) instance_ends(now, slot, "killed by signal 9");
    }
    for (const auto& node : nodes) {
      if (node->zone == zone) node_ends(now, *node, "killed by signal 9");
    }
  }
  if (fault.kind != FaultKind::kCrash) return;
  if (fault.target.kind == FaultTargetKind::kInstance)
    instance_ends(now, instance_slots.at(name), "killed by signal 9");
  if (fault.target.kind == FaultTargetKind::kNode) node_ends(now, node_named(name), "killed by signal 9");
}

/// Brings every instance and node to what the list of faults says.
void VirtualWorld::State::apply_faults(Time now) {
  std::set<Place> hung_zones;
  std::set<std::string> hung;
  for (const FaultStatus& one : in_force) {
    if (one.fault.kind != FaultKind::kHang) continue;
    if (one.fault.target.kind == FaultTargetKind::kZone)
      hung_zones.insert(place(ZoneName(one.fault.target.name)));
    else
      hung.insert(one.fault.target.name);
  }
  for (std::uint32_t slot = 0; slot < instances.size(); ++slot) {
    VirtualInstance& instance = *instances[slot];
    if (!instance.alive() && instance.phase() != VirtualInstance::Phase::kStarting) continue;
    const bool is_hung = hung_zones.contains(instance.zone()) || hung.contains(instance.id().value);
    const bool was_hung = std::exchange(instance.faults.hung, is_hung);
    if (was_hung && !is_hung) go_on(now, instance, slot);
  }
  for (const auto& node : nodes) {
    const bool was_frozen = node->frozen();
    node->hung = hung.contains(node->name);
    node->hung_by_zone = hung_zones.contains(node->zone);
    if (was_frozen && !node->frozen()) go_on(now, *node);
  }
}

void VirtualWorld::State::go_on(Time now, VirtualInstance& instance, std::uint32_t slot) {
  for (const CallHandle call : instance.thaw()) push(now, HappeningKind::kServed, slot, call);
  while (const auto next = instance.next_to_serve()) begin_service(now, instance, slot, *next);
  if (instance.phase() == VirtualInstance::Phase::kStopping && instance.busy() == 0) {
    push(now, HappeningKind::kInstanceEnds, slot);
  }
}

void VirtualWorld::State::go_on(Time now, VirtualNode& node) {
  if (!node.running) return;
  if (node.wanted) configure(now, node, *node.wanted);
  for (const auto& group : node.groups) arm_wake(*group);
  for (const CallHandle call : std::exchange(node.held, {})) push(now, HappeningKind::kReachesNode, 0, call);
  if (!node.timer_set) arm_node_deadlines(now, node);
  observe_by(now + settings.observation, node);
}

Status VirtualWorld::State::heal(Time now, const FaultTarget& target) {
  const auto concerns = [&](const FaultStatus& one) { return one.fault.target == target; };
  if (std::none_of(in_force.begin(), in_force.end(), concerns)) {
    const bool zone = target.kind == FaultTargetKind::kZone;
    if (Status known = check_target(target); zone && !known) return known;
    return Error{fmt::format("'{}' has no fault to heal", target.name)};
  }
  std::erase_if(in_force, concerns);
  write(now, target.name, "healed");
  if (target.kind == FaultTargetKind::kZone && dark.erase(ZoneName(target.name)) > 0) {
    // Once the power is back, it can be seen what was lost.
    const Place zone = place(ZoneName(target.name));
    for (const auto& instance : instances) {
      const bool lost = instance->zone() == zone && instance->phase() == VirtualInstance::Phase::kStopped;
      if (lost) report(now, InstanceStopped{instance->id(), "killed by signal 9"});
    }
    for (const auto& node : nodes) {
      if (node->zone != zone || !node->unheard) continue;
      node->unheard = false;
      node->accepting = false;
      report(now, NodeStopped{node->name, "killed by signal 9"});
    }
    dns_changed();
  }
  apply_faults(now);
  arm_faults();
  return Ok{};
}

void VirtualWorld::State::arm_faults() {
  // A fault ends with what it was done to.
  std::erase_if(in_force, [this](const FaultStatus& one) {
    return one.fault.target.kind != FaultTargetKind::kZone && !check_target(one.fault.target).ok();
  });
  std::optional<Time> next;
  for (const FaultStatus& one : in_force) {
    if (one.until && (!next || *one.until < *next)) next = one.until;
  }
  if (!next || next == faults_end) return;
  faults_end = next;
  push(*next, HappeningKind::kFaultsEnd, 0);
}

void VirtualWorld::State::end_due_faults(Time now) {
  faults_end.reset();
  std::vector<FaultTarget> due;
  for (const FaultStatus& one : in_force) {
    if (one.until && *one.until <= now) due.push_back(one.fault.target);
  }
  // One target's faults are healed together: the second call finds none, which is all right.
  for (const FaultTarget& target : due) (void)heal(now, target).ok();
  arm_faults();
}

}  // namespace rr::sim
