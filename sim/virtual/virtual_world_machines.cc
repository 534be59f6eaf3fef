// Instances and nodes: how they begin and how they end.
#include <fmt/format.h>

#include <algorithm>

#include "lb/base/check.h"
#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {

constexpr Duration kRoundTrip = kMillisecond;

std::string no_capacity(const ZoneName& zone) {
  return fmt::format("We currently do not have sufficient capacity in the Availability Zone you requested ({}).",
                     zone.value);
}

bool serves(const VirtualInstance& instance, Time now) {
  return instance.phase() == VirtualInstance::Phase::kRunning && now >= instance.ready_at && !instance.faults.hung &&
         !instance.faults.link.refuse && !instance.faults.link.blackhole;
}

}  // namespace

// Instances -----------------------------------------------------------------------------------------------------------

void VirtualWorld::State::act(Time now, const LaunchInstance& launch) {
  if (dark.contains(launch.zone) || is_in_force(FaultKind::kLaunchesRefused, launch.zone.value) != nullptr) {
    return report(now, LaunchFailed{launch.instance, "InsufficientInstanceCapacity", no_capacity(launch.zone)});
  }
  const auto known = settings.profiles.find(launch.image.commit);
  const InstanceProfile& profile = known == settings.profiles.end() ? settings.profile : known->second;
  const auto slot = static_cast<std::uint32_t>(instances.size());
  VirtualInstance& made =
      *instances.emplace_back(std::make_unique<VirtualInstance>(launch.instance, place(launch.zone), profile));
  made.commit = launch.image.commit;
  made.host_name = launch.host_name;
  made.address = launch.address;
  made.ready_at = now + profile.boot.sample(rng);
  if (const Fault* slow = is_in_force(FaultKind::kSlowBoot, launch.zone.value)) made.ready_at += span_of(*slow);
  if (is_in_force(FaultKind::kBootFailure, launch.zone.value) != nullptr) made.ready_at = Time::max();
  instance_slots[launch.instance.value] = slot;
  if (!in_force.empty()) made.faults = faults_of(now, made);
  checked.push_back(made.checked());
  made.waits = stands_still(launch.zone);
  if (made.waits) return push(now + kLaunchHangs, HappeningKind::kLaunchGivenUp, slot);
  push(now, HappeningKind::kInstanceRuns, slot);
}

/// As a zone whose processes are frozen, or that nothing reaches: a launch there is heard of by nobody.
bool VirtualWorld::State::stands_still(const ZoneName& zone) const {
  return is_in_force(FaultKind::kHang, zone.value) != nullptr ||
         is_in_force(FaultKind::kPartition, zone.value) != nullptr;
}

void VirtualWorld::State::start_waiting(Time now) {
  for (std::uint32_t slot = 0; slot < instances.size(); ++slot) {
    VirtualInstance& instance = *instances[slot];
    if (!instance.waits || stands_still(settings.zones[instance.zone()].name)) continue;
    instance.waits = false;
    if (instance.phase() != VirtualInstance::Phase::kStarting) continue;
    if (instance.ready_at != Time::max()) instance.ready_at = now + instance.profile().boot.sample(rng);
    push(now, HappeningKind::kInstanceRuns, slot);
  }
}

void VirtualWorld::State::refuse_waiting(Time now, const ZoneName& zone) {
  for (const auto& instance : instances) {
    if (!instance->waits || settings.zones[instance->zone()].name != zone) continue;
    launch_fails(now, *instance, "InsufficientInstanceCapacity", no_capacity(zone));
  }
}

/// Of one that waits.
void VirtualWorld::State::launch_fails(Time now, VirtualInstance& instance, const char* code, std::string message) {
  instance.waits = false;
  if (instance.phase() != VirtualInstance::Phase::kStarting) return;
  instance.to(VirtualInstance::Phase::kStopped);
  report(now, LaunchFailed{instance.id(), code, std::move(message)});
}

void VirtualWorld::State::instance_runs(Time now, std::uint32_t slot) {
  VirtualInstance& instance = *instances[slot];
  if (instance.phase() != VirtualInstance::Phase::kStarting) return;
  instance.to(VirtualInstance::Phase::kRunning);
  follow(slot);
  report(now, InstanceRunning{instance.id()});
}

