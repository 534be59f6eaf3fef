// Instance refreshes of a whole region, against a world in memory.
#include <gtest/gtest.h>

#include "sim/cloud/region.h"
#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const ZoneName kB("eu-west-1b");

/// A steady tier of `desired` instances of version 1, the group pinned to it, and versions 2 ("two") and 3 ("bad").
struct Tier {
  ToyWorld world;
  std::size_t least = 1'000;
  std::size_t most = 0;

  explicit Tier(std::uint64_t seed = 1, int desired = 2, RegionSettings settings = toy_settings())
      : world(settings, seed) {
    GroupSettings group = toy_group(settings);
    const ImageId one = world.add_image("one");
    world.command(CreateLaunchTemplate{"web", one, ""}).value();
    group.launch_template.version = "1";
    world.command(CreateAutoScalingGroup{group, desired}).value();
    world.broken_commits.insert("bad");
    for (const char* commit : {"two", "bad"}) {
      world.command(CreateLaunchTemplateVersion{"web", world.add_image(commit), ""}).value();
    }
    EXPECT_TRUE(world.run_until([&] { return world.steady(); }));
    world.run_for(2min);
    world.invariant = [this] {
      least = std::min(least, world.in_service().size());
      most = std::max(most, world.live().size());
    };
  }
  Result<Reply, ApiError> start(int version, RefreshPreferences preferences = {}) {
    return world.command(StartInstanceRefresh{"web", LaunchTemplateSpecification{"web", std::to_string(version)},
                                              std::move(preferences)});
  }
  const Group& group() const { return world.state().groups.at("web"); }
  const RefreshState& refresh() const { return group().refreshes.back(); }
  bool ended() const { return group().active_refresh() == nullptr; }
  bool run(Duration limit = 3h) {
    return world.run_until([&] { return ended(); }, limit);
  }
  int of_version(int version) const {
    int count = 0;
    for (const Instance* instance : world.live()) count += instance->template_version == version ? 1 : 0;
    return count;
  }
};

TEST(RegionRefresh, ReplacesAllInstancesAndMovesTheGroupToItsConfiguration) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const bool launch_first : {false, true}) {
      Tier tier(seed);
      RefreshPreferences preferences;
      if (launch_first) preferences.min_healthy_percentage = 100;
      if (launch_first) preferences.max_healthy_percentage = 150;
      const auto reply = tier.start(2, preferences);
      ASSERT_TRUE(reply.ok());
      EXPECT_EQ(reply.value().id, tier.refresh().id);
      EXPECT_EQ(tier.group().settings.launch_template.version, "1") << "not before it has succeeded";
      ASSERT_TRUE(tier.run(30min)) << "seed " << seed;
      EXPECT_EQ(tier.refresh().status, RefreshStatus::kSuccessful) << tier.refresh().status_reason;
      EXPECT_EQ(tier.refresh().percentage_complete, 100);
      EXPECT_EQ(tier.refresh().instances_to_update, 0);
      EXPECT_EQ(tier.of_version(1), 0) << "seed " << seed;
      EXPECT_EQ(tier.group().settings.launch_template.version, "2");
      EXPECT_EQ(tier.least, launch_first ? 2u : 1u);
      EXPECT_EQ(tier.most, launch_first ? 3u : 2u);
      // Launched first into the first of two equal zones each time, they may stand in one: that is balanced again.
      ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
      EXPECT_EQ(tier.of_version(2), 2);
    }
  }
}

TEST(RegionRefresh, ANewInstanceIsWarmAMinuteAfterItIsInService) {
  // The tier has no default warm-up, so the grace period of 60 s counts.
  Tier tier;
  ASSERT_TRUE(tier.start(2).ok());
  EXPECT_EQ(tier.refresh().instance_warmup, 60s);
  ASSERT_TRUE(tier.world.run_until([&] { return tier.of_version(2) == 1 && tier.world.in_service().size() == 2; }));
  tier.world.run_for(5s);
  const std::string& reason = tier.refresh().status_reason;
  EXPECT_TRUE(reason.starts_with("Waiting for instances to warm up before continuing. For example: i-")) << reason;
  EXPECT_TRUE(reason.ends_with(" is warming up.")) << reason;
  EXPECT_EQ(tier.refresh().percentage_complete, 0);
  tier.world.run_for(54s);
  EXPECT_EQ(tier.refresh().percentage_complete, 0);
  tier.world.run_for(1s);
  EXPECT_EQ(tier.refresh().percentage_complete, 50);
}

