// Instances and nodes: how they begin and how they end.
#include <fmt/format.h>

#include <algorithm>

#include "lb/base/check.h"
#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {

constexpr Duration kRoundTrip = kMillisecond;

bool serves(const VirtualInstance& instance, Time now) {
  return instance.phase() == VirtualInstance::Phase::kRunning && now >= instance.ready_at && !instance.faults.hung &&
         !instance.faults.link.refuse && !instance.faults.link.blackhole;
}

}  // namespace

// Instances -----------------------------------------------------------------------------------------------------------

void VirtualWorld::State::act(Time now, const LaunchInstance& launch) {
  if (dark.contains(launch.zone) || is_in_force(FaultKind::kLaunchesRefused, launch.zone.value) != nullptr) {
    return report(now, LaunchFailed{launch.instance, "InsufficientInstanceCapacity",
                                    fmt::format("We currently do not have sufficient capacity in the Availability "
                                                "Zone you requested ({}).",
                                                launch.zone.value)});
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
  push(now, HappeningKind::kInstanceRuns, slot);
}

void VirtualWorld::State::instance_runs(Time now, std::uint32_t slot) {
  VirtualInstance& instance = *instances[slot];
  if (instance.phase() != VirtualInstance::Phase::kStarting) return;
  instance.to(VirtualInstance::Phase::kRunning);
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
  const bool idle = instance.busy() == 0 && !instance.faults.hung;
  push(now + (idle ? Duration{} : instance.profile().stop_grace), HappeningKind::kInstanceEnds, found->second);
}

void VirtualWorld::State::instance_ends(Time now, std::uint32_t slot, const std::string& why) {
  VirtualInstance& instance = *instances[slot];
  if (instance.phase() == VirtualInstance::Phase::kStopped) return;
  instance.to(VirtualInstance::Phase::kStopped);
  forget_faults(instance.id().value);
  for (const auto& node : nodes) {
    for (const auto& group : node->groups) {
      const auto target = group->targets.find(instance.id().value, instance.address.port);
      InstancePool* pool = target ? group->pool(*target) : nullptr;
      if (pool == nullptr || pool->instance != slot) continue;
      close_idle(*pool);
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
  dns_changed();
  node.wanted = wanted;
  if (node.answers()) configure(now, node, wanted);
  if (node.answers() && !node.observes_at) observe_by(now + settings.observation, node);
}

void VirtualWorld::State::node_ends(Time now, VirtualNode& node, const std::string& why) {
  if (!node.running && !node.starting) return;
  node.running = false;
  node.starting = false;
  node.wanted.reset();
  std::erase_if(in_force, [&](const FaultStatus& one) {
    return one.fault.kind == FaultKind::kHang && one.fault.target == FaultTarget{FaultTargetKind::kNode, node.name};
  });
  node.hung = false;
  cut_calls(now, node);
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
  if (dark.contains(settings.zones[node.zone].name)) {
    node.unheard = true;
  } else {
    node.accepting = false;
    dns_changed();
    report(now, NodeStopped{node.name, why});
  }
}

/// Its clients' connections break, and those to its targets.
void VirtualWorld::State::cut_calls(Time now, VirtualNode& node) {
  for (auto* list : {&node.connecting, &node.awaiting}) {
    while (Call* call = list->front()) {
      const ExchangeStep step = call->rules.on({.kind = ExchangeEventKind::kStopped, .at = now});
      call->broken = true;
      finish_exchange(now, *call, step);
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