/// It takes no more connections, and ends when what it serves is over, or after its grace.
void VirtualWorld::State::act(Time now, const TerminateInstance& wish) {
  const auto found = instance_slots.find(wish.instance.value);
  if (found == instance_slots.end()) return report(now, InstanceStopped{wish.instance, "it does not exist"});
  VirtualInstance& instance = *instances[found->second];
  if (instance.phase() == VirtualInstance::Phase::kStopped) {
    return report(now, InstanceStopped{wish.instance, "it has ended already"});
  }
  if (instance.phase() != VirtualInstance::Phase::kStopping) instance.to(VirtualInstance::Phase::kStopping);
  follow(found->second);
  const bool idle = instance.busy() == 0 && !instance.faults.hung;
  push(now + (idle ? Duration{} : instance.profile().stop_grace), HappeningKind::kInstanceEnds, found->second);
}

void VirtualWorld::State::instance_ends(Time now, std::uint32_t slot, const std::string& why, Blame by) {
  VirtualInstance& instance = *instances[slot];
  if (instance.phase() == VirtualInstance::Phase::kStopped) return;
  instance.to(VirtualInstance::Phase::kStopped);
  follow(slot);
  instance.ended_by = by;
  forget_faults(now, instance.id().value);
  for (const auto& node : nodes) {
    for (const auto& group : node->groups) {
      const auto target = group->targets.find(instance.id().value, instance.address.port);
      InstancePool* pool = target ? group->pool(*target) : nullptr;
      if (pool == nullptr || pool->instance != slot) continue;
      close_idle(*pool);
      for (Call* call = pool->busy.front(); call != nullptr; call = pool->busy.next(*call)) {
        if (by.explains()) call->blame = by;
        if (!call->blame.explains() && call->listed) call->blame = {LossRule::kStopGrace};
      }
      const auto delay = way(*node, instance, true);
      if (!delay) continue;
      std::vector<CallHandle> cut;
      for (Call* call = pool->busy.front(); call != nullptr; call = pool->busy.next(*call)) {
        if (call->connection->requests > 0) cut.push_back(Slab<Call>::handle(*call));
      }
      for (const CallHandle call : cut) push(now + *delay, HappeningKind::kResetAtNode, 0, call);
    }
  }
  const ZoneName& zone = settings.zones[instance.zone()].name;
  // A zone without power tells nobody what it has lost.
  instance.unheard = dark.contains(zone);
  if (!instance.unheard) report(now, InstanceStopped{instance.id(), why});
}

// Nodes ---------------------------------------------------------------------------------------------------------------

VirtualNode& VirtualWorld::State::node_named(const std::string& name) {
  const auto found = node_slots.find(name);
  RR_CHECK(found != node_slots.end(), "a node is started before anything else is asked of it");
  return *nodes[found->second];
}

void VirtualWorld::State::act(Time now, const StartNode& wish) {
  auto found = node_slots.find(wish.node);
  if (found == node_slots.end()) {
    auto made = std::make_unique<VirtualNode>();
    made->name = wish.node;
    made->zone = place(wish.zone);
    made->index = static_cast<std::uint32_t>(nodes.size());
    found = node_slots.emplace(wish.node, made->index).first;
    nodes.push_back(std::move(made));
    node_rng.emplace_back(rng.next());
  }
  VirtualNode& node = *nodes[found->second];
  if (node.running) return report(now, NodeRunning{node.name});
  if (dark.contains(wish.zone)) return report(now, NodeStopped{node.name, wish.zone.value + " has no power"});
  if (node.frozen()) return report(now, NodeStopped{node.name, wish.zone.value + " hangs"});
  if (is_in_force(FaultKind::kNodeLoss, wish.node) != nullptr) return report(now, NodeStopped{node.name, "it is lost"});
  ++node.starts;
  node.starting = true;
  push(now + settings.node_start, HappeningKind::kNodeStarts, node.index, node.starts);
}

void VirtualWorld::State::node_starts(Time now, VirtualNode& node) {
  if (!node.starting) return;
  node.starting = false;
  node.running = true;
  node.unheard = false;
  report(now, NodeRunning{node.name});
}

