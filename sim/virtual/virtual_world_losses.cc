// Who is to blame for an attempt that fails.
#include <fmt/format.h>

#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {

/// A node that was in trouble is back in DNS after its start is tried again (up to a minute) and its checks pass.
constexpr Duration kReadmission = std::chrono::minutes(5);

bool freezes(FaultKind kind) { return kind == FaultKind::kHang || kind == FaultKind::kFlapping; }

}  // namespace

std::string_view to_string(LossRule rule) {
  switch (rule) {
    case LossRule::kUnexplained:
      return "no reason";
    case LossRule::kFault:
      return "a fault";
    case LossRule::kQueueFull:
      return "the instance's queue was full";
    case LossRule::kQueued:
      return "it waited too long for a worker";
    case LossRule::kServedSlowly:
      return "its service took too long";
    case LossRule::kConnectionLimit:
      return "the instance takes no more connections";
    case LossRule::kOwnErrors:
      return "the image answers with errors";
    case LossRule::kKeepAliveRace:
      return "the instance had just closed the connection";
    case LossRule::kDrainEnded:
      return "the deregistration delay was over";
    case LossRule::kStopGrace:
      return "the instance's grace to end was over";
    case LossRule::kDeregistered:
      return "the last healthy target was deregistered";
    case LossRule::kStarting:
      return "nothing has been healthy yet";
    case LossRule::kNetwork:
      return "the network lost it";
  }
  return "?";
}

void VirtualWorld::State::note_fault(Time now, const Fault& fault) {
  FaultRecord record{fault, now, std::nullopt};
  if (!fault_row(fault.kind).lasts) record.over = now;
  history.push_back(record);
}

void VirtualWorld::State::note_fault_over(Time now, const Fault& fault) {
  if (const Blame blame = blame_for(fault); blame.explains()) history[blame.fault].over = now;
}

/// The last fault of that kind on that target.
Blame VirtualWorld::State::blame_for(const Fault& fault) const {
  for (std::size_t at = history.size(); at-- > 0;) {
    const Fault& one = history[at].fault;
    if (one.kind == fault.kind && one.target == fault.target) {
      return {LossRule::kFault, static_cast<std::uint32_t>(at)};
    }
  }
  return {};
}

/// Whether it is done to the node, the instance, or the way between them. Either may be nobody.
bool VirtualWorld::State::touches(const Fault& fault, const VirtualNode* node, const VirtualInstance* instance) const {
  const FaultTarget& target = fault.target;
  switch (target.kind) {
    case FaultTargetKind::kZone:
      return (node != nullptr && settings.zones[node->zone].name.value == target.name) ||
             (instance != nullptr && settings.zones[instance->zone()].name.value == target.name);
    case FaultTargetKind::kInstance:
      return instance != nullptr && instance->id().value == target.name;
    case FaultTargetKind::kNode:
      return node != nullptr && node->name == target.name;
    case FaultTargetKind::kLink: {
      const auto ends = link_ends(target);
      return node != nullptr && instance != nullptr && ends && ends->node == node->name &&
             ends->instance == instance->id().value;
    }
    case FaultTargetKind::kControlPlane:
      return false;
  }
  return false;
}

Blame VirtualWorld::State::blame_in_force(const VirtualNode* node, const VirtualInstance* instance,
                                          bool (*kind)(FaultKind)) const {
  for (const FaultStatus& one : in_force) {
    if (kind(one.fault.kind) && touches(one.fault, node, instance)) return blame_for(one.fault);
  }
  return {};
}

/// It does not move, or it did not for a while.
Blame VirtualWorld::State::blame_hang(const VirtualNode* node, const VirtualInstance* instance) const {
  return blame_in_force(node, instance, freezes);
}

/// A fault by which what is sent between them comes late or not at all.
Blame VirtualWorld::State::blame_link(const VirtualNode* node, const VirtualInstance* instance) const {
  return blame_in_force(node, instance, [](FaultKind kind) {
    return kind == FaultKind::kPartition || (kind >= FaultKind::kLatency && kind <= FaultKind::kBlackhole);
  });
}

