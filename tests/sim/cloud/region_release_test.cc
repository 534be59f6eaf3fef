// A release by doubling: wait, prove, halve; and how it fails. Against a world in memory.
#include <gtest/gtest.h>

#include "sim/cloud/region.h"
#include "tests/sim/cloud/steady_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

bool release_has_ended(const ToyWorld& world) { return !world.state().release->in_progress(); }

TEST(Region, ADoubleReleaseLeavesOnlyTheNewCommit) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    auto world = steady_world(toy_settings(), seed);
    const ImageId two = world->add_image("two");
    world->invariant = [&] {
      EXPECT_GE(world->in_service().size(), 2u) << "seed " << seed;
      EXPECT_LE(world->live().size(), 4u) << "seed " << seed;
    };
    ASSERT_TRUE(world->command(StartDoubleRelease{"web", two}).ok());
    EXPECT_TRUE(error_of(world->command(StartDoubleRelease{"web", two})).starts_with("ScalingActivityInProgress: "));
    EXPECT_TRUE(error_of(world->command(SetDesiredCapacity{"web", 3})).starts_with("ScalingActivityInProgress: "));
    ASSERT_TRUE(world->run_until([&] { return release_has_ended(*world); }, 10min)) << "seed " << seed;
    const DoubleRelease& release = *world->state().release;
    EXPECT_EQ(release.phase, DoublePhase::kReleased) << "seed " << seed << ": " << release.outcome;
    EXPECT_GE(release.front_answers, 4) << "twice the instances";
    EXPECT_EQ(release.front_hosts.size(), 2u) << "from every one";
    EXPECT_EQ(world->running_commits(), (std::vector<std::string>{"two", "two"})) << "seed " << seed;
    EXPECT_EQ(world->state().groups.at("web").settings.launch_template.version, "2");
  }
}

TEST(Region, ADoubleReleaseIsRefusedWhereItCannotFit) {
  auto world = steady_world(toy_settings(), 1, 3);
  EXPECT_EQ(error_of(world->command(StartDoubleRelease{"web", world->add_image("two")})),
            "ValidationError: New SetDesiredCapacity value 6 is above max value 4 for the AutoScalingGroup.");
  EXPECT_EQ(error_of(world->command(StartDoubleRelease{"web", ImageId("ami-none")})),
            "InvalidAMIID.NotFound: The image id '[ami-none]' does not exist");
  EXPECT_EQ(world->state().launch_templates.at("web").versions.size(), 1u) << "nothing half-applied";
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 2}).ok());
  EXPECT_TRUE(error_of(world->command(StartDoubleRelease{"web", world->add_image("two")}))
                  .starts_with("ScalingActivityInProgress: The AutoScalingGroup web is not steady"));
}

TEST(Region, ABadImageIsRolledBackAndTheOldInstancesAreNotTouched) {
  auto world = steady_world();
  std::vector<InstanceId> old;
  for (const Instance* instance : world->in_service()) old.push_back(instance->id);
  world->broken_commits.insert("bad");
  ASSERT_TRUE(world->command(StartDoubleRelease{"web", world->add_image("bad")}).ok());
  ASSERT_TRUE(world->run_until([&] { return release_has_ended(*world); }, 1h));
  EXPECT_EQ(world->state().release->phase, DoublePhase::kFailed);
  EXPECT_NE(world->state().release->outcome.find(
                "was taken out of service for an ELB system health check failure; the group is back at 2"),
            std::string::npos)
      << world->state().release->outcome;
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  for (const InstanceId& id : old) EXPECT_EQ(world->state().instances.at(id).lifecycle, LifecycleState::kInService);
  EXPECT_EQ(world->state().groups.at("web").settings.launch_template.version, "$Default");
}

TEST(Region, AnImageThatAnswersAnotherCommitIsNotReleased) {
  auto world = steady_world();
  world->claimed_commits["two"] = "one";
  ASSERT_TRUE(world->command(StartDoubleRelease{"web", world->add_image("two")}).ok());
  ASSERT_TRUE(world->run_until([&] { return release_has_ended(*world); }, 1h));
  EXPECT_EQ(world->state().release->phase, DoublePhase::kFailed);
  EXPECT_NE(world->state().release->outcome.find("answered commit one"), std::string::npos)
      << world->state().release->outcome;
}

TEST(Region, WhereAnswersNameNoCommitHealthAloneCountsAndItIsSaid) {
  auto world = steady_world();
  world->answers_name_commit = false;
  ASSERT_TRUE(world->command(StartDoubleRelease{"web", world->add_image("two")}).ok());
  ASSERT_TRUE(world->run_until([&] { return release_has_ended(*world); }, 1h));
  EXPECT_EQ(world->state().release->phase, DoublePhase::kReleased);
  EXPECT_NE(world->state().release->outcome.find("health alone counted"), std::string::npos);
}

TEST(Region, WhatTheZoneBalanceKeepsIsEndedByTheReleaseItself) {
  // Zone b refuses while the group doubles: {a: old, new, new  b: old}. Halving takes two of zone a's, oldest version
  // first, so the old one of zone b stays.
  int kept = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto world = steady_world(toy_settings(), seed);
    ASSERT_TRUE(world->command(StartDoubleRelease{"web", world->add_image("two")}).ok());
    world->refuse_launches(kB);
    ASSERT_TRUE(world->run_until([&] { return world->live_in(kA) == 3; }));
    ASSERT_TRUE(world->run_until([&] { return world->state().release->phase != DoublePhase::kDoubling; }));
    world->restore_power(kB);
    ASSERT_TRUE(world->run_until([&] { return release_has_ended(*world); }, 1h));
    EXPECT_EQ(world->state().release->phase, DoublePhase::kReleased) << world->state().release->outcome;
    EXPECT_EQ(world->running_commits(), (std::vector<std::string>{"two", "two"})) << "seed " << seed;
    kept += world->state().release->ended_singly;
    ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  }
  EXPECT_GT(kept, 0);
}

}  // namespace
}  // namespace rr::sim
