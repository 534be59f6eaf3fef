#pragma once
// A whole tier in virtual time: the control plane, a virtual world and the driver, as tests want them.
#include <string>

#include "lb/base/journal.h"
#include "sim/cloud/address_plan.h"
#include "sim/virtual/virtual_run.h"

namespace rr::sim {

inline constexpr Time kBeginning{std::chrono::seconds(1'700'000'000)};

inline RegionSettings tier_settings(int zones = 2) {
  RegionSettings settings;
  settings.zones = default_zones("eu-west-1", zones);
  TargetGroupSettings targets;
  targets.name = "web";
  targets.health_check.interval = std::chrono::seconds(10);
  targets.health_check.healthy_threshold = 2;
  targets.deregistration_delay = std::chrono::seconds(30);
  settings.load_balancer.target_groups = {targets};
  ListenerSettings listener;
  listener.default_action = ForwardAction{{{"web", 1}}};
  settings.load_balancer.listeners = {listener};
  return settings;
}

inline VirtualWorldSettings world_settings(const RegionSettings& region) {
  VirtualWorldSettings settings;
  settings.zones = region.zones;
  settings.links.same_zone.latency = std::chrono::microseconds(250);
  settings.links.cross_zone.latency = std::chrono::microseconds(700);
  settings.links.outside.latency = std::chrono::milliseconds(10);
  return settings;
}

class Tier {
 public:
  explicit Tier(std::uint64_t seed, RegionSettings settings = tier_settings(), RunObserver* observer = nullptr)
      : Tier(seed, settings, world_settings(settings), observer) {}
  Tier(std::uint64_t seed, RegionSettings settings, VirtualWorldSettings in, RunObserver* observer = nullptr)
      : region(kBeginning, settings, seed, &journal),
        world(std::move(in), seed, &journal),
        run(kBeginning, region, world, observer) {}

  ImageId add_image(const std::string& commit) {
    Image image;
    image.commit = commit;
    image.build = "1";
    return ImageId(run.command(RegisterImage{image}).value().id);
  }
  GroupSettings group_settings() const {
    GroupSettings group;
    group.launch_template = {"web", "1"};
    group.target_groups = {"web"};
    for (const Zone& zone : region.state().settings.zones) group.zones.push_back(zone.name);
    return group;
  }
  void build(int desired, GroupSettings group) {
    run.command(CreateLaunchTemplate{"web", add_image("one"), ""}).value();
    run.command(CreateAutoScalingGroup{std::move(group), desired}).value();
  }
  void build(int desired = 2) { build(desired, group_settings()); }

  int in_service() const {
    int count = 0;
    for (const auto& [id, instance] : region.state().instances) {
      if (instance.lifecycle == LifecycleState::kInService && instance.settled_at) ++count;
    }
    return count;
  }
  bool settled(int desired) const { return in_service() == desired && world.living().size() == std::size_t(desired); }

  Journal journal;
  Region region;
  VirtualWorld world;
  VirtualRun run;
};

}  // namespace rr::sim
