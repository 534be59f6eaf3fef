// What a node is told to serve, and its health checks: TargetGroup decides, here its wishes are carried out.
#include <fmt/format.h>

#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {

void VirtualWorld::State::configure(Time now, VirtualNode& node, VirtualBalancer& balancer) {
  const ConfigureNode& wanted = balancer.wanted;
  balancer.settings = wanted.load_balancer;
  const GroupPlace place{.zone = wanted.zone,
                         .in_use = true,
                         .enabled_zones = wanted.load_balancer.availability_zones,
                         .zonal_shift = wanted.load_balancer.zonal_shift,
                         .propagation_delay = wanted.load_balancer.propagation_delay};
  for (const TargetGroupSettings& chosen : wanted.load_balancer.target_groups) {
    auto found = node.group_index.find(chosen.name);
    if (found == node.group_index.end()) {
      const auto index = static_cast<std::uint32_t>(node.groups.size());
      node.groups.push_back(std::make_unique<BalancerGroup>(node.index, index, balancer.index, chosen, journal));
      found = node.group_index.emplace(chosen.name, index).first;
      if (node.ended_by.explains()) node.groups.back()->taken_by = node.ended_by;
    }
    BalancerGroup& group = *node.groups[found->second];
    group.targets.configure(now, chosen);
    group.targets.set_place(now, place);
    const LoadBalancerSettings& of = wanted.load_balancer;
    group.pool_settings = {.idle_timeout = of.idle_timeout,
                           .maximum_idle = static_cast<std::size_t>(of.maximum_idle_connections),
                           .network_delay_same_zone = of.network_delay_same_zone,
                           .network_delay_cross_zone = of.network_delay_cross_zone,
                           .zone = wanted.zone};
    list_targets(now, group, wanted.targets.share(chosen.name));
    arm_wake(group);
  }
}

void VirtualWorld::State::list_targets(Time now, BalancerGroup& group,
                                       const std::shared_ptr<const TargetTable::Group>& listed) {
  if (group.listed == listed) return;
  std::vector<TargetSpec> desired;
  desired.reserve(listed->size());
  for (const auto& [id, spec] : *listed) {
    if (instance_slots.contains(id)) desired.push_back(spec);
  }
  group.targets.set_targets(now, desired);
  // Both are ordered by id.
  auto now_listed = listed->begin();
  for (const auto& [id, spec] : *group.listed) {
    while (now_listed != listed->end() && now_listed->first < id) ++now_listed;
    if (now_listed != listed->end() && now_listed->first == id) continue;
    const auto target = group.targets.find(id, spec.address.port);
    if (target) drain(now, *group.pool(*target));
  }
  auto before = group.listed->begin();
  for (const TargetSpec& spec : desired) {
    while (before != group.listed->end() && before->first < spec.id) ++before;
    if (before == group.listed->end() || before->first != spec.id) follow_target(now, group, spec);
  }
  group.listed = listed;
}

void VirtualWorld::State::follow_target(Time, BalancerGroup& group, const TargetSpec& spec) {
  const auto target = group.targets.find(spec.id, spec.address.port);
  if (!target || group.pool(*target) != nullptr) return;
  group.add_pool(*target, instance_slots.at(spec.id), spec.id);
  group.news.push_back({spec.id, spec.address.port, Health{}, group.targets.settings().name});
}

/// Nothing new goes there; what is under way may end.
void VirtualWorld::State::drain(Time now, InstancePool& pool) {
  BalancerGroup& group = pool.group;
  note_taken(now, pool, true);
  group.set_registered(pool, false);
  close_idle(pool);
  tell(now, pool, Health{TargetState::kDraining, TargetReason::kDeregistrationInProgress, 0});
  if (pool.outstanding == 0) report_drained(now, pool);
}

/// The control plane hears of it with the node's next report.
void VirtualWorld::State::tell(Time now, const InstancePool& pool, const Health& health) {
  const TargetSpec* spec = pool.group.targets.find(pool.target);
  const std::uint16_t port = spec == nullptr ? 0 : spec->address.port;
  pool.group.news.push_back({pool.id_text, port, health, pool.group.targets.settings().name});
  observe_by(now + settings.observation, *nodes[pool.group.node()]);
}

void VirtualWorld::State::report_drained(Time now, InstancePool& pool) {
  if (pool.drain_reported) return;
  pool.drain_reported = true;
  report(now, TargetDrained{nodes[pool.group.node()]->name, pool.id_text});
}

void VirtualWorld::State::arm_wake(BalancerGroup& group) {
  const std::optional<Time> next = group.targets.next_wake();
  if (!next || (group.wakes_at && *group.wakes_at <= *next)) return;
  group.wakes_at = next;
  push(*next, HappeningKind::kGroupWakes, group.node(), group.index());
}

