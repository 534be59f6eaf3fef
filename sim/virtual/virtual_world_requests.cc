// A request on its way through a node to an instance and back. ExchangeRules says what each event means; here it is
// done.
#include <fmt/format.h>

#include <algorithm>

#include "lb/base/check.h"
#include "lb/policy/anomaly_detection.h"
#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {

constexpr int kErrorStatus = 500;
/// What a fault of a link must add for it to be a reason why somebody waited too long.
constexpr Duration kTellingDelay = std::chrono::milliseconds(100);
constexpr int kOverloadedStatus = 503;
/// A service that alone may be longer than somebody waits: any client or node waits for that long.
constexpr Duration kLongService = std::chrono::seconds(1);

ExchangeEvent event(ExchangeEventKind kind, Time now) {
  ExchangeEvent made;
  made.kind = kind;
  made.at = now;
  return made;
}

}  // namespace

std::optional<Duration> VirtualWorld::State::way(const VirtualNode& node, const VirtualInstance& instance, bool back) {
  const Place from = back ? instance.zone() : node.zone;
  const Place to = back ? node.zone : instance.zone();
  if (!links_are_faulty) return links.travel(from, to, nullptr, rng);
  const LinkFaults faults = link_faults(node, instance);
  if (faults.blackhole) return std::nullopt;
  const LinkCondition extra{back ? faults.latency : Duration{}, back ? faults.jitter : Duration{}, faults.loss};
  return links.travel(from, to, &extra, rng);
}

/// The same for a health check, which mostly does without a look at the instance itself.
std::optional<Duration> VirtualWorld::State::way(const VirtualNode& node, std::uint32_t instance, bool back) {
  if (links_are_faulty) return way(node, *instances[instance], back);
  const Place there = checked[instance].zone;
  return links.travel(back ? there : node.zone, back ? node.zone : there, nullptr, rng);
}

/// The same for a request, which bears the mark of what delays or loses it.
std::optional<Duration> VirtualWorld::State::way(Call& call, bool back) {
  const VirtualNode& node = *nodes[call.node];
  const VirtualInstance& instance = *instances[call.instance];
  const auto delay = way(node, instance, back);
  if (!delay) {
    call.blame = blame_way(&node, &instance);
  } else if (links_are_faulty && *delay >= kTellingDelay) {
    // Of this way: that of others is, and this one is long, explains nothing.
    if (const Blame fault = blame_link(&node, &instance); fault.explains()) call.blame = fault;
  }
  return delay;
}

void VirtualWorld::State::blame_refusal(Call& call, const VirtualInstance& instance, bool refused, bool full) {
  if (refused) {
    call.blame =
        blame_in_force(nodes[call.node].get(), &instance, [](FaultKind kind) { return kind == FaultKind::kRefuse; });
  } else if (instance.ended_by.explains()) {
    call.blame = instance.ended_by;
  } else if (full) {
    call.blame = {LossRule::kConnectionLimit};
  }
}

// At the node ---------------------------------------------------------------------------------------------------------

void VirtualWorld::State::node_takes(Time now, Call& call) {
  VirtualNode& node = *nodes[call.node];
  if (!node.running) {
    call.blame = node.ended_by;
    return to_client(now, call, 0);
  }
  if (node.frozen()) {
    call.blame = blame_hang(&node, nullptr);
    return node.held.push_back(Slab<Call>::handle(call));
  }
  ++counters.exchanges;
  ++node.round;
  call.exchange_open = true;
  call.rules = ExchangeRules(now, true, false);
  const ClientPopulation& who = *clients[call.population];
  const auto found =
      who.settings.target_group.empty() ? node.group_index.begin() : node.group_index.find(who.settings.target_group);
  const bool known = found != node.group_index.end();
  const auto target = known ? pick(now, node, *node.groups[found->second]) : std::nullopt;
  if (!target) {
    call.blame = blame_group(node, known ? node.groups[found->second].get() : nullptr);
    return on_failure(now, call, ExchangeEventKind::kNoTarget);
  }
  BalancerGroup& group = *node.groups[found->second];
  InstancePool& pool = *group.pool(*target);
  if (group.usable() == 0) call.blame = blame_group(node, &group);
  call.pool = &pool;
  call.instance = pool.instance;
  call.reached = true;
  call.listed = pool.registered;
  pool.busy.push_back(call);
  ++pool.outstanding;
  ++pool.requests;
  group.targets.started(*target);
  VirtualConnection* connection = take_idle(now, pool);
  ExchangeEvent assigned =
      event(connection != nullptr ? ExchangeEventKind::kAssignedReused : ExchangeEventKind::kAssignedFresh, now);
  assigned.target = target->value;
  if (connection != nullptr) {
    assigned.idle = now - connection->idle_since;
    if (connection->closed_at) assigned.closed_before = now - *connection->closed_at;
    ++counters.reused_connections;
  } else {
    ++counters.fresh_connections;
    connection = &connections.take();
    connection->pool = &pool;
  }
  call.connection = connection;
  connection->call = &call;
  call.rules.on(assigned);
  send_to_instance(now, call);
}

