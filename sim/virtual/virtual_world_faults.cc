// Faults: what is in force is a list, and what it makes of each instance, node and link is derived from the list.
#include <fmt/format.h>

#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {

bool is_of_links(FaultKind kind) { return kind >= FaultKind::kLatency && kind <= FaultKind::kBlackhole; }

/// Frozen for the first half of each period.
bool flaps_down(const FaultStatus& one, Duration period, Time now) { return (now - one.since) % period < period / 2; }

Time next_flap(const FaultStatus& one, Duration period, Time now) {
  const Duration half = period / 2;
  return one.since + ((now - one.since) / half + 1) * half;
}

}  // namespace

Duration VirtualWorld::State::span_of(const Fault& fault) {
  return Duration(static_cast<Duration::rep>(fault.amount * 1e9 + 0.5));
}

const Fault* VirtualWorld::State::is_in_force(FaultKind kind, const std::string& name) const {
  for (const FaultStatus& one : in_force) {
    if (one.fault.kind == kind && one.fault.target.name == name) return &one.fault;
  }
  return nullptr;
}

Status VirtualWorld::State::check_target(const Fault& fault) const {
  const FaultTarget& target = fault.target;
  const auto no_instance = [this](const std::string& id) {
    const auto found = instance_slots.find(id);
    return found == instance_slots.end() || instances[found->second]->phase() == VirtualInstance::Phase::kStopped;
  };
  switch (target.kind) {
    case FaultTargetKind::kZone: {
      const auto same = [&](const Zone& zone) { return zone.name.value == target.name; };
      if (std::any_of(settings.zones.begin(), settings.zones.end(), same)) return Ok{};
      return Error{fmt::format("there is no zone '{}'", target.name)};
    }
    case FaultTargetKind::kInstance:
      if (no_instance(target.name)) return Error{fmt::format("there is no running instance '{}'", target.name)};
      return Ok{};
    case FaultTargetKind::kNode: {
      const auto found = node_slots.find(target.name);
      const bool must_run = fault.kind == FaultKind::kHang || fault.kind == FaultKind::kCrash;
      if (found != node_slots.end() && (!must_run || nodes[found->second]->running)) return Ok{};
      return Error{fmt::format("there is no running node '{}'", target.name)};
    }
    case FaultTargetKind::kLink: {
      const auto ends = link_ends(target);
      if (ends && node_slots.contains(ends->node) && !no_instance(ends->instance)) return Ok{};
      return Error{fmt::format("there is no link '{}'", target.name)};
    }
    case FaultTargetKind::kControlPlane:
      return Ok{};
  }
  return Ok{};
}

Status VirtualWorld::State::inject(Time now, const Fault& fault) {
  if (Status possible = check_fault(fault, FaultGround::kVirtual, false); !possible) return possible;
  if (Status known = check_target(fault); !known) return known;
  const FaultKindRow& row = fault_row(fault.kind);
  if (row.lasts) {
    for (const FaultStatus& one : in_force) {
      if (one.fault.target == fault.target && one.fault.kind == fault.kind) {
        return Error{fmt::format("'{}' has this fault already: {}", fault.target.describe(), row.name)};
      }
    }
    std::optional<Time> until;
    if (fault.lasts) until = now + *fault.lasts;
    in_force.push_back({fault, now, until});
  }
  note_fault(now, fault);
  write(now, fault.target.describe(), fmt::format("fault: {} {}", row.name, format_amount(row, fault.amount)));
  strike(now, fault);
  apply_faults(now);
  arm_faults(now);
  return Ok{};
}

/// What happens once, when a fault begins.
void VirtualWorld::State::strike(Time now, const Fault& fault) {
  const std::string& name = fault.target.name;
  const Blame by = blame_for(fault);
  if (fault.kind == FaultKind::kPowerLoss) return lose_power(now, ZoneName(name), by);
  if (fault.kind == FaultKind::kLaunchesRefused) return refuse_waiting(now, ZoneName(name));
  if (fault.kind == FaultKind::kPartition) return links.partition(place(ZoneName(name)), true);
  if (fault.kind != FaultKind::kCrash && fault.kind != FaultKind::kNodeLoss) return;
  if (fault.target.kind == FaultTargetKind::kInstance) {
    instance_ends(now, instance_slots.at(name), "killed by signal 9", by);
  } else {
    node_ends(now, node_named(name), "killed by signal 9", by);
  }
}

