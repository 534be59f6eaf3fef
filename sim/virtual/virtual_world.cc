#include "sim/virtual/virtual_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "lb/base/check.h"
#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {
constexpr std::size_t kMostViolations = 20;
}

VirtualWorld::State::State(VirtualWorldSettings wanted, std::uint64_t seed, Journal* writes_to)
    : settings(std::move(wanted)), journal(writes_to), rng(seed), links(settings.links, settings.zones.size()) {}

Place VirtualWorld::State::place(const ZoneName& zone) const {
  const auto found =
      std::find_if(settings.zones.begin(), settings.zones.end(), [&](const Zone& one) { return one.name == zone; });
  RR_CHECK(found != settings.zones.end(), "every zone is one of the world's");
  return static_cast<Place>(found - settings.zones.begin());
}

void VirtualWorld::State::report(Time at, Event event) {
  reports.push_back(std::move(event));
  push(at, HappeningKind::kReport, 0, first_report + reports.size() - 1);
}

void VirtualWorld::State::violated(Time now, std::string what) {
  if (violations.size() < kMostViolations) violations.push_back(format_iso8601(now, 3) + " " + std::move(what));
}

void VirtualWorld::State::happen(Time now, const Happening& what) {
  ++counters.happenings;
  const auto call = [&]() { return calls.find(what.detail); };
  switch (what.kind) {
    case HappeningKind::kArrival:
      return arrive(now, what.subject);
    case HappeningKind::kReachesNode:
      if (Call* found = call()) node_takes(now, *found);
      return;
    case HappeningKind::kReachesInstance:
      if (Call* found = call()) reaches_instance(now, *found);
      return;
    case HappeningKind::kConnected:
      if (Call* found = call()) connected(now, *found);
      return;
    case HappeningKind::kConnectRefused:
      if (Call* found = call()) on_failure(now, *found, ExchangeEventKind::kConnectFailed);
      return;
    case HappeningKind::kServed:
      return served(now, what.subject, what.detail);
    case HappeningKind::kResponseAtNode:
      if (Call* found = call()) response_at_node(now, *found, static_cast<int>(what.subject));
      return;
    case HappeningKind::kResetAtNode:
      if (Call* found = call()) on_failure(now, *found, ExchangeEventKind::kTargetReset);
      return;
    case HappeningKind::kClientGoneAtNode:
      if (Call* found = call()) on_failure(now, *found, ExchangeEventKind::kClientReset);
      return;
    case HappeningKind::kReachesClient:
      if (Call* found = call()) client_hears(now, *found);
      return;
    case HappeningKind::kClientDeadlines:
      return client_deadlines(now, what.subject);
    case HappeningKind::kNodeDeadlines: {
      VirtualNode& node = *nodes[what.subject];
      if (what.detail < node.balancers.size()) node_deadlines(now, node, *node.balancers[what.detail]);
      return;
    }
    case HappeningKind::kConnectionTimer:
      if (VirtualConnection* found = connections.find(what.detail)) connection_timer(now, *found);
      return;
    case HappeningKind::kCloseHeard:
      if (VirtualConnection* found = connections.find(what.detail)) close_heard(*found);
      return;
    case HappeningKind::kGroupWakes:
    case HappeningKind::kProbes:
    case HappeningKind::kObserve:
    case HappeningKind::kNodeStarts:
    case HappeningKind::kNodeChecked:
    case HappeningKind::kInstanceRuns:
    case HappeningKind::kInstanceEnds:
    case HappeningKind::kLaunchGivenUp:
    case HappeningKind::kReport:
    case HappeningKind::kFaultsEnd:
      return happen_to_machines(now, what);
  }
}