std::optional<TargetId> VirtualWorld::State::pick(Time now, VirtualNode& node, BalancerGroup& group) {
  Rng& chance = node_rng[node.index];
  const std::optional<TargetId> target = chooser ? chooser(now, chance, group) : group.targets.pick(now, chance);
  if (target) check_pick(now, group, *target);
  return target;
}

/// By the world's own ledger of what was configured and what the checks found, not by the group's. Groups whose
/// routing depends on zones are left to the full check.
void VirtualWorld::State::check_pick(Time now, const BalancerGroup& group, TargetId target) {
  const InstancePool* pool = group.pool(target);
  RR_CHECK(pool != nullptr, "a target was picked that the node does not know");
  if (group.usable() == 0 || (pool->registered && pool->healthy)) return;
  const bool by_zone = !crosses_zones(group.targets.settings());
  const auto& floor = group.targets.settings().unhealthy_state_routing;
  if (pool->registered && (by_zone || floor.percentage || floor.count.value_or(1) > 1)) return;
  violated(now, fmt::format("{} picked {}, which is {}, while {} healthy targets exist", nodes[group.node()]->name,
                            pool->id_text, pool->registered ? "not healthy" : "not registered", group.usable()));
}

/// The request, or the beginning of a connection: the node waits for whatever comes back.
void VirtualWorld::State::send_to_instance(Time now, Call& call) {
  VirtualNode& node = *nodes[call.node];
  const bool connecting = call.rules.state() == ExchangeState::kConnecting;
  VirtualBalancer& balancer = *node.balancers[call.pool->group.balancer()];
  const LoadBalancerSettings& limits = balancer.settings;
  call.deadline = now + (connecting ? limits.connect_timeout : limits.idle_timeout);
  static_cast<ListLink<NodeDeadlineTag>&>(call).unlink();
  (connecting ? balancer.connecting : balancer.awaiting).push_back(call);
  if (!balancer.timer_set) arm_node_deadlines(now, node, balancer);
  if (!connecting) ++call.connection->requests;
  const auto delay = way(call, false);
  if (delay) after(now, *delay, HappeningKind::kReachesInstance, 0, Slab<Call>::handle(call));
}

void VirtualWorld::State::connected(Time now, Call& call) {
  if (!call.exchange_open || call.rules.state() != ExchangeState::kConnecting) return;
  call.rules.on(event(ExchangeEventKind::kConnected, now));
  send_to_instance(now, call);
}

void VirtualWorld::State::response_at_node(Time now, Call& call, int status) {
  if (!call.exchange_open || call.rules.state() != ExchangeState::kAwaiting) return;
  VirtualNode& node = *nodes[call.node];
  if (node.frozen()) {  // it is not read; what follows is the client's time-out
    call.blame = blame_hang(&node, nullptr);
    return;
  }
  ++node.round;
  ExchangeEvent head = event(ExchangeEventKind::kResponseHead, now);
  head.status = status;
  call.rules.on(head);
  ExchangeEvent complete = event(ExchangeEventKind::kResponseComplete, now);
  complete.reusable = !call.connection->closed_at.has_value();
  finish_exchange(now, call, call.rules.on(complete));
}

void VirtualWorld::State::on_failure(Time now, Call& call, ExchangeEventKind kind) {
  if (!call.exchange_open || !ExchangeRules::legal(call.rules.state(), kind)) return;
  finish_exchange(now, call, call.rules.on(event(kind, now)));
}