void VirtualWorld::State::lose_power(Time now, const ZoneName& zone, Blame by) {
  dark.insert(zone);
  refuse_waiting(now, zone);
  const Place where = place(zone);
  for (std::uint32_t slot = 0; slot < instances.size(); ++slot) {
    if (instances[slot]->zone() == where) instance_ends(now, slot, "killed by signal 9", by);
  }
  for (const auto& node : nodes) {
    if (node->zone == where) node_ends(now, *node, "killed by signal 9", by);
  }
}

/// Now it can be seen what was lost.
void VirtualWorld::State::power_is_back(Time now, const ZoneName& zone) {
  dark.erase(zone);
  const Place where = place(zone);
  for (const auto& instance : instances) {
    if (instance->zone() != where || !instance->unheard) continue;
    instance->unheard = false;
    report(now, InstanceStopped{instance->id(), "killed by signal 9"});
  }
}

// What the list makes of things
// ----------------------------------------------------------------------------------------

namespace {

LinkFaults of_link(const Fault& fault, Duration span) {
  LinkFaults made;
  if (fault.kind == FaultKind::kLatency) made.latency = span;
  if (fault.kind == FaultKind::kJitter) made.jitter = span;
  if (fault.kind == FaultKind::kLoss) made.loss = fault.amount / 100;
  if (fault.kind == FaultKind::kReset) made.reset = fault.amount / 100;
  made.refuse = fault.kind == FaultKind::kRefuse;
  made.blackhole = fault.kind == FaultKind::kBlackhole;
  return made;
}

}  // namespace

InstanceFaults VirtualWorld::State::faults_of(Time now, const VirtualInstance& instance) const {
  InstanceFaults made;
  const std::string& zone = settings.zones[instance.zone()].name.value;
  for (const FaultStatus& one : in_force) {
    const Fault& fault = one.fault;
    const bool here = fault.target.kind == FaultTargetKind::kZone       ? fault.target.name == zone
                      : fault.target.kind == FaultTargetKind::kInstance ? fault.target.name == instance.id().value
                                                                        : false;
    if (!here) continue;
    if (is_of_links(fault.kind)) made.link.add(of_link(fault, span_of(fault)));
    if (fault.kind == FaultKind::kHang) made.hung = true;
    if (fault.kind == FaultKind::kFlapping && flaps_down(one, span_of(fault), now)) made.hung = true;
    if (fault.kind == FaultKind::kSlow) made.slow = span_of(fault);
    if (fault.kind == FaultKind::kErrorAnswers) made.error_share = fault.amount / 100;
    if (fault.kind == FaultKind::kHealthFailure) made.health_failure = true;
    if (fault.kind == FaultKind::kGray) made.gray = fault.amount / 100;
  }
  return made;
}

LinkFaults VirtualWorld::State::link_faults(const VirtualNode& node, const VirtualInstance& instance) const {
  LinkFaults all = instance.faults.link;
  all.add(node.link);
  const auto single = single_links.find({node.name, instance.id().value});
  if (single != single_links.end()) all.add(single->second);
  return all;
}

