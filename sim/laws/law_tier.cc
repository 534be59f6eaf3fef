#include "sim/laws/law_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "lb/base/check.h"
#include "sim/cloud/address_plan.h"

namespace rr::sim {
namespace {

VirtualWorldSettings world_settings(const LawTierSettings& settings, const std::vector<Zone>& zones) {
  VirtualWorldSettings made;
  made.zones = zones;
  made.links = settings.links;
  made.front = settings.front;
  made.profile = settings.profile;
  made.profile.boot = Distribution();
  return made;
}

LoadBalancerSettings balancer_settings(const LawTierSettings& settings) {
  TargetGroupSettings group;
  group.name = "web";
  group.algorithm = settings.algorithm;
  group.health_check = settings.health_check;
  if (settings.health_check == HealthCheck{}) group.health_check.interval = std::chrono::hours(10'000);
  LoadBalancerSettings made;
  made.idle_timeout = settings.idle_timeout;
  made.network_delay_same_zone = settings.network_delay;
  made.network_delay_cross_zone = settings.network_delay;
  made.target_groups = {group};
  return made;
}

}  // namespace

std::string LawTier::node(const Zone& zone) { return node_name(zone.name); }

LawTier::LawTier(LawTierSettings settings, std::uint64_t seed)
    : zones_(default_zones("eu-west-1", settings.zones)), world_(world_settings(settings, zones_), seed, &journal_) {
  start(settings, seed);
}

void LawTier::start(const LawTierSettings& settings, std::uint64_t seed) {
  for (const Zone& zone : zones_) world_.perform(now_, StartNode{node(zone), zone.name, {}});
  Rng ids(1);
  for (int i = 0; i < settings.instances; ++i) {
    Zone& zone = zones_[static_cast<std::size_t>(i % settings.zones)];
    LaunchInstance launch;
    launch.instance = InstanceId(draw_id("i-", ids));
    launch.zone = zone.name;
    launch.address = *next_instance_address(zone, 8080, [](const Address&) { return false; });
    world_.perform(now_, launch);
    ids_.push_back(launch.instance);
    specs_.push_back({launch.instance.value, launch.address, {}, zone.name.value});
  }
  run_for(std::chrono::seconds(5));  // the nodes start
  configure(settings, seed);
  run_for(std::chrono::seconds(1));  // the first health check
  for (const Zone& zone : zones_) {
    const BalancerGroup* group = world_.group(node(zone), "web");
    RR_CHECK(group != nullptr && group->usable() == ids_.size(), "a law is measured on a healthy tier");
  }
}

void LawTier::configure(const LawTierSettings& settings, std::uint64_t seed) {
  // When which node hears of which target.
  std::vector<std::tuple<Time, std::size_t, std::size_t>> order;
  Rng chance(seed ^ 0x6368'6563'6b73);  // not the world's own draws again
  for (std::size_t zone = 0; zone < zones_.size(); ++zone) {
    for (std::size_t target = 0; target < specs_.size(); ++target) {
      const auto within = static_cast<std::uint64_t>(settings.checks_begin_within.count());
      order.emplace_back(now_ + Duration(within == 0 ? 0 : static_cast<Duration::rep>(chance.below(within))), zone,
                         target);
    }
  }
  std::sort(order.begin(), order.end());
  std::vector<TargetTable> tables(zones_.size());
  for (TargetTable& table : tables) table.add_group("web");
  const LoadBalancerSettings balancer = balancer_settings(settings);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& [time, zone, target] = order[i];
    run_for(time - now_);
    tables[zone].put("web", specs_[target]);
    // Those of one instant together.
    const bool more = i + 1 < order.size() && std::get<0>(order[i + 1]) == time && std::get<1>(order[i + 1]) == zone;
    if (more) continue;
    const ZoneName& name = zones_[zone].name;
    world_.perform(now_, ConfigureNode{node(zones_[zone]), name.value, 1, true, balancer, tables[zone]});
  }
}

void LawTier::run_for(Duration span) {
  const Time end = now_ + span;
  while (now_ < end) {
    now_ = world_.deliver(end, events_);
    events_.clear();
  }
}

void LawTier::run_dry(std::size_t clients) {
  const Time end = now_ + std::chrono::hours(24);
  while (tally(clients).in_flight > 0 && now_ < end) run_for(kSecond);
}

}  // namespace rr::sim
