// The region under faults and commands drawn from a seed: nothing is lost meanwhile, and all comes to rest after.
#include <gtest/gtest.h>

#include "sim/cloud/region.h"
#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

void check_invariants(const ToyWorld& world, std::uint64_t seed) {
  const Group& group = world.state().groups.at("web");
  const int allowance = std::max(1, group.settings.max_size / 10);
  ASSERT_LE(static_cast<int>(world.live().size()), group.settings.max_size + allowance) << "seed " << seed;
  for (const auto& [id, machine] : world.machines) {
    if (!machine.running) continue;
    const auto known = world.state().instances.find(id);
    ASSERT_TRUE(known != world.state().instances.end()) << "lost " << id.value << ", seed " << seed;
    ASSERT_NE(known->second.lifecycle, LifecycleState::kTerminated) << id.value << ", seed " << seed;
  }
  const auto next = world.region.next_wake();
  ASSERT_TRUE(next && *next > world.now) << "seed " << seed;
}

/// What keeps it from coming to rest.
std::string restless(const ToyWorld& world) {
  const Group& group = world.state().groups.at("web");
  std::string text = "desired " + std::to_string(group.desired_capacity);
  if (const RefreshState* refresh = group.active_refresh()) {
    text += ", refresh " + std::string(to_string(refresh->status)) + ": " + refresh->status_reason + " batch " +
            std::to_string(refresh->batch.size) + " owed " + std::to_string(refresh->batch.owed);
  }
  for (const auto& [id, instance] : world.state().instances) {
    if (instance.lifecycle == LifecycleState::kTerminated) continue;
    text += "\n" + id.value + " " + std::string(to_string(instance.lifecycle)) + " in " + instance.zone.value +
            (instance.healthy ? "" : " unhealthy") + (instance.settled_at ? "" : " unsettled") + " version " +
            std::to_string(instance.template_version);
  }
  return text;
}

/// Draws faults for a while, then ends them; everything must then come to rest.
std::uint64_t swarm(std::uint64_t seed, Duration idle_wakes) {
  RegionSettings settings = toy_settings(2 + static_cast<int>(seed % 2));
  settings.terminate_when_drained = seed % 3 == 0;
  settings.speed = seed % 5 == 0 ? 20 : 1;
  ToyWorld world(settings, seed);
  world.idle_wakes = idle_wakes;
  Rng rng(seed * 7919);
  world.broken_commits.insert("bad");
  world.build(2 + static_cast<int>(rng.below(3)));
  world.invariant = [&] { check_invariants(world, seed); };
  for (int step = 0; step < 30; ++step) {
    const auto& zones = settings.zones;
    const ZoneName zone = zones[rng.below(zones.size())].name;
    const auto live = world.in_service();
    const InstanceId someone = live.empty() ? InstanceId("i-none") : live[rng.below(live.size())]->id;
    switch (rng.below(10)) {
      case 8: {
        RefreshPreferences preferences;
        preferences.min_healthy_percentage = static_cast<int>(50 * rng.below(3));
        preferences.instance_warmup = 20s;
        const int made = world.command(CreateLaunchTemplateVersion{"web", world.add_image("refreshed"), ""})->number;
        const LaunchTemplateSpecification to{"web", std::to_string(made)};
        (void)world.command(StartInstanceRefresh{"web", to, preferences});
        break;
      }
      case 9:
        if (!world.command(RollbackInstanceRefresh{"web"}).ok()) {
          (void)world.command(CancelInstanceRefresh{"web", rng.below(2) == 0});
        }
        break;
      case 0:
        world.cut_power(zone);
        break;
      case 1:
        world.restore_power(zone);
        break;
      case 2:
        if (world.machines.contains(someone)) world.hang(someone);
        break;
      case 3:
        if (world.machines.contains(someone)) world.kill(someone);
        break;
      case 4:
        (void)world.command(SetDesiredCapacity{"web", 2 + static_cast<int>(rng.below(3))});
        break;
      case 5:
        (void)world.command(StartDoubleRelease{"web", world.add_image(rng.below(4) == 0 ? "bad" : "good")});
        break;
      case 6:
        world.hang_node(node_name(zone));
        break;
      case 7:
        world.refuse_launches(zone);
        break;
    }
    world.run_for(std::chrono::milliseconds(rng.below(120'000)));
  }
  for (const Zone& zone : settings.zones) world.restore_power(zone.name);
  world.unhang_all();
  const bool rests = world.run_until(
      [&] {
        const bool releasing = world.state().release && world.state().release->in_progress();
        return world.steady() && !releasing && world.state().groups.at("web").active_refresh() == nullptr;
      },
      3h);
  EXPECT_TRUE(rests) << "seed " << seed << ": " << restless(world);
  world.run_for(2min);
  EXPECT_TRUE(world.steady()) << "seed " << seed;
  for (const auto& [name, node] : world.state().nodes) EXPECT_TRUE(node.in_dns) << name << ", seed " << seed;
  return world.journal.digest();
}

TEST(RegionSwarm, WhateverHappensNothingIsLostAndEverythingComesToRest) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) swarm(seed, {});
}

TEST(RegionSwarm, TheSameSeedGivesTheSameJournal) {
  EXPECT_EQ(swarm(7, {}), swarm(7, {}));
  EXPECT_NE(swarm(7, {}), swarm(8, {}));
}

TEST(RegionSwarm, WakingOftenChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(swarm(seed, {}), swarm(seed, 97ms)) << "seed " << seed;
}

}  // namespace
}  // namespace rr::sim
