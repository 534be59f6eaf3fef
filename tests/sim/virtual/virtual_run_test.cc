// The control plane over the virtual world: the same region and the same policies as with real processes.
#include <gtest/gtest.h>

#include "tests/sim/virtual/tier.h"

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

ClientSettings stream(int a_second) {
  ClientSettings clients;
  clients.between = Distribution::exponential(kSecond / a_second);
  clients.timeout = seconds(30);
  return clients;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST(VirtualRun, ATierComesIntoServiceAndServes) {
  Tier tier(1);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  // Launch 16.5 s, boot 2 s; then the nodes' next look.
  EXPECT_LT(tier.run.now(), kBeginning + seconds(35));
  const std::size_t clients = tier.world.add_clients(tier.run.now(), stream(50));
  tier.run.run_for(minutes(10));
  const ClientTally& tally = tier.world.tally(clients);
  EXPECT_NEAR(static_cast<double>(tally.offered), 30'000, 3 * 174);  // 3 sigma of a Poisson number
  EXPECT_EQ(tally.failed, 0u);
  EXPECT_EQ(tier.world.violations(), std::vector<std::string>{}) << joined(tier.world.violations());
  // Two links of 10 ms and two of at most 0.7 ms, and 10 ms of service on average.
  EXPECT_GT(tally.latency.percentile(0), std::chrono::microseconds(20'500));
  EXPECT_LT(tally.latency.mean(), std::chrono::milliseconds(60));
}

TEST(VirtualRun, TheSameSeedGoesTheSameWayAndAnotherAnother) {
  const auto digest = [](std::uint64_t seed) {
    Tier tier(seed);
    tier.build();
    tier.world.add_clients(tier.run.now(), stream(20));
    tier.run.at(kBeginning + minutes(2), [&](Time now) {
      EXPECT_TRUE(
          tier.world.inject(now, {FaultKind::kPowerLoss, {FaultTargetKind::kZone, "eu-west-1b"}, 1, minutes(4)}));
    });
    tier.run.run_for(minutes(12));
    const ClientTally& tally = tier.world.tally(0);
    return std::tuple(tier.journal.digest(), tally.ok, tally.failed, tally.latency.sum(),
                      tier.world.counters().happenings);
  };
  EXPECT_EQ(digest(7), digest(7));
  EXPECT_NE(digest(7), digest(8));
}

TEST(VirtualRun, AZoneIsLostAndComesBack) {
  Tier tier(3);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  const std::size_t clients = tier.world.add_clients(tier.run.now(), stream(50));
  tier.run.run_for(minutes(2));
  EXPECT_EQ(tier.world.tally(clients).failed, 0u);
  ASSERT_TRUE(tier.world.inject(tier.run.now(), {FaultKind::kPowerLoss, {FaultTargetKind::kZone, "eu-west-1b"}}));
  tier.run.run_for(minutes(5));
  // Everything runs in the other zone.
  EXPECT_EQ(tier.in_service(), 2);
  for (const InstanceId& id : tier.world.living()) EXPECT_EQ(tier.world.instance(id)->zone(), 0);
  const std::uint64_t lost = tier.world.tally(clients).failed;
  EXPECT_GT(lost, 0u);
  EXPECT_LT(lost, 50u * 60);
  ASSERT_TRUE(tier.world.heal(tier.run.now(), {FaultTargetKind::kZone, "eu-west-1b"}));
  tier.run.run_for(minutes(10));
  std::map<Place, int> by_zone;
  for (const InstanceId& id : tier.world.living()) ++by_zone[tier.world.instance(id)->zone()];
  EXPECT_EQ(by_zone, (std::map<Place, int>{{0, 1}, {1, 1}}));
  EXPECT_EQ(tier.world.violations(), std::vector<std::string>{}) << joined(tier.world.violations());
}

TEST(VirtualRun, AnInstanceRefreshLosesNothing) {
  Tier tier(5);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  const std::size_t clients = tier.world.add_clients(tier.run.now(), stream(50));
  tier.run.command(CreateLaunchTemplateVersion{"web", tier.add_image("two"), ""}).value();
  StartInstanceRefresh refresh;
  refresh.group = "web";
  refresh.desired_configuration = LaunchTemplateSpecification{"web", "2"};
  refresh.preferences.min_healthy_percentage = 100;
  refresh.preferences.max_healthy_percentage = 200;
  tier.run.command(refresh).value();
  ASSERT_TRUE(tier.run.run_until(tier.run.now() + minutes(20), [&] {
    return tier.region.state().groups.at("web").refreshes.back().status == RefreshStatus::kSuccessful;
  }));
  tier.run.run_for(minutes(2));
  for (const InstanceId& id : tier.world.living()) EXPECT_EQ(tier.world.instance(id)->commit, "two");
  EXPECT_EQ(tier.world.tally(clients).failed, 0u);
  EXPECT_EQ(tier.world.violations(), std::vector<std::string>{}) << joined(tier.world.violations());
}

TEST(VirtualRun, AHungInstanceIsReplaced) {
  Tier tier(6);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  tier.run.run_for(minutes(2));
  const InstanceId victim = tier.world.living().front();
  ASSERT_TRUE(tier.world.inject(tier.run.now(), {FaultKind::kHang, {FaultTargetKind::kInstance, victim.value}}));
  tier.run.run_for(minutes(4));
  EXPECT_TRUE(tier.settled(2));
  EXPECT_EQ(tier.world.instance(victim)->phase(), VirtualInstance::Phase::kStopped);
  EXPECT_TRUE(tier.world.faults().empty() || tier.world.faults().front().fault.target.name == victim.value);
}

// What is wrong with the policy is seen by the world's own ledger of what was listed and what was found healthy.
TEST(VirtualRun, APolicyThatPicksTheUnhealthyIsCaught) {
  Tier tier(7);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  tier.world.set_chooser([turn = 0u](Time, Rng&, BalancerGroup& group) mutable -> std::optional<TargetId> {
    const auto all = group.targets.status();
    return all.empty() ? std::nullopt : std::optional(all[turn++ % all.size()].target);
  });
  tier.world.add_clients(tier.run.now(), stream(20));
  tier.run.run_for(minutes(1));
  EXPECT_EQ(tier.world.violations(), std::vector<std::string>{});
  const InstanceId victim = tier.world.living().front();
  ASSERT_TRUE(tier.world.inject(tier.run.now(), {FaultKind::kHang, {FaultTargetKind::kInstance, victim.value}}));
  tier.run.run_for(minutes(2));
  ASSERT_FALSE(tier.world.violations().empty());
  EXPECT_NE(tier.world.violations().front().find(victim.value), std::string::npos);
}

// As with real processes: nobody hears of what is launched in a zone that stands still, and it is tried elsewhere.
TEST(VirtualRun, NothingIsLaunchedInAZoneThatStandsStill) {
  for (const FaultKind kind : {FaultKind::kHang, FaultKind::kPartition}) {
    Tier tier(12);
    tier.build();
    ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
    tier.run.run_for(minutes(2));
    ASSERT_TRUE(tier.world.inject(tier.run.now(), {kind, {FaultTargetKind::kZone, "eu-west-1b"}}));
    tier.run.command(SetDesiredCapacity{"web", 4, false}).value();
    const auto in_a = [&] {
      int count = 0;
      for (const auto& [id, one] : tier.region.state().instances) {
        count +=
            one.lifecycle == LifecycleState::kInService && one.settled_at && one.zone.value == "eu-west-1a" ? 1 : 0;
      }
      return count;
    };
    // What is partitioned still serves its own zone, and its node says so: it is not replaced.
    const int wanted = kind == FaultKind::kHang ? 4 : 3;
    EXPECT_TRUE(tier.run.run_until(tier.run.now() + minutes(10), [&] { return in_a() == wanted; })) << in_a();
    ASSERT_TRUE(tier.world.heal(tier.run.now(), {FaultTargetKind::kZone, "eu-west-1b"}));
    EXPECT_TRUE(tier.run.run_until(tier.run.now() + minutes(15), [&] { return tier.settled(4) && in_a() == 2; }));
    EXPECT_EQ(joined(tier.world.violations()), "");
  }
}

/// What the world says of losses that nothing explains.
std::vector<std::string> unexplained(const VirtualWorld& world) {
  std::vector<std::string> found;
  for (const std::string& one : world.violations()) {
    if (one.find("lost without a fault") != std::string::npos) found.push_back(one);
  }
  return found;
}

std::uint64_t failed_attempts(const ClientTally& tally) {
  std::uint64_t failed = tally.timed_out;
  for (const auto& [status, count] : tally.by_status) failed += status >= 200 && status < 500 ? 0 : count;
  return failed;
}

TEST(VirtualRun, EveryLossHasItsFault) {
  const struct {
    Fault fault;
    const char* why;
  } cases[] = {
      {{FaultKind::kPowerLoss, {FaultTargetKind::kZone, "eu-west-1b"}}, "power-loss eu-west-1b"},
      {{FaultKind::kHang, {FaultTargetKind::kZone, "eu-west-1b"}}, "hang eu-west-1b"},
      {{FaultKind::kPartition, {FaultTargetKind::kZone, "eu-west-1b"}}, "partition eu-west-1b"},
      {{FaultKind::kGray, {FaultTargetKind::kZone, "eu-west-1b"}, 30}, "gray eu-west-1b"},
      {{FaultKind::kBlackhole, {FaultTargetKind::kZone, "eu-west-1b"}}, "blackhole eu-west-1b"},
      {{FaultKind::kNodeLoss, {FaultTargetKind::kNode, "lb-eu-west-1b"}}, "node-loss lb-eu-west-1b"},
  };
  for (const auto& one : cases) {
    Tier tier(11);
    tier.build();
    ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
    ClientSettings clients = stream(20);
    clients.timeout = seconds(5);
    const std::size_t number = tier.world.add_clients(tier.run.now(), clients);
    tier.run.run_for(minutes(1));
    ASSERT_TRUE(tier.world.inject(tier.run.now(), one.fault));
    tier.run.run_for(minutes(3));
    EXPECT_EQ(joined(tier.world.violations()), "") << one.why;
    const std::vector<Loss> losses = tier.world.losses();
    ASSERT_EQ(losses.size(), 1u) << one.why;
    EXPECT_EQ(losses.front().why, one.why);
    EXPECT_GT(losses.front().attempts, 0u);
    EXPECT_EQ(losses.front().attempts, failed_attempts(tier.world.tally(number)));
  }
}

// It goes on giving requests to targets that were taken off its list, whose instances end. No fault is on.
TEST(VirtualRun, APolicyThatLosesRequestsWithoutAFaultIsCaught) {
  Tier tier(9);
  GroupSettings four = tier.group_settings();
  four.max_size = 4;
  tier.build(4, four);
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(4); }));
  tier.world.set_chooser([turn = 0u](Time, Rng&, BalancerGroup& group) mutable -> std::optional<TargetId> {
    const auto all = group.targets.status();  // those that drain among them
    return all.empty() ? std::nullopt : std::optional(all[turn++ % all.size()].target);
  });
  tier.world.add_clients(tier.run.now(), stream(50));
  tier.run.run_for(minutes(1));
  EXPECT_EQ(joined(unexplained(tier.world)), "");
  tier.run.command(SetDesiredCapacity{"web", 2, false}).value();
  tier.run.run_for(minutes(10));
  EXPECT_FALSE(tier.world.violations().empty());
  // Violations are kept up to a number; losses are counted whatever it is.
  std::uint64_t lost = 0;
  for (const Loss& loss : tier.world.losses()) lost += loss.blame.explains() ? 0 : loss.attempts;
  EXPECT_GT(lost, 0u);
}

// As above, over links of 120 ms, with a fault on the link of an instance that none of the lost requests went to.
TEST(VirtualRun, ASlowLinkWithoutAFaultExplainsNoLoss) {
  const auto lost = [](const InstanceId* slow) {
    VirtualWorldSettings in = world_settings(tier_settings());
    in.links.same_zone.latency = in.links.cross_zone.latency = std::chrono::milliseconds(120);
    Tier tier(9, tier_settings(), in);
    GroupSettings four = tier.group_settings();
    four.max_size = 4;
    tier.build(4, four);
    EXPECT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(4); }));
    tier.world.set_chooser([turn = 0u](Time, Rng&, BalancerGroup& group) mutable -> std::optional<TargetId> {
      const auto all = group.targets.status();  // those that drain among them
      return all.empty() ? std::nullopt : std::optional(all[turn++ % all.size()].target);
    });
    tier.world.add_clients(tier.run.now(), stream(50));
    if (slow != nullptr) {
      const Fault fault{FaultKind::kLatency, {FaultTargetKind::kInstance, slow->value}, 0.01};
      EXPECT_TRUE(tier.world.inject(tier.run.now(), fault).ok());
    }
    tier.run.command(SetDesiredCapacity{"web", 2, false}).value();
    tier.run.run_for(minutes(10));
    std::uint64_t unexplained = 0;
    for (const Loss& loss : tier.world.losses()) unexplained += loss.blame.explains() ? 0 : loss.attempts;
    return std::pair(unexplained, tier.world.living());
  };
  const auto [without, left] = lost(nullptr);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_GT(without, 0u);
  EXPECT_EQ(lost(&left.front()).first, without);
}

