#include <gtest/gtest.h>

#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

/// The nodes' configurations among what the region wants done now.
std::vector<ConfigureNode> configurations(Region& region, Time now) {
  region.wake(now);
  std::vector<ConfigureNode> found;
  for (const Action& action : region.take_actions()) {
    if (const auto* one = std::get_if<ConfigureNode>(&action)) found.push_back(*one);
    if (const auto* start = std::get_if<StartNode>(&action)) region.apply(now, NodeRunning{start->node});
  }
  return found;
}

struct Tier {
  explicit Tier(bool permitted) : region(kStart, settings(permitted), 1, nullptr) {
    configurations(region, kStart);
    EXPECT_EQ(configurations(region, kStart).size(), 2U) << "one a node";
  }
  static RegionSettings settings(bool permitted) {
    RegionSettings made = toy_settings();
    made.load_balancer.zonal_shift_enabled = permitted;
    return made;
  }
  std::string refused(Time now, const Command& command) {
    const auto reply = region.apply(now, command);
    return reply.ok() ? "" : reply.error().code;
  }
  Region region;
};

const ZoneName kA("eu-west-1a"), kB("eu-west-1b");

TEST(ZonalShift, EveryNodeIsToldAndTellsItselfWhenItIsOver) {
  Tier tier(true);
  ASSERT_TRUE(tier.region.apply(kStart, StartZonalShift{kB, 2h}).ok());
  const auto told = configurations(tier.region, kStart);
  ASSERT_EQ(told.size(), 2U);
  for (const ConfigureNode& one : told) {
    EXPECT_EQ(one.load_balancer.zonal_shift, (ZonalShift{kB.value, kStart + 2h}));
  }
  // Again for the same zone: another end. For the other one: not while this one lasts.
  ASSERT_TRUE(tier.region.apply(kStart + 1h, StartZonalShift{kB, 1min}).ok());
  EXPECT_EQ(tier.region.state().settings.load_balancer.zonal_shift->expires, kStart + 1h + 1min);
  EXPECT_EQ(tier.refused(kStart + 1h, StartZonalShift{kA, 1h}), "ConflictException");
  EXPECT_EQ(tier.refused(kStart + 1h + 1min, StartZonalShift{kA, 1h}), "");
  ASSERT_TRUE(tier.region.apply(kStart + 2h, CancelZonalShift{}).ok());
  for (const ConfigureNode& one : configurations(tier.region, kStart + 2h)) {
    EXPECT_EQ(one.load_balancer.zonal_shift, std::nullopt);
  }
}

TEST(ZonalShift, WhatCannotBeIsRefusedAndChangesNothing) {
  Tier tier(true);
  EXPECT_EQ(tier.refused(kStart, CancelZonalShift{}), "ResourceNotFoundException");
  EXPECT_EQ(tier.refused(kStart, StartZonalShift{ZoneName("eu-west-1z"), 1h}), "ValidationError");
  EXPECT_EQ(tier.refused(kStart, StartZonalShift{kA, 1min - 1ns}), "ValidationError");
  EXPECT_EQ(tier.refused(kStart, StartZonalShift{kA, 72h + 1ns}), "ValidationError");
  EXPECT_EQ(tier.region.state().settings.load_balancer.zonal_shift, std::nullopt);
  EXPECT_EQ(tier.refused(kStart, StartZonalShift{kA, 72h}), "");
  EXPECT_EQ(tier.refused(kStart + 72h, CancelZonalShift{}), "ResourceNotFoundException") << "it is over";
  EXPECT_EQ(Tier(false).refused(kStart, StartZonalShift{kA, 1h}), "ValidationError") << "zonal_shift_enabled";
}

}  // namespace
}  // namespace rr::sim
