// What a node is told to serve, and its health checks: TargetGroup decides, here its wishes are carried out.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {
constexpr std::size_t kLookAhead = 8;  // probes
}

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

/// What has changed from one list to the next. A target that the world never launched is none.
void VirtualWorld::State::list_targets(Time now, BalancerGroup& group,
                                       const std::shared_ptr<const TargetTable::Group>& listed) {
  if (group.listed == listed) return;
  std::vector<TargetSpec> added;
  std::vector<std::pair<std::string_view, std::uint16_t>> removed;
  auto before = group.listed->begin();
  const auto leave = [&](const TargetSpec& spec) { removed.emplace_back(spec.id, spec.address.port); };
  for (const auto& spec : *listed) {
    while (before != group.listed->end() && *before != spec && (*before)->id < spec->id) leave(**before++);
    const bool known = before != group.listed->end() && (*before == spec || (*before)->id == spec->id);
    const bool same = known && *before == spec;
    if (known && !same && (*before)->address.port != spec->address.port) leave(**before);  // another target
    if (known) ++before;
    if (!same && instance_slots.contains(spec->id)) added.push_back(*spec);
  }
  while (before != group.listed->end()) leave(**before++);
  group.targets.change_targets(now, added, removed);
  for (const auto& [id, port] : removed) {
    if (const auto target = group.targets.find(id, port)) drain(now, *group.pool(*target));
  }
  for (const TargetSpec& spec : added) follow_target(now, group, spec);
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
    if (const TargetSpec* listed = TargetTable::find(*group.listed, id)) follow_target(now, group, *listed);
  }
  due_probes.clear();
  group.targets.due_probes(now, due_probes);
  for (const ProbeDue& due : due_probes) probe(now, group, due);
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
  const VirtualProbe probe{&group, due.sequence, now, due.target, group.instance(due.target)};
  const auto delay = way(*nodes[group.node()], probe.instance, false);
  if (!delay) {
    const Time deadline = now + group.targets.settings().health_check.timeout;
    return end_probe(deadline, probe, {ProbeOutcome::Kind::kTimedOut, 0});
  }
  if (*delay > Duration{}) return send(now + *delay, probe);
  ++counters.happenings;
  probe_arrives(now, probe);
}

void VirtualWorld::State::send(Time at, const VirtualProbe& probe) {
  if (trains_are_last != queue.pushes()) joinable_trains.clear();
  // The last one first: of two of one instant it is the one to be joined.
  for (auto joinable = joinable_trains.rbegin(); joinable != joinable_trains.rend(); ++joinable) {
    if (joinable->at == at) return joinable->train->probes.push_back(probe);
  }
  if (joinable_trains.size() == kMostTrains) joinable_trains.erase(joinable_trains.begin());
  ProbeTrain& train = trains.take();
  train.probes.push_back(probe);
  joinable_trains.push_back({at, &train});
  push(at, HappeningKind::kProbes, 0, Slab<ProbeTrain>::handle(train));
  trains_are_last = queue.pushes();
}

void VirtualWorld::State::end_probe(Time at, const VirtualProbe& probe, const ProbeOutcome& outcome) {
  VirtualProbe over = probe;
  over.outcome = outcome;
  over.is_over = true;
  send(at, over);
}

void VirtualWorld::State::expect(const VirtualProbe& probe) const {
  if (probe.is_over) return probe.group->targets.expect(probe.target);
  prefetch(&checked[probe.instance]);
}

void VirtualWorld::State::probes_come(Time now, ProbeTrain& train) {
  joinable_trains.clear();   // this one is on its way no more
  counters.happenings -= 1;  // of the train, whose probes are counted instead
  counters.happenings += train.probes.size();
  for (std::size_t i = 0; i < train.probes.size(); ++i) {
    if (i + kLookAhead < train.probes.size()) expect(train.probes[i + kLookAhead]);
    const VirtualProbe& probe = train.probes[i];
    if (probe.is_over) {
      probe_over(now, probe);
    } else {
      probe_arrives(now, probe);
    }
  }
  trains.give_back(train);
}

ProbeOutcome VirtualWorld::State::probe_outcome(Time now, const VirtualNode& node, std::uint32_t instance) {
  const CheckedInstance& met = checked[instance];
  if (links_are_faulty || met.faulty) return probe_outcome(now, node, *instances[instance]);
  if (now < met.listens_from) return {ProbeOutcome::Kind::kConnectFailed, 0};
  return {ProbeOutcome::Kind::kAnswered, met.health_status};
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

void VirtualWorld::State::probe_arrives(Time now, const VirtualProbe& probe) {
  const VirtualNode& node = *nodes[probe.group->node()];
  ProbeOutcome outcome = probe_outcome(now, node, probe.instance);
  const Time deadline = probe.started + probe.group->targets.settings().health_check.timeout;
  const auto back = way(node, probe.instance, true);
  const bool answers = outcome.kind == ProbeOutcome::Kind::kAnswered;
  Time over = deadline;
  if (back && outcome.kind != ProbeOutcome::Kind::kTimedOut) {
    over = now + *back + (answers ? checked[probe.instance].health_time : Duration{});
  }
  if (over >= deadline) outcome = {ProbeOutcome::Kind::kTimedOut, 0};
  end_probe(std::min(over, deadline), probe, outcome);
}

void VirtualWorld::State::probe_over(Time now, const VirtualProbe& probe) {
  BalancerGroup& group = *probe.group;
  if (group.retired) return;
  const auto change = group.targets.observe(now, probe.target, probe.sequence, probe.outcome);
  if (!change) return;
  InstancePool& pool = *group.pool(probe.target);
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