TEST(VirtualRun, APolicyThatFindsNobodyWhileTargetsAreHealthyIsCaught) {
  Tier tier(10);
  tier.build();
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  tier.world.add_clients(tier.run.now(), stream(50));
  tier.world.set_chooser([turn = 0](Time now, Rng& chance, BalancerGroup& group) mutable -> std::optional<TargetId> {
    return ++turn % 100 == 0 ? std::nullopt : group.targets.pick(now, chance);
  });
  tier.run.run_for(minutes(1));
  ASSERT_FALSE(unexplained(tier.world).empty());
  EXPECT_NE(unexplained(tier.world).front().find("status 503"), std::string::npos) << unexplained(tier.world).front();
}

// What is measured is what the clients do, and the group follows it.
TEST(VirtualRun, TargetTrackingFollowsTheLoad) {
  Tier tier(11);
  GroupSettings group = tier.group_settings();
  group.max_size = 6;
  tier.build(2, group);
  ASSERT_TRUE(tier.run.run_until(kBeginning + minutes(3), [&] { return tier.settled(2); }));
  ScalingPolicy policy{.name = "tracking", .group = "web"};
  policy.target_value = 1'000;
  tier.run.command(PutScalingPolicy{policy}).value();
  tier.run.report_metrics();
  tier.world.add_clients(tier.run.now(), stream(60));
  // 3,600 requests a minute are 1,800 for each of two: 2 x 1.8 = 3.6, so four, after three minutes above the target.
  EXPECT_TRUE(tier.run.run_until(tier.run.now() + minutes(6), [&] { return tier.settled(4); }));
  tier.run.run_for(minutes(10));
  EXPECT_TRUE(tier.settled(4)) << "900 for each is within a tenth of the target";
}

