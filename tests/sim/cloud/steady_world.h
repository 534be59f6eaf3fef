#pragma once
// A toy world that has come to rest: two zones, two instances, both healthy.
#include <gtest/gtest.h>

#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {

inline const ZoneName kA("eu-west-1a");
inline const ZoneName kB("eu-west-1b");

/// A tier of two instances, both healthy, that has been there for a while.
inline std::unique_ptr<ToyWorld> steady_world(RegionSettings settings = toy_settings(), std::uint64_t seed = 1,
                                              int desired = 2) {
  auto world = std::make_unique<ToyWorld>(settings, seed);
  world->build(desired);
  EXPECT_TRUE(world->run_until([&] { return world->steady(); }));
  world->run_for(std::chrono::minutes(2));
  return world;
}

}  // namespace rr::sim