/// What was sent between them did not come: by a fault, or by the links' own loss.
Blame VirtualWorld::State::blame_way(const VirtualNode* node, const VirtualInstance* instance) const {
  const Blame fault = blame_link(node, instance);
  return fault.explains() ? fault : Blame{LossRule::kNetwork};
}

/// Why a health check of the instance fails: what ended it, what is done to it, or what was done to it a moment ago.
Blame VirtualWorld::State::blame_illness(Time now, const VirtualNode& node, const VirtualInstance& instance,
                                         const HealthCheck& check) const {
  if (instance.ended_by.explains()) return instance.ended_by;
  const Duration unseen =
      check.interval * (std::max(check.healthy_threshold, check.unhealthy_threshold) + 1) + check.timeout;
  for (std::size_t at = history.size(); at-- > 0;) {
    const FaultRecord& one = history[at];
    const bool counts = !one.over || now <= *one.over + unseen;
    if (counts && touches(one.fault, &node, &instance)) return {LossRule::kFault, static_cast<std::uint32_t>(at)};
  }
  return {};
}

/// Nothing is in DNS that answers.
Blame VirtualWorld::State::blame_dns(Time now) const {
  Blame found{LossRule::kStarting};
  for (const auto& node : nodes) {
    if (node->starts == 0) continue;
    if (!node->running && node->ended_by.explains()) return node->ended_by;
    for (std::size_t at = history.size(); at-- > 0;) {
      const FaultRecord& one = history[at];
      const bool counts = !one.over || now <= *one.over + kReadmission;
      const bool outage = one.fault.kind == FaultKind::kOutage;
      if (counts && (outage || touches(one.fault, node.get(), nullptr))) {
        return {LossRule::kFault, static_cast<std::uint32_t>(at)};
      }
    }
    if (node->admitted) found = {};
  }
  return found;
}

/// The request has no healthy target to go to.
Blame VirtualWorld::State::blame_group(const VirtualNode& node, const BalancerGroup* group) const {
  if (group == nullptr) return node.ended_by.explains() ? node.ended_by : Blame{LossRule::kStarting};
  return group->usable() > 0 ? Blame{} : group->taken_by;
}

/// Before a target that could be used cannot be used any more.
void VirtualWorld::State::note_taken(Time now, const InstancePool& pool, bool deregistered) {
  if (!pool.registered || !pool.healthy) return;
  BalancerGroup& group = pool.group;
  const Blame ill =
      blame_illness(now, *nodes[group.node()], *instances[pool.instance], group.targets.settings().health_check);
  group.taken_by = !ill.explains() && deregistered ? Blame{LossRule::kDeregistered} : ill;
}

void VirtualWorld::State::lost(Time now, const Call& call, bool waited) {
  Blame blame = call.blame;
  // That it took long says nothing about a request that was cut off.
  const bool took_long = blame.rule == LossRule::kQueued || blame.rule == LossRule::kServedSlowly;
  if (took_long && !waited) blame = {};
  ++losses[blame];
  if (blame.explains()) return;
  const std::string where = nodes.empty() ? "no node" : nodes[call.node]->name;
  violated(now,
           fmt::format("lost without a fault: {} at {}{}", waited ? "timed out" : fmt::format("status {}", call.status),
                       where, call.reached ? ", sent to " + instances[call.instance]->id().value : ""));
}

std::vector<Loss> VirtualWorld::losses() const {
  std::vector<Loss> all;
  for (const auto& [blame, attempts] : state_->losses) {
    Loss& loss = all.emplace_back(Loss{blame, std::string(to_string(blame.rule)), attempts});
    if (blame.rule != LossRule::kFault) continue;
    const Fault& fault = state_->history[blame.fault].fault;
    loss.why = fmt::format("{} {}", fault_row(fault.kind).name, fault.target.describe());
  }
  return all;
}

}  // namespace rr::sim
