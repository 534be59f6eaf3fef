// The faults of the world: what they do to processes, and how it is undone.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "sim/world/process_world_state.h"

namespace rr::sim {

bool ProcessWorld::State::frozen(const InstanceProcess& instance) const {
  return instance.hung || hung_zones.contains(instance.launch.zone);
}

bool ProcessWorld::State::frozen(const NodeProcess& node) const { return node.hung || hung_zones.contains(node.zone); }

bool ProcessWorld::State::has_zone(const std::string& name) const {
  return std::any_of(settings.zones.begin(), settings.zones.end(),
                     [&](const Zone& zone) { return zone.name.value == name; });
}

Status ProcessWorld::State::check_target(const FaultTarget& target) const {
  switch (target.kind) {
    case FaultTargetKind::kZone: {
      if (has_zone(target.name)) return Ok{};
      std::vector<std::string> names;
      for (const Zone& zone : settings.zones) names.push_back(zone.name.value);
      return Error{fmt::format("there is no zone '{}': {}", target.name, fmt::join(names, ", "))};
    }
    case FaultTargetKind::kInstance:
      if (instances.contains(target.name)) return Ok{};
      return Error{fmt::format("no instance '{}' runs", target.name)};
    case FaultTargetKind::kNode: {
      const auto node = nodes.find(target.name);
      if (node != nodes.end() && node->second.running) return Ok{};
      return Error{fmt::format("no node '{}' runs", target.name)};
    }
    case FaultTargetKind::kLink:
    case FaultTargetKind::kControlPlane:
      return Error{"this world has no faults of links and none of the control plane"};
  }
  return Ok{};
}

Status ProcessWorld::State::inject(Time now, const Fault& fault) {
  const FaultKindRow& row = fault_row(fault.kind);
  const FaultGround here = ground->kind() == GroundKind::kPlain ? FaultGround::kPlain : FaultGround::kNamespaces;
  if (Status possible = check_fault(fault, here, settings.own_program); !possible) return possible;
  if (fault.kind != FaultKind::kCrash && fault.kind != FaultKind::kHang && fault.kind != FaultKind::kPowerLoss) {
    return Error{fmt::format("real processes cannot be done {} yet", row.name)};
  }
  if (Status known = check_target(fault.target); !known) return known;
  if (fault.kind != FaultKind::kCrash) {
    for (const FaultStatus& one : in_force) {
      if (one.fault.target == fault.target && one.fault.kind == fault.kind) {
        return Error{fmt::format("'{}' has this fault already: {}", fault.target.name, row.name)};
      }
    }
    std::optional<Time> until;
    if (fault.lasts) until = now + *fault.lasts;
    in_force.push_back({fault, now, until});
  }
  strike(fault);
  arm_fault_timer();
  return Ok{};
}

void ProcessWorld::State::strike(const Fault& fault) {
  const std::string& name = fault.target.name;
  if (fault.target.kind == FaultTargetKind::kZone) {
    const ZoneName zone(name);
    const bool power = fault.kind == FaultKind::kPowerLoss;
    (power ? dark : hung_zones).insert(zone);
    for (const std::string& process : processes_in(zone)) {
      ground->signal_process(process, power ? SIGKILL : SIGSTOP, true);
    }
    if (power) refuse_waiting(zone);
    return;
  }
  if (fault.kind == FaultKind::kHang) mark_hung(fault.target, true);
  ground->signal_process(name, fault.kind == FaultKind::kHang ? SIGSTOP : SIGKILL, true);
}

void ProcessWorld::State::mark_hung(const FaultTarget& target, bool is_hung) {
  if (const auto found = instances.find(target.name); found != instances.end()) found->second.hung = is_hung;
  if (const auto found = nodes.find(target.name); found != nodes.end()) found->second.hung = is_hung;
}

std::vector<std::string> ProcessWorld::State::processes_in(const ZoneName& zone) const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes) {
    if (node.zone == zone && node.running) names.push_back(name);
  }
  for (const auto& [name, instance] : instances) {
    if (instance.launch.zone == zone && instance.phase != InstancePhase::kWaiting) names.push_back(name);
  }
  return names;
}

void ProcessWorld::State::refuse_waiting(const ZoneName& zone) {
  std::erase_if(instances, [&](auto& entry) {
    const InstanceProcess& instance = entry.second;
    if (instance.phase != InstancePhase::kWaiting || instance.launch.zone != zone) return false;
    emit(LaunchFailed{instance.launch.instance, "InsufficientInstanceCapacity",
                      insufficient_capacity(zone, settings.zones)});
    return true;
  });
}

Status ProcessWorld::State::heal(Time now, const FaultTarget& target) {
  const auto concerns = [&](const FaultStatus& one) { return one.fault.target == target; };
  if (std::none_of(in_force.begin(), in_force.end(), concerns)) {
    if (target.kind == FaultTargetKind::kZone && !has_zone(target.name)) return check_target(target);
    return Error{fmt::format("'{}' has no fault to heal", target.name)};
  }
  std::erase_if(in_force, concerns);
  if (target.kind == FaultTargetKind::kZone) {
    dark.erase(ZoneName(target.name));
    hung_zones.erase(ZoneName(target.name));
    tell_what_was_lost(ZoneName(target.name));
  } else {
    mark_hung(target, false);
  }
  thaw();
  start_waiting(now);
  arm_fault_timer();
  return Ok{};
}

void ProcessWorld::State::thaw() {
  for (auto& [name, instance] : instances) {
    if (!frozen(instance)) ground->signal_process(name, SIGCONT, true);
  }
  for (auto& [name, node] : nodes) {
    if (!frozen(node)) ground->signal_process(name, SIGCONT, true);
  }
}

void ProcessWorld::State::start_waiting(Time now) {
  std::vector<std::string> ready;
  for (const auto& [name, instance] : instances) {
    const bool may_start = !hung_zones.contains(instance.launch.zone) && !dark.contains(instance.launch.zone);
    if (instance.phase == InstancePhase::kWaiting && may_start) ready.push_back(name);
  }
  for (const std::string& name : ready) start_instance(now, name);
}

void ProcessWorld::State::arm_fault_timer() {
  // A fault ends with what it was done to.
  std::erase_if(in_force, [this](const FaultStatus& one) {
    return one.fault.target.kind != FaultTargetKind::kZone && !check_target(one.fault.target).ok();
  });
  std::optional<Time> next;
  for (const FaultStatus& one : in_force) {
    if (one.until && (!next || *one.until < *next)) next = one.until;
  }
  if (next) {
    fault_timer.arm_at(*next);
  } else {
    fault_timer.disarm();
  }
}

void ProcessWorld::State::end_due_faults() {
  std::vector<FaultTarget> due;
  for (const FaultStatus& one : in_force) {
    if (one.until && *one.until <= loop.now()) due.push_back(one.fault.target);
  }
  // One target's faults are healed together: the second call finds none, which is all right.
  for (const FaultTarget& target : due) (void)heal(loop.now(), target).ok();
  arm_fault_timer();
}

}  // namespace rr::sim