void VirtualWorld::State::finish_exchange(Time now, Call& call, const ExchangeStep& step) {
  RR_CHECK(ends(step.act), "an exchange is over when its rules say so");
  const ExchangeRecord& record = call.rules.record();
  ++causes[static_cast<std::size_t>(record.cause)];
  if (record.target_status == 0 && record.status >= 500) ++nodes[call.node]->own_5xx;
  call.exchange_open = false;
  static_cast<ListLink<NodeDeadlineTag>&>(call).unlink();
  if (call.connection != nullptr) {
    call.connection->call = nullptr;
    release(now, *call.connection, step.keep_back);
    call.connection = nullptr;
  }
  if (InstancePool* pool = call.pool) {
    call.pool = nullptr;
    static_cast<ListLink<BusyTag>&>(call).unlink();
    --pool->outstanding;
    if (pool->group.targets.finished(pool->target, target_result(record))) report_drained(now, *pool);
  }
  if (step.act == ExchangeAct::kAbandon) return free_if_over(call);
  to_client(now, call, call.broken ? 0 : record.status);
}

void VirtualWorld::State::to_client(Time now, Call& call, int status) {
  call.status = status;
  if (!call.client_waits) return free_if_over(call);
  const auto delay = links.travel(nodes[call.node]->zone, kOutside, nullptr, rng);
  // A failed connection takes a moment even where nothing does: a client that retries at once would never stop.
  const Duration least = status == 0 ? kMillisecond : Duration{};
  if (delay) return after(now, std::max(*delay, least), HappeningKind::kReachesClient, 0, Slab<Call>::handle(call));
  call.blame = blame_way(nodes[call.node].get(), nullptr);
}

void VirtualWorld::State::arm_node_deadlines(Time now, VirtualNode& node, VirtualBalancer& balancer) {
  std::optional<Time> next;
  for (const auto* list : {&balancer.connecting, &balancer.awaiting}) {
    const Call* first = list->front();
    if (first != nullptr && (!next || first->deadline < *next)) next = first->deadline;
  }
  // Whatever begins meanwhile has its deadline at least a connect time-out away.
  const Duration shortest = std::min(balancer.settings.connect_timeout, balancer.settings.idle_timeout);
  if (!next) return;
  balancer.timer_set = true;
  push(std::max(now, std::min(*next, now + shortest)), HappeningKind::kNodeDeadlines, node.index, balancer.index);
}

void VirtualWorld::State::node_deadlines(Time now, VirtualNode& node, VirtualBalancer& balancer) {
  balancer.timer_set = false;
  if (!node.frozen()) {
    while (Call* call = balancer.connecting.front()) {
      if (call->deadline > now) break;
      on_failure(now, *call, ExchangeEventKind::kConnectTimedOut);
    }
    while (Call* call = balancer.awaiting.front()) {
      if (call->deadline > now) break;
      on_failure(now, *call, ExchangeEventKind::kTargetSilent);
    }
    if (!balancer.timer_set) arm_node_deadlines(now, node, balancer);
  }
}

// At the instance -----------------------------------------------------------------------------------------------------

void VirtualWorld::State::reaches_instance(Time now, Call& call) {
  if (!call.exchange_open) return;
  VirtualInstance& instance = *instances[call.instance];
  if (call.rules.state() == ExchangeState::kConnecting) return instance_accepts(now, call, instance);
  const bool closed = !instance.alive() || call.connection->closed_at.has_value();
  if (!closed && !is_reset(call, instance)) return instance_serves(now, call, instance);
  if (!instance.alive()) {
    if (instance.ended_by.explains()) call.blame = instance.ended_by;
  } else if (closed) {
    call.blame = {LossRule::kKeepAliveRace};
  }
  const auto delay = way(call, true);
  if (delay) after(now, *delay, HappeningKind::kResetAtNode, 0, Slab<Call>::handle(call));
}

/// By a fault of the link or of its zone.
bool VirtualWorld::State::is_reset(Call& call, const VirtualInstance& instance) {
  if (instance.faults.gray > 0 && rng.unit() < instance.faults.gray) {
    call.blame = blame_in_force(nullptr, &instance, [](FaultKind kind) { return kind == FaultKind::kGray; });
    return true;
  }
  if (!links_are_faulty || call.connection->requests > 1) return false;
  const double share = link_faults(*nodes[call.node], instance).reset;
  if (share == 0 || rng.unit() >= share) return false;
  call.blame =
      blame_in_force(nodes[call.node].get(), &instance, [](FaultKind kind) { return kind == FaultKind::kReset; });
  return true;
}