TEST(RegionRefresh, ActivitiesSayWhatItDid) {
  Tier tier;
  ASSERT_TRUE(tier.start(2).ok());
  ASSERT_TRUE(tier.run());
  int ended = 0;
  int launched = 0;
  for (const ScalingActivity& activity : tier.world.state().activities) {
    const bool end =
        activity.cause.find("an instance was taken out of service in response to an instance refresh.  At ") !=
        std::string::npos;
    ended += end && activity.cause.ends_with("instance " + activity.instance.value + " was selected for termination.");
    launched += activity.cause.ends_with("an instance was launched in response to an instance refresh.");
  }
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(launched, 2);
}

TEST(RegionRefresh, IsRefusedInAwsWords) {
  Tier tier;
  EXPECT_EQ(error_of(tier.world.command(CancelInstanceRefresh{"web"})),
            "ActiveInstanceRefreshNotFound: The request failed because an active instance refresh or rollback for the "
            "specified Auto Scaling group was not found.");
  EXPECT_TRUE(
      error_of(tier.world.command(RollbackInstanceRefresh{"web"})).starts_with("ActiveInstanceRefreshNotFound: "));
  EXPECT_TRUE(error_of(tier.world.command(StartInstanceRefresh{"none", {}, {}})).starts_with("ValidationError: "));
  EXPECT_TRUE(error_of(tier.start(9)).starts_with("InvalidLaunchTemplateId.VersionNotFound: "));
  const auto refused = [&](const std::function<void(RefreshPreferences&)>& how) {
    RefreshPreferences preferences;
    how(preferences);
    return error_of(tier.start(2, preferences));
  };
  using P = RefreshPreferences;
  for (const auto& how : std::vector<std::function<void(P&)>>{
           [](P& p) { p.min_healthy_percentage = -1; }, [](P& p) { p.min_healthy_percentage = 101; },
           [](P& p) { p.max_healthy_percentage = 150; },
           [](P& p) { p.min_healthy_percentage = 90, p.max_healthy_percentage = 99; },
           [](P& p) { p.min_healthy_percentage = 100, p.max_healthy_percentage = 201; },
           [](P& p) { p.min_healthy_percentage = 50, p.max_healthy_percentage = 151; },
           [](P& p) {
             p.checkpoint_percentages = {50, 50};
           },
           [](P& p) { p.checkpoint_percentages = {0}; }, [](P& p) { p.checkpoint_percentages = {101}; },
           [](P& p) { p.checkpoint_delay = 1s; },
           [](P& p) { p.checkpoint_percentages = {50}, p.checkpoint_delay = 172'801s; },
           [](P& p) { p.bake_time = 172'801s; }, [](P& p) { p.bake_time = -1s; }, [](P& p) { p.instance_warmup = -1s; },
           [](P& p) { p.alarms.resize(11, "a"); }}) {
    EXPECT_TRUE(refused(how).starts_with("ValidationError: ")) << refused(how);
  }
  EXPECT_TRUE(tier.group().refreshes.empty()) << "nothing half-applied";
  for (const auto& how : std::vector<std::function<void(P&)>>{
           [](P& p) { p.min_healthy_percentage = 0, p.max_healthy_percentage = 100, p.bake_time = 172'800s; }}) {
    EXPECT_EQ(refused(how), "accepted") << "at the limits";
  }
  EXPECT_EQ(error_of(tier.start(2)),
            "InstanceRefreshInProgress: The request failed because an active instance refresh already exists for the "
            "specified Auto Scaling group.");
  GroupSettings other = tier.group().settings;
  other.launch_template.version = "3";
  EXPECT_EQ(
      error_of(tier.world.command(UpdateAutoScalingGroup{other})),
      "ValidationError: An active instance refresh with a desired configuration exists. All configuration options "
      "derived from the desired configuration are not available for update while the instance refresh is active.");
  EXPECT_TRUE(error_of(tier.world.command(StartDoubleRelease{"web", tier.world.add_image("four")}))
                  .starts_with("ScalingActivityInProgress: "));
}

TEST(RegionRefresh, WithoutANumberedVersionThereIsNoWayBack) {
  Tier tier;
  const std::string irreversible =
      "IrreversibleInstanceRefresh: The request failed because a desired configuration was not found or an "
      "incompatible "
      "launch template (uses a Systems Manager parameter instead of an AMI ID) or launch template version ($Latest or "
      "$Default) is present on the Auto Scaling group.";
  RefreshPreferences preferences;
  preferences.auto_rollback = true;
  EXPECT_EQ(error_of(tier.world.command(StartInstanceRefresh{"web", {}, preferences})), irreversible);
  GroupSettings group = tier.group().settings;
  for (const char* version : {"$Latest", "$Default"}) {
    group.launch_template.version = version;
    ASSERT_TRUE(tier.world.command(UpdateAutoScalingGroup{group}).ok());
    EXPECT_EQ(error_of(tier.start(2, preferences)), irreversible) << version;
  }
  ASSERT_TRUE(tier.start(2).ok());
  EXPECT_EQ(error_of(tier.world.command(RollbackInstanceRefresh{"web"})), irreversible);
  ASSERT_TRUE(tier.world.command(CancelInstanceRefresh{"web"}).ok());
}

TEST(RegionRefresh, ABadImageIsRolledBackByItself) {
  for (const bool launch_first : {false, true}) {
    Tier tier;
    RefreshPreferences preferences;
    preferences.auto_rollback = true;
    if (launch_first) preferences.min_healthy_percentage = 100;
    const Time began = tier.world.now;
    ASSERT_TRUE(tier.start(3, preferences).ok());
    ASSERT_TRUE(tier.run());
    EXPECT_EQ(tier.refresh().status, RefreshStatus::kRollbackSuccessful) << tier.refresh().status_reason;
    EXPECT_GE(tier.world.now - began, 1h) << "an hour without progress";
    EXPECT_TRUE(tier.refresh().rollback->reason.starts_with("The refresh made no progress"))
        << tier.refresh().rollback->reason;
    EXPECT_EQ(tier.of_version(1), 2);
    EXPECT_EQ(tier.group().settings.launch_template.version, "1");
    EXPECT_GE(tier.least, launch_first ? 2u : 1u) << "the last old one is never touched";
    ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
  }
}

TEST(RegionRefresh, AFailedOneLeavesAMixedFleetAndTheOldTemplate) {
  Tier tier;
  ASSERT_TRUE(tier.start(3).ok());
  ASSERT_TRUE(tier.run());
  EXPECT_EQ(tier.refresh().status, RefreshStatus::kFailed);
  EXPECT_EQ(tier.group().settings.launch_template.version, "1");
  // What never became healthy is replaced for its health, now from the old template.
  ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady() && tier.of_version(1) == 2; }, 1h));
}

TEST(RegionRefresh, TheUserRollsItBackFromAnyMoment) {
  for (int seconds = 0; seconds <= 200; seconds += 20) {
    for (const bool launch_first : {false, true}) {
      Tier tier(static_cast<std::uint64_t>(seconds) + 1);
      RefreshPreferences preferences;
      if (launch_first) preferences.min_healthy_percentage = 100;
      ASSERT_TRUE(tier.start(2, preferences).ok());
      tier.world.run_for(seconds * 1s);
      if (tier.ended()) continue;
      ASSERT_TRUE(tier.world.command(RollbackInstanceRefresh{"web"}).ok());
      EXPECT_TRUE(
          error_of(tier.world.command(RollbackInstanceRefresh{"web"})).starts_with("ActiveInstanceRefreshNotFound"));
      ASSERT_TRUE(tier.run(1h)) << seconds;
      EXPECT_EQ(tier.refresh().status, RefreshStatus::kRollbackSuccessful) << tier.refresh().status_reason;
      EXPECT_EQ(tier.of_version(1), 2) << seconds;
      EXPECT_EQ(tier.group().settings.launch_template.version, "1");
      EXPECT_GE(tier.least, launch_first ? 2u : 1u) << seconds;
      ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
    }
  }
}

TEST(RegionRefresh, CancellingUndoesNothing) {
  for (const bool waits : {true, false}) {
    Tier tier(3, 4);
    ASSERT_TRUE(tier.start(2).ok());
    ASSERT_TRUE(tier.world.run_until([&] { return tier.refresh().percentage_complete == 25; }));
    tier.world.run_for(5s);  // the second batch is under way
    ASSERT_TRUE(tier.world.command(CancelInstanceRefresh{"web", waits}).ok());
    EXPECT_EQ(tier.refresh().status, waits ? RefreshStatus::kCancelling : RefreshStatus::kCancelled);
    ASSERT_TRUE(tier.run(10min));
    EXPECT_EQ(tier.refresh().status, RefreshStatus::kCancelled);
    EXPECT_EQ(tier.refresh().status_reason, "Cancelled by the user.");
    EXPECT_EQ(tier.of_version(2), 2) << "one of the first batch and the one under way";
    EXPECT_EQ(tier.group().settings.launch_template.version, "1");
    ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
    EXPECT_EQ(tier.of_version(2), 2);
  }
}

TEST(RegionRefresh, AScaleOutMeanwhileUsesTheDesiredConfiguration) {
  Tier tier;
  ASSERT_TRUE(tier.start(2).ok());
  tier.world.run_for(5s);
  ASSERT_TRUE(tier.world.command(SetDesiredCapacity{"web", 4}).ok());
  ASSERT_TRUE(tier.run());
  EXPECT_EQ(tier.refresh().status, RefreshStatus::kSuccessful);
  EXPECT_EQ(tier.of_version(2), 4);
  EXPECT_EQ(tier.refresh().total, 2) << "those launched meanwhile need no replacement";
}

TEST(RegionRefresh, AZoneThatDiesMeanwhileOnlyDelaysIt) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Tier tier(seed);
    ASSERT_TRUE(tier.start(2).ok());
    tier.world.run_for(10s * static_cast<int>(seed));
    tier.world.cut_power(kB);
    tier.world.run_for(10min);
    tier.world.restore_power(kB);
    ASSERT_TRUE(tier.run()) << "seed " << seed;
    EXPECT_EQ(tier.refresh().status, RefreshStatus::kSuccessful) << tier.refresh().status_reason;
    EXPECT_EQ(tier.of_version(1), 0);
    ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
    EXPECT_EQ(tier.of_version(2), 2);
  }
}