/// What does not happen once a request.
void VirtualWorld::State::happen_to_machines(Time now, const Happening& what) {
  if (what.kind == HappeningKind::kGroupWakes) {
    VirtualNode& node = *nodes[what.subject];
    const bool counts = what.detail < node.groups.size() && node.groups[what.detail]->wakes_at == now;
    if (counts) group_wakes(now, *node.groups[what.detail]);
  } else if (what.kind == HappeningKind::kProbes) {
    probes_come(now, *trains.find(what.detail));
  } else if (what.kind == HappeningKind::kObserve) {
    observe(now, *nodes[what.subject]);
  } else if (what.kind == HappeningKind::kNodeStarts) {
    VirtualNode& node = *nodes[what.subject];
    if (node.starts == what.detail) node_starts(now, node);
  } else if (what.kind == HappeningKind::kNodeChecked) {
    // A node that stopped meanwhile answers no check: it has been said that it stopped.
    if (nodes[what.subject]->running || what.detail == 0) {
      out->push_back(NodeChecked{nodes[what.subject]->name, what.detail == 1});
    }
  } else if (what.kind == HappeningKind::kInstanceRuns) {
    instance_runs(now, what.subject);
  } else if (what.kind == HappeningKind::kInstanceEnds) {
    instance_ends(now, what.subject, "exited with status 0");
  } else if (what.kind == HappeningKind::kLaunchGivenUp) {
    VirtualInstance& instance = *instances[what.subject];
    if (instance.waits)
      launch_fails(now, instance, "Client.InternalError", "Client.InternalError: Client error on launch.");
  } else if (what.kind == HappeningKind::kReport) {
    out->push_back(std::move(reports[what.detail - first_report]));
    reports_taken.insert(what.detail);
    while (!reports_taken.empty() && *reports_taken.begin() == first_report) {
      reports_taken.erase(reports_taken.begin());
      reports.pop_front();
      ++first_report;
    }
  } else if (what.kind == HappeningKind::kFaultsEnd) {
    if (faults_end == now) end_due_faults(now);
  }
}

// What others ask -----------------------------------------------------------------------------------------------------

VirtualWorld::VirtualWorld(VirtualWorldSettings settings, std::uint64_t seed, Journal* journal)
    : state_(std::make_unique<State>(std::move(settings), seed, journal)) {}
VirtualWorld::~VirtualWorld() = default;

void VirtualWorld::perform(Time now, const Action& action) {
  std::visit([&](const auto& what) { state_->act(now, what); }, action);
}
Status VirtualWorld::inject(Time now, const Fault& fault) { return state_->inject(now, fault); }
Status VirtualWorld::heal(Time now, const FaultTarget& target) { return state_->heal(now, target); }
std::vector<FaultStatus> VirtualWorld::faults() const { return state_->in_force; }

std::size_t VirtualWorld::add_clients(Time now, ClientSettings clients) {
  const auto number = static_cast<std::uint32_t>(state_->clients.size());
  state_->clients.push_back(std::make_unique<ClientPopulation>(clients, Rng(state_->rng.next())));
  ClientPopulation& who = *state_->clients.back();
  const Time from = std::max(now, clients.from);
  for (int user = 0; user < std::max(1, clients.users); ++user) {
    state_->push(from + clients.between.sample(who.rng), HappeningKind::kArrival, number);
  }
  return number;
}

const ClientTally& VirtualWorld::tally(std::size_t clients) const { return state_->clients.at(clients)->tally; }

std::optional<Time> VirtualWorld::next_happening() const {
  if (state_->queue.empty()) return std::nullopt;
  return state_->queue.next();
}

Time VirtualWorld::deliver(Time until, std::vector<Event>& out) {
  state_->out = &out;
  Time now = until;
  while (!state_->queue.empty() && state_->queue.next() <= until) {
    now = state_->queue.next();
    state_->happen(now, state_->queue.pop());
    if (out.empty()) continue;
    while (!state_->queue.empty() && state_->queue.next() == now) state_->happen(now, state_->queue.pop());
    return now;
  }
  return until;
}

const WorldCounters& VirtualWorld::counters() const {
  state_->counters.causes.clear();
  for (std::size_t cause = 0; cause < state_->causes.size(); ++cause) {
    const std::uint64_t count = state_->causes[cause];
    if (count > 0) state_->counters.causes[static_cast<ExchangeCause>(cause)] = count;
  }
  return state_->counters;
}

