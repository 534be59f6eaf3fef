// The load-balancer nodes: what they are to serve, and what follows when one is gone.
#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/api_errors.h"
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
  std::vector<LoadBalancerSettings> balancers;
  for (const LoadBalancerSettings* one : load_balancers(state_.settings)) balancers.push_back(tempo_.at_speed(*one));
  for (auto& [name, node] : state_.nodes) {
    const bool accepting = in_dns.contains(name);
    const bool flipped = accepting != node.in_dns;
    if (flipped) log(now, name, accepting ? "in DNS" : "out of DNS");
    node.in_dns = accepting;
    if (!node.running) continue;
    if (!flipped && node.generation != 0 && node.generation >= state_.targets_generation) continue;
    node.generation = ++state_.generation;
    for (const LoadBalancerSettings& settings : balancers) actions_.push_back(configuration(node, settings));
  }
}

/// The nodes end a shift by themselves when it expires, so nobody has to be woken for that.
Result<Reply, ApiError> Region::Machine::run(Time now, const StartZonalShift& command) {
  constexpr Duration kLeast = std::chrono::minutes(1);
  constexpr Duration kMost = std::chrono::hours(72);
  LoadBalancerSettings& balancer = state_.settings.load_balancer;
  if (!balancer.zonal_shift_enabled) {
    return validation_error(fmt::format(
        "load balancer {} permits no zonal shift: it has load_balancer.zonal_shift_enabled=false", balancer.name));
  }
  const auto& zones = state_.settings.zones;
  if (std::none_of(zones.begin(), zones.end(), [&](const Zone& zone) { return zone.name == command.away_from; })) {
    return validation_error(fmt::format("{} is not one of the region's zones", command.away_from.value));
  }
  if (command.expires_in < kLeast || command.expires_in > kMost) {
    return validation_error(
        fmt::format("a zonal shift expires in 1m to 72h, not in {}", format_duration(command.expires_in)));
  }
  const std::optional<ZonalShift>& active = balancer.zonal_shift;
  if (active && active->expires > now && active->zone != command.away_from.value) {
    return ApiError{"ConflictException",
                    fmt::format("Traffic is being shifted away from {} until {}: one zone at a time", active->zone,
                                format_iso8601(active->expires, 0))};
  }
  balancer.zonal_shift = ZonalShift{command.away_from.value, now + command.expires_in};
  log(now, balancer.name,
      fmt::format("zonal shift away from {} until {}", command.away_from.value,
                  format_iso8601(balancer.zonal_shift->expires, 0)));
  targets_changed(now);
  return Reply{command.away_from.value, 0};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CancelZonalShift&) {
  LoadBalancerSettings& balancer = state_.settings.load_balancer;
  if (!balancer.zonal_shift || balancer.zonal_shift->expires <= now) {
    return ApiError{"ResourceNotFoundException", "There is no zonal shift in force"};
  }
  const std::string zone = balancer.zonal_shift->zone;
  balancer.zonal_shift.reset();
  log(now, balancer.name, fmt::format("the zonal shift away from {} is cancelled", zone));
  targets_changed(now);
  return Reply{zone, 0};
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
  node.vouched.reset();
  arm(node.next_check, std::nullopt, TimerKind::kCheckNode, node.name);
  for (auto& [id, reports] : state_.reports) {
    std::erase_if(reports, [&](const HealthReport& report) { return report.node == node.name; });
  }
  looks_.clear();
  // It takes its connections with it, so nobody waits for it to drain.
  for (const auto& [group, ids] : std::map(leaving_)) {
    for (const InstanceId& id : ids) finish_drain_when_done(now, instance_at(id));
  }
  take_earlier(configure_at_, now);
}

}  // namespace rr::sim