TEST(RegionRefresh, WithSkipMatchingAVersionPublishedMeanwhileReplacesFinishedOnesAgain) {
  Tier tier;
  RefreshPreferences preferences;
  preferences.skip_matching = true;
  ASSERT_TRUE(tier.world.command(CreateLaunchTemplateVersion{"web", tier.world.add_image("four"), ""}).ok());
  ASSERT_TRUE(
      tier.world.command(StartInstanceRefresh{"web", LaunchTemplateSpecification{"web", "$Latest"}, preferences}).ok());
  ASSERT_TRUE(tier.world.run_until([&] { return tier.refresh().percentage_complete == 50; }));
  ASSERT_TRUE(tier.world.command(CreateLaunchTemplateVersion{"web", tier.world.add_image("five"), ""}).ok());
  ASSERT_TRUE(tier.run());
  EXPECT_EQ(tier.refresh().status, RefreshStatus::kSuccessful);
  EXPECT_EQ(tier.of_version(5), 2);
  // At 50 % the replacement of the second one has begun, from the version that was the latest then.
  EXPECT_EQ(tier.refresh().total, 4) << "both of them twice";
}

TEST(RegionRefresh, TheMaintenancePolicyGivesTheDefaults) {
  Tier tier;
  GroupSettings group = tier.group().settings;
  group.maintenance_policy = InstanceMaintenancePolicy{100, 150};
  ASSERT_TRUE(tier.world.command(UpdateAutoScalingGroup{group}).ok());
  ASSERT_TRUE(tier.start(2).ok());
  EXPECT_EQ(tier.refresh().min_healthy_percentage, 100);
  EXPECT_EQ(tier.refresh().max_healthy_percentage, 150);
  ASSERT_TRUE(tier.run());
  EXPECT_EQ(tier.least, 2u);
}

}  // namespace
}  // namespace rr::sim