void VirtualWorld::State::instance_accepts(Time now, Call& call, VirtualInstance& instance) {
  const bool listens = instance.phase() == VirtualInstance::Phase::kRunning && now >= instance.ready_at;
  const auto limit = instance.profile().connection_limit;
  const bool full = limit && instance.connections >= *limit;
  const bool refused = links_are_faulty && link_faults(*nodes[call.node], instance).refuse;
  const bool accepted = listens && !full && !refused;
  if (accepted) ++instance.connections;
  if (!accepted) blame_refusal(call, instance, refused, full);
  const auto delay = way(call, true);
  const HappeningKind what = accepted ? HappeningKind::kConnected : HappeningKind::kConnectRefused;
  if (delay) after(now, *delay, what, 0, Slab<Call>::handle(call));
}

void VirtualWorld::State::instance_serves(Time now, Call& call, VirtualInstance& instance) {
  const double errors = instance.profile().error_share + instance.faults.error_share;
  if (errors > 0 && !instance.faults.hung && rng.unit() < errors) {
    const Duration takes = instance.profile().error_time;
    call.blame = {LossRule::kOwnErrors};
    if (instance.faults.error_share > 0) {
      call.blame = blame_in_force(nullptr, &instance, [](FaultKind kind) { return kind == FaultKind::kErrorAnswers; });
    }
    const auto delay = way(call, true);
    if (!delay) return;
    return after(now, takes + instance.faults.slow + *delay, HappeningKind::kResponseAtNode, kErrorStatus,
                 Slab<Call>::handle(call));
  }
  const CallHandle handle = Slab<Call>::handle(call);
  switch (instance.take(handle)) {
    case VirtualInstance::Taken::kServing:
      return begin_service(now, instance, call.instance, handle);
    case VirtualInstance::Taken::kOverloaded:
      call.blame = {LossRule::kQueueFull};
      return answer_from(now, call, instance, kOverloadedStatus);
    case VirtualInstance::Taken::kWaiting:
      if (!call.blame.explains()) call.blame = {LossRule::kQueued};
      return;
    case VirtualInstance::Taken::kHeld:
      call.blame = blame_hang(nullptr, &instance);
      return;
  }
}

void VirtualWorld::State::begin_service(Time now, VirtualInstance& instance, std::uint32_t slot, CallHandle call) {
  const Duration takes = instance.service_time(rng);
  if (takes > kLongService) {
    if (Call* served = calls.find(call); served != nullptr && !served->blame.explains()) {
      served->blame = {LossRule::kServedSlowly};
    }
  }
  push(now + takes, HappeningKind::kServed, slot, call);
}

/// The work was done, whether or not somebody still waits for it.
void VirtualWorld::State::served(Time now, std::uint32_t slot, CallHandle handle) {
  VirtualInstance& instance = *instances[slot];
  if (!instance.alive()) return;
  if (!instance.end_service(handle)) {
    if (Call* call = calls.find(handle)) call->blame = blame_hang(nullptr, &instance);
    return;
  }
  while (const auto next = instance.next_to_serve()) begin_service(now, instance, slot, *next);
  if (Call* call = calls.find(handle); call != nullptr && call->exchange_open) answer_from(now, *call, instance, 200);
  const bool ended = instance.phase() == VirtualInstance::Phase::kStopping && instance.busy() == 0;
  if (ended) push(now, HappeningKind::kInstanceEnds, slot);
}

void VirtualWorld::State::answer_from(Time now, Call& call, VirtualInstance& instance, int status) {
  if (instance.faults.slow > Duration{}) {
    call.blame = blame_in_force(nullptr, &instance, [](FaultKind kind) { return kind == FaultKind::kSlow; });
  }
  const auto delay = way(call, true);
  if (!delay) return;
  after(now, instance.faults.slow + *delay, HappeningKind::kResponseAtNode, static_cast<std::uint32_t>(status),
        Slab<Call>::handle(call));
}

}  // namespace rr::sim