void VirtualWorld::State::act(Time now, const ConfigureNode& wanted) {
  const auto found = node_slots.find(wanted.node);
  if (found == node_slots.end()) return;
  VirtualNode& node = *nodes[found->second];
  node.accepting = wanted.accepting;
  node.admitted = node.admitted || wanted.accepting;
  dns_changed();
  const auto same = [&](const auto& one) { return one->wanted.load_balancer.name == wanted.load_balancer.name; };
  auto balancer = std::find_if(node.balancers.begin(), node.balancers.end(), same);
  if (balancer == node.balancers.end()) {
    balancer = node.balancers.insert(balancer, std::make_unique<VirtualBalancer>());
    (*balancer)->index = static_cast<std::uint32_t>(node.balancers.size() - 1);
  }
  (*balancer)->wanted = wanted;
  if (node.answers()) configure(now, node, **balancer);
  if (node.answers() && !node.observes_at) observe_by(now + settings.observation, node);
}

void VirtualWorld::State::node_ends(Time now, VirtualNode& node, const std::string& why, Blame by) {
  if (!node.running && !node.starting) return;
  node.ended_by = by;
  node.running = false;
  node.starting = false;
  std::erase_if(in_force, [&](const FaultStatus& one) {
    const bool of_it =
        one.fault.kind == FaultKind::kHang && one.fault.target == FaultTarget{FaultTargetKind::kNode, node.name};
    if (of_it) note_fault_over(now, one.fault);
    return of_it;
  });
  node.hung = false;
  cut_calls(now, node);
  node.balancers.clear();
  for (auto& group : node.groups) {
    group->retired = true;
    for (const auto& pool : group->pools()) {
      if (pool) close_idle(*pool);
    }
    node.retired.push_back(std::move(group));
  }
  node.groups.clear();
  node.group_index.clear();
  node.held.clear();
  node.observes_at.reset();
  if (is_lost_unheard(node)) {
    node.unheard = true;
  } else {
    node.accepting = false;
    dns_changed();
    report(now, NodeStopped{node.name, why});
  }
}

/// What a zone without power has lost nobody is told, and neither that a node is gone for good.
bool VirtualWorld::State::is_lost_unheard(const VirtualNode& node) const {
  return dark.contains(settings.zones[node.zone].name) || is_in_force(FaultKind::kNodeLoss, node.name) != nullptr;
}

void VirtualWorld::State::hear_of_lost_nodes(Time now) {
  for (const auto& node : nodes) {
    if (!node->unheard || is_lost_unheard(*node)) continue;
    node->unheard = false;
    node->accepting = false;
    report(now, NodeStopped{node->name, "killed by signal 9"});
  }
  dns_changed();
}

/// Its clients' connections break, and those to its targets.
void VirtualWorld::State::cut_calls(Time now, VirtualNode& node) {
  for (const auto& balancer : node.balancers) {
    for (auto* list : {&balancer->connecting, &balancer->awaiting}) {
      while (Call* call = list->front()) {
        const ExchangeStep step = call->rules.on({.kind = ExchangeEventKind::kStopped, .at = now});
        call->broken = true;
        call->blame = node.ended_by;
        finish_exchange(now, *call, step);
      }
    }
  }
}

void VirtualWorld::State::act(Time now, const CheckNode& check) {
  const auto found = node_slots.find(check.node);
  if (found == node_slots.end()) return report(now, NodeChecked{check.node, false});
  const VirtualNode& node = *nodes[found->second];
  const bool passes = node.answers() && !links.partitioned(node.zone);
  push(now + (passes ? kRoundTrip : check.timeout), HappeningKind::kNodeChecked, node.index, passes ? 1 : 0);
}

// What the tier says it runs ------------------------------------------------------------------------------------------

void VirtualWorld::State::act(Time now, const AskInstance& question) {
  VersionAnswered answer{question.instance, 0, "", ""};
  const auto found = instance_slots.find(question.instance.value);
  if (found != instance_slots.end() && serves(*instances[found->second], now)) {
    const VirtualInstance& asked = *instances[found->second];
    answer = {question.instance, 200, asked.commit, asked.host_name};
  }
  report(now + kRoundTrip, answer);
}

void VirtualWorld::State::act(Time now, const AskFront&) {
  VersionAnswered answer{std::nullopt, 0, "", ""};
  for (const std::uint32_t index : dns) {
    VirtualNode& node = *nodes[index];
    if (!node.answers() || node.groups.empty()) continue;
    answer.status = 503;
    BalancerGroup& group = *node.groups.front();
    const auto target = group.targets.pick(now, node_rng[index]);
    if (!target) continue;
    const VirtualInstance& asked = *instances[group.pool(*target)->instance];
    if (serves(asked, now)) answer = {std::nullopt, 200, asked.commit, asked.host_name};
    break;
  }
  report(now + kRoundTrip, answer);
}

}  // namespace rr::sim