std::uint64_t VirtualWorld::happenings() const { return state_->counters.happenings; }
bool VirtualWorld::control_plane_is_out() const { return state_->is_in_force(FaultKind::kOutage, "") != nullptr; }
void VirtualWorld::set_chooser(Chooser chooser) { state_->chooser = std::move(chooser); }
const std::vector<std::string>& VirtualWorld::violations() const { return state_->violations; }

const BalancerGroup* VirtualWorld::group(const std::string& node, const std::string& target_group) const {
  const auto found = state_->node_slots.find(node);
  if (found == state_->node_slots.end()) return nullptr;
  const VirtualNode& one = *state_->nodes[found->second];
  const auto index = one.group_index.find(target_group);
  return index == one.group_index.end() ? nullptr : one.groups[index->second].get();
}

const VirtualInstance* VirtualWorld::instance(const InstanceId& id) const {
  const auto found = state_->instance_slots.find(id.value);
  return found == state_->instance_slots.end() ? nullptr : state_->instances[found->second].get();
}

std::vector<NodeCounters> VirtualWorld::node_counters() const {
  std::vector<NodeCounters> all;
  for (const auto& node : state_->nodes) {
    if (!node->answers()) continue;
    NodeCounters& counted = all.emplace_back(NodeCounters{node->name, {}, node->own_5xx});
    for (const auto& group : node->groups) {
      for (const auto& pool : group->pools()) {
        if (pool) counted.requests_by_target[state_->instances[pool->instance]->id().value] += pool->requests;
      }
    }
  }
  return all;
}

std::vector<InstanceId> VirtualWorld::living() const {
  std::vector<InstanceId> ids;
  for (const auto& [id, slot] : state_->instance_slots) {
    if (state_->instances[slot]->alive()) ids.push_back(InstanceId(id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void VirtualWorld::check(Time now) {
  for (const auto& who : state_->clients) {
    const ClientTally& tally = who->tally;
    if (tally.offered != tally.ok + tally.failed + tally.in_flight) {
      state_->violated(now, fmt::format("{}: {} requests offered, {} ok, {} failed, {} in flight", who->settings.name,
                                        tally.offered, tally.ok, tally.failed, tally.in_flight));
    }
  }
  for (std::size_t slot = 0; slot < state_->instances.size(); ++slot) {
    const VirtualInstance& instance = *state_->instances[slot];
    if (state_->checked[slot] == instance.checked()) continue;
    state_->violated(now, fmt::format("health checks meet {} as it was before", instance.id().value));
  }
  for (const auto& node : state_->nodes) {
    for (const auto& group : node->groups) state_->check_group(now, *node, *group);
  }
}

/// What is counted of each target by the group, by its pool and by the exchanges is the same number; what is listed is
/// registered; what drains is not picked.
void VirtualWorld::State::check_group(Time now, const VirtualNode& node, const BalancerGroup& group) {
  std::uint32_t usable = 0;
  for (const TargetStatus& one : group.targets.status()) {
    const InstancePool* pool = group.pool(one.target);
    if (pool == nullptr) return violated(now, fmt::format("{} has no pool for {}", node.name, one.spec.id));
    if (one.outstanding != pool->outstanding) {
      violated(now, fmt::format("{} counts {} requests to {}, there are {}", node.name, one.outstanding, one.spec.id,
                                pool->outstanding));
    }
    const bool drains = one.health.state == TargetState::kDraining;
    if (drains == pool->registered) {
      violated(now, fmt::format("{}: {} is {}, but was {}", node.name, one.spec.id, to_string(one.health.state),
                                pool->registered ? "listed" : "taken off the list"));
    }
    if (drains && group.targets.accepts(one.target) && !one.heard_of_late) {
      violated(now, fmt::format("{} would pick {}, which drains", node.name, one.spec.id));
    }
    if (pool->registered && pool->healthy) ++usable;
  }
  if (usable != group.usable()) {
    violated(now, fmt::format("{} counts {} usable targets of {}", node.name, group.usable(), usable));
  }
}

}  // namespace rr::sim
