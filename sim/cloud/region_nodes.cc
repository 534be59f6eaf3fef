// The load-balancer nodes: what they are to serve, and what follows when one is gone.
#include <fmt/format.h>

#include "sim/cloud/node_fleet.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

void take_earlier(std::optional<Time>& earliest, const std::optional<Time>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

void Region::Machine::targets_changed(Time now) {
  state_.targets_generation = ++state_.generation;
  take_earlier(configure_at_, now);
}

void Region::Machine::list_target(const Instance& instance, bool registered) {
  for (const std::string& target_group : state_.groups.at(instance.group).settings.target_groups) {
    if (registered) {
      targets_.put(target_group,
                   {.id = instance.id.value, .address = instance.address, .wire = {}, .zone = instance.zone.value});
    } else {
      targets_.erase(target_group, instance.id.value);
    }
  }
}

ConfigureNode Region::Machine::configuration(const Node& node, const LoadBalancerSettings& settings) const {
  return {.node = node.name,
          .zone = node.zone.value,
          .generation = node.generation,
          .accepting = node.in_dns,
          .load_balancer = settings,
          .targets = targets_};
}

/// Sends every running node what it does not have yet.
void Region::Machine::configure_nodes(Time now) {
  if (!configure_at_) return;
  configure_at_.reset();
  const std::set<std::string> in_dns = nodes_in_dns(state_.nodes);
  const LoadBalancerSettings settings = tempo_.at_speed(state_.settings.load_balancer);
  for (auto& [name, node] : state_.nodes) {
    const bool accepting = in_dns.contains(name);
    const bool flipped = accepting != node.in_dns;
    if (flipped) log(now, name, accepting ? "in DNS" : "out of DNS");
    node.in_dns = accepting;
    if (!node.running) continue;
    if (!flipped && node.generation != 0 && node.generation >= state_.targets_generation) continue;
    node.generation = ++state_.generation;
    actions_.push_back(configuration(node, settings));
  }
}

void Region::Machine::node_down(Time now, Node& node, std::string_view why) {
  log(now, node.name, fmt::format("stopped: {}", why));
  node.running = false;
  node.passing = false;
  node.admitted = false;
  node.failed_checks = 0;
  node.passed_checks = 0;
  node.check_outstanding = false;
  node.generation = 0;
  node.running_since.reset();
  arm(node.next_check, std::nullopt, TimerKind::kCheckNode, node.name);
  for (auto& [id, reports] : state_.reports) {
    std::erase_if(reports, [&](const HealthReport& report) { return report.node == node.name; });
  }
  // It takes its connections with it, so nobody waits for it to drain.
  for (const auto& [group, ids] : std::map(leaving_)) {
    for (const InstanceId& id : ids) finish_drain_when_done(now, state_.instances.at(id));
  }
  take_earlier(configure_at_, now);
}

}  // namespace rr::sim