TEST(VirtualRun, NobodyIsToldOfMetricsWhileTheControlPlaneIsOut) {
  Tier tier(12);
  tier.build();
  AlarmSettings alarm{.name = "own-errors", .group = "web"};
  alarm.metric = Metric::kElb5xxCount;
  tier.run.command(PutMetricAlarm{alarm}).value();
  tier.run.report_metrics();
  tier.world.add_clients(tier.run.now(), stream(10));  // nothing is there yet: 503
  tier.run.run_for(seconds(61));
  const Alarm& known = tier.region.state().alarms.at("own-errors");
  EXPECT_EQ(known.state, AlarmStateValue::kAlarm);
  ASSERT_TRUE(tier.world.inject(tier.run.now(), {FaultKind::kOutage, {FaultTargetKind::kControlPlane, ""}, 1, {}}));
  tier.run.run_for(minutes(5));
  EXPECT_EQ(known.state, AlarmStateValue::kAlarm);
  ASSERT_TRUE(tier.world.heal(tier.run.now(), {FaultTargetKind::kControlPlane, ""}));
  tier.run.run_for(minutes(2));
  EXPECT_NE(known.state, AlarmStateValue::kAlarm) << "it has served well meanwhile";
}

TEST(VirtualWorld, RefusesFaultsOnWhatDoesNotExist) {
  Tier tier(8);
  tier.build();
  tier.run.run_for(minutes(2));
  const auto refused = [&](Fault fault) { return tier.world.inject(tier.run.now(), fault).error().message; };
  EXPECT_EQ(refused({FaultKind::kHang, {FaultTargetKind::kZone, "eu-west-1z"}}), "there is no zone 'eu-west-1z'");
  EXPECT_EQ(refused({FaultKind::kCrash, {FaultTargetKind::kInstance, "i-0"}}), "there is no running instance 'i-0'");
  EXPECT_EQ(tier.world.heal(tier.run.now(), {FaultTargetKind::kZone, "eu-west-1a"}).error().message,
            "'eu-west-1a' has no fault to heal");
}

}  // namespace
}  // namespace rr::sim
