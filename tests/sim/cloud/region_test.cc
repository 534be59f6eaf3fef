// The region as a whole, against a world in memory.
#include "sim/cloud/region.h"

#include <gtest/gtest.h>

#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const ZoneName kA("eu-west-1a");
const ZoneName kB("eu-west-1b");

TEST(Region, ANewGroupStartsOneInstanceInEachZone) {
  ToyWorld world(toy_settings(), 1);
  world.build();
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }, 2min));
  EXPECT_EQ(world.live_in(kA), 1);
  EXPECT_EQ(world.live_in(kB), 1);
  for (const auto& [name, node] : world.state().nodes) EXPECT_TRUE(node.in_dns) << name;
}

TEST(Region, AZoneLosesPowerAndComesBack) {
  ToyWorld world(toy_settings(), 1);
  world.build();
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }, 2min));
  world.run_for(2min);
  world.cut_power(kB);
  ASSERT_TRUE(world.run_until([&] { return world.in_service().size() == 2 && world.live_in(kA) == 2; }, 5min));
  world.run_for(5min);
  EXPECT_EQ(world.live_in(kA), 2);
  std::size_t least = 2;
  world.restore_power(kB);
  world.invariant = [&] { least = std::min(least, world.in_service().size()); };
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }, 5min));
  EXPECT_EQ(least, 2u) << "launch before terminate";
  EXPECT_TRUE(world.state().nodes.at("lb-eu-west-1b").in_dns);
}

TEST(Region, ADoubleReleaseLeavesOnlyTheNewCommit) {
  ToyWorld world(toy_settings(), 1);
  world.build();
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }, 2min));
  const ImageId two = world.add_image("two");
  const auto reply = world.command(StartDoubleRelease{"web", two});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  ASSERT_TRUE(world.run_until([&] { return !world.state().release->in_progress(); }, 10min));
  EXPECT_EQ(world.state().release->phase, DoublePhase::kReleased) << world.state().release->outcome;
  EXPECT_EQ(world.running_commits(), (std::vector<std::string>{"two", "two"}));
  for (const auto& line : world.journal.lines())
    std::printf("%s %s %s\n", format_iso8601(line.time, 3).c_str(), line.entity.c_str(), line.event.c_str());
  for (const auto& a : world.state().activities)
    std::printf("%s | %s | %s\n", a.description.c_str(), a.status_code.c_str(), a.cause.c_str());
  std::printf("%s\n", world.state().release->outcome.c_str());
}

}  // namespace
}  // namespace rr::sim