void VirtualWorld::State::group_wakes(Time now, BalancerGroup& group) {
  group.wakes_at.reset();
  const VirtualNode& node = *nodes[group.node()];
  if (!node.answers()) return;  // when it goes on, or starts again, it is woken
  std::vector<TargetId> expired;
  group.targets.expire_drains(now, expired);
  for (const TargetId target : expired) {
    InstancePool& pool = *group.pool(target);
    end_exchanges(now, pool, ExchangeEventKind::kDrainEnded);
    report_drained(now, pool);
    const std::string id = pool.id_text;
    tell(now, pool, Health{TargetState::kUnused, TargetReason::kNotRegistered, 0});
    group.forget(target);
    // Registered again meanwhile: it has begun anew.
    if (const auto listed = group.listed->find(id); listed != group.listed->end()) {
      follow_target(now, group, listed->second);
    }
  }
  std::vector<ProbeDue> due;
  group.targets.due_probes(now, due);
  for (const ProbeDue& one : due) probe(now, group, one);
  arm_wake(group);
}

void VirtualWorld::State::end_exchanges(Time now, InstancePool& pool, ExchangeEventKind kind) {
  while (Call* call = pool.busy.front()) {
    if (!call->blame.explains() && call->listed) call->blame = {LossRule::kDrainEnded};
    on_failure(now, *call, kind);
  }
}

// Health checks -------------------------------------------------------------------------------------------------------

void VirtualWorld::State::probe(Time now, BalancerGroup& group, const ProbeDue& due) {
  ++counters.probes;
  VirtualProbe& probe = probes.take();
  probe.group = &group;
  probe.target = due.target;
  probe.sequence = due.sequence;
  probe.instance = group.pool(due.target)->instance;
  probe.started = now;
  const auto delay = way(*nodes[group.node()], *instances[probe.instance], false);
  const std::uint64_t handle = Slab<VirtualProbe>::handle(probe);
  if (delay) return after(now, *delay, HappeningKind::kProbeArrives, 0, handle);
  probe.outcome = {ProbeOutcome::Kind::kTimedOut, 0};
  push(now + group.targets.settings().health_check.timeout, HappeningKind::kProbeOver, 0, handle);
}

ProbeOutcome VirtualWorld::State::probe_outcome(Time now, const VirtualNode& node, const VirtualInstance& instance) {
  const InstanceFaults& faults = instance.faults;
  const bool listens = instance.phase() == VirtualInstance::Phase::kRunning && now >= instance.ready_at;
  if (!listens) return {ProbeOutcome::Kind::kConnectFailed, 0};
  if (links_are_faulty) {
    const LinkFaults link = link_faults(node, instance);
    const bool reset = link.reset > 0 && rng.unit() < link.reset;
    if (link.refuse || reset) return {ProbeOutcome::Kind::kConnectFailed, 0};
  }
  if (faults.hung) return {ProbeOutcome::Kind::kTimedOut, 0};
  if (faults.gray > 0 && rng.unit() < faults.gray) return {ProbeOutcome::Kind::kConnectFailed, 0};
  if (faults.health_failure) return {ProbeOutcome::Kind::kAnswered, 503};
  return {ProbeOutcome::Kind::kAnswered, instance.profile().health_status};
}

void VirtualWorld::State::probe_arrives(Time now, VirtualProbe& probe) {
  const VirtualNode& node = *nodes[probe.group->node()];
  const VirtualInstance& instance = *instances[probe.instance];
  probe.outcome = probe_outcome(now, node, instance);
  const Time deadline = probe.started + probe.group->targets.settings().health_check.timeout;
  const auto back = way(node, instance, true);
  const bool answers = probe.outcome.kind == ProbeOutcome::Kind::kAnswered;
  Time over = deadline;
  if (back && probe.outcome.kind != ProbeOutcome::Kind::kTimedOut) {
    over = now + *back + (answers ? instance.profile().health_time + instance.faults.slow : Duration{});
  }
  if (over >= deadline) probe.outcome = {ProbeOutcome::Kind::kTimedOut, 0};
  push(std::min(over, deadline), HappeningKind::kProbeOver, 0, Slab<VirtualProbe>::handle(probe));
}

void VirtualWorld::State::probe_over(Time now, VirtualProbe& probe) {
  BalancerGroup& group = *probe.group;
  if (group.retired) return probes.give_back(probe);
  const auto change = group.targets.observe(now, probe.target, probe.sequence, probe.outcome);
  const TargetId target = probe.target;
  probes.give_back(probe);
  if (!change) return;
  InstancePool& pool = *group.pool(target);
  const bool healthy = change->transition.to.state == TargetState::kHealthy;
  if (!healthy) note_taken(now, pool, false);
  group.set_healthy(pool, healthy);
  tell(now, pool, change->transition.to);
}

void VirtualWorld::State::observe_by(Time at, VirtualNode& node) {
  if (node.observes_at && *node.observes_at <= at) return;
  node.observes_at = at;
  push(at, HappeningKind::kObserve, node.index);
}

void VirtualWorld::State::observe(Time now, VirtualNode& node) {
  if (node.observes_at != now) return;
  node.observes_at.reset();
  if (!node.running) return;
  Duration shortest = std::chrono::minutes(5);
  TargetHealthReported seen{node.name, {}, true};
  for (const auto& group : node.groups) {
    shortest = std::min(shortest, group->targets.settings().health_check.interval);
    if (!node.answers()) continue;
    seen.targets.insert(seen.targets.end(), group->news.begin(), group->news.end());
    group->news.clear();
  }
  if (node.answers()) report(now, std::move(seen));
  observe_by(now + shortest, node);
}

}  // namespace rr::sim
