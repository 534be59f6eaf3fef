#include "sim/laws/law_tier.h"

#include <fmt/format.h>

#include "lb/base/check.h"
#include "sim/cloud/address_plan.h"

namespace rr::sim {
namespace {

VirtualWorldSettings world_settings(const LawTierSettings& settings, const std::vector<Zone>& zones) {
  VirtualWorldSettings made;
  made.zones = zones;
  made.links = settings.links;
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
  start(settings);
}

void LawTier::start(const LawTierSettings& settings) {
  for (const Zone& zone : zones_) world_.perform(now_, StartNode{node(zone), zone.name, {}});
  TargetTable targets;
  targets.add_group("web");
  Rng ids(1);
  for (int i = 0; i < settings.instances; ++i) {
    Zone& zone = zones_[static_cast<std::size_t>(i % settings.zones)];
    LaunchInstance launch;
    launch.instance = InstanceId(draw_id("i-", ids));
    launch.zone = zone.name;
    launch.address = *next_instance_address(zone, 8080, [](const Address&) { return false; });
    world_.perform(now_, launch);
    ids_.push_back(launch.instance);
    targets.put("web", {launch.instance.value, launch.address, {}, zone.name.value});
  }
  run_for(std::chrono::seconds(5));  // the nodes start
  const LoadBalancerSettings balancer = balancer_settings(settings);
  for (const Zone& zone : zones_)
    world_.perform(now_, ConfigureNode{node(zone), zone.name.value, 1, true, balancer, targets});
  run_for(std::chrono::seconds(1));  // the first health check
  for (const Zone& zone : zones_) {
    const BalancerGroup* group = world_.group(node(zone), "web");
    RR_CHECK(group != nullptr && group->usable() == ids_.size(), "a law is measured on a healthy tier");
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