/// Brings every instance, node and link to what the list of faults says.
void VirtualWorld::State::apply_faults(Time now) {
  single_links.clear();
  links_are_faulty = false;
  for (const auto& node : nodes) node->link = {};
  for (const FaultStatus& one : in_force) {
    if (!is_of_links(one.fault.kind)) continue;
    links_are_faulty = true;
    const LinkFaults made = of_link(one.fault, span_of(one.fault));
    if (one.fault.target.kind == FaultTargetKind::kNode) node_named(one.fault.target.name).link.add(made);
    if (const auto ends = link_ends(one.fault.target)) single_links[{ends->node, ends->instance}].add(made);
  }
  for (std::uint32_t slot = 0; slot < instances.size(); ++slot) {
    VirtualInstance& instance = *instances[slot];
    if (instance.phase() == VirtualInstance::Phase::kStopped) continue;
    const InstanceFaults before = std::exchange(instance.faults, faults_of(now, instance));
    follow(slot);
    if (before.hung && !instance.faults.hung) go_on(now, instance, slot);
  }
  for (const auto& node : nodes) {
    const bool was_frozen = node->frozen();
    node->hung = is_in_force(FaultKind::kHang, node->name) != nullptr;
    node->hung_by_zone = is_in_force(FaultKind::kHang, settings.zones[node->zone].name.value) != nullptr;
    if (was_frozen && !node->frozen()) go_on(now, *node);
  }
  start_waiting(now);
  hear_of_lost_nodes(now);
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
  for (const auto& balancer : node.balancers) configure(now, node, *balancer);
  for (const auto& group : node.groups) {
    group->wakes_at.reset();
    arm_wake(*group);
  }
  for (const CallHandle call : std::exchange(node.held, {})) push(now, HappeningKind::kReachesNode, 0, call);
  for (const auto& balancer : node.balancers) {
    if (!balancer->timer_set) arm_node_deadlines(now, node, *balancer);
  }
  observe_by(now + settings.observation, node);
}

// How they end
// -----------------------------------------------------------------------------------------------------------

Status VirtualWorld::State::heal(Time now, const FaultTarget& target) {
  const auto concerns = [&](const FaultStatus& one) { return one.fault.target == target; };
  if (std::none_of(in_force.begin(), in_force.end(), concerns)) {
    if (Status known = check_target({FaultKind::kLatency, target}); !known) return known;
    return Error{fmt::format("'{}' has no fault to heal", target.describe())};
  }
  for (const FaultStatus& one : in_force) {
    if (concerns(one)) note_fault_over(now, one.fault);
  }
  std::erase_if(in_force, concerns);
  write(now, target.describe(), "healed");
  if (target.kind == FaultTargetKind::kZone) {
    const ZoneName zone(target.name);
    links.partition(place(zone), false);
    if (dark.contains(zone)) power_is_back(now, zone);
  }
  apply_faults(now);
  arm_faults(now);
  return Ok{};
}

/// They end with what they were done to.
void VirtualWorld::State::forget_faults(Time now, const std::string& instance) {
  if (in_force.empty()) return;
  std::erase_if(in_force, [&](const FaultStatus& one) {
    const auto ends = link_ends(one.fault.target);
    const bool of_it = (one.fault.target.kind == FaultTargetKind::kInstance && one.fault.target.name == instance) ||
                       (ends && ends->instance == instance);
    if (of_it) note_fault_over(now, one.fault);
    return of_it;
  });
}

void VirtualWorld::State::arm_faults(Time now) {
  std::optional<Time> next;
  const auto consider = [&](Time time) {
    if (!next || time < *next) next = time;
  };
  for (const FaultStatus& one : in_force) {
    if (one.until) consider(*one.until);
    if (one.fault.kind == FaultKind::kFlapping) consider(next_flap(one, span_of(one.fault), now));
  }
  if (!next || next == faults_end) return;
  faults_end = next;
  push(*next, HappeningKind::kFaultsEnd, 0);
}

void VirtualWorld::State::end_due_faults(Time now) {
  faults_end.reset();
  const auto due = [now](const FaultStatus& one) { return one.until && *one.until <= now; };
  while (true) {
    const auto one = std::find_if(in_force.begin(), in_force.end(), due);
    if (one == in_force.end()) break;
    const FaultStatus over = *one;
    in_force.erase(one);
    note_fault_over(now, over.fault);
    write(now, over.fault.target.describe(), fmt::format("fault over: {}", fault_row(over.fault.kind).name));
    const ZoneName zone(over.fault.target.name);
    if (over.fault.kind == FaultKind::kPartition) links.partition(place(zone), false);
    if (over.fault.kind == FaultKind::kPowerLoss) power_is_back(now, zone);
  }
  apply_faults(now);
  arm_faults(now);
}

}  // namespace rr::sim
