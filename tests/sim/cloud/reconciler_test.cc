// One look at a group: what it plans, by tables.
#include "sim/cloud/reconciler.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::hours(500'000)};
const ZoneName kA("a");
const ZoneName kB("b");

/// A group over zones a and b, whose instances are added one by one.
struct Fixture {
  Group group;
  std::map<InstanceId, Instance> instances;
  GroupCounts counts;
  Rng rng{1};
  Duration lifetime{};
  bool refreshes = false;

  explicit Fixture(int desired, int max = 4) {
    group.settings.zones = {kA, kB};
    group.settings.min_size = 0;
    group.settings.max_size = max;
    group.desired_capacity = desired;
  }
  Instance& add(const ZoneName& zone, const std::function<void(Instance&)>& how = {}) {
    Instance instance;
    instance.id = InstanceId("i-" + std::to_string(instances.size()));
    instance.zone = zone;
    instance.template_name = "web";
    instance.template_version = 1;
    instance.lifecycle = LifecycleState::kInService;
    instance.ec2 = InstanceState::kRunning;
    instance.settled_at = kNow - 1h;
    instance.launched = kNow - 10min - 1s * static_cast<int>(instances.size());
    if (how) how(instance);
    counts.count(instance, 1);
    return instances.emplace(instance.id, instance).first->second;
  }
  Plan plan() {
    return reconcile({.group = group,
                      .instances = instances,
                      .counts = counts,
                      .current = {"web", 1},
                      .hour = 1h,
                      .lifetime = lifetime,
                      .rebalance_suspended = refreshes},
                     kNow, rng);
  }
};

void pending(Instance& instance) {
  instance.lifecycle = LifecycleState::kPending;
  instance.ec2 = InstanceState::kPending;
  instance.settled_at.reset();
}
void by_load_balancer(Instance& instance) {
  instance.healthy = false;
  instance.end_reason = ChangeReason::kElbHealthCheck;
}
void stopped(Instance& instance) {
  instance.healthy = false;
  instance.end_reason = ChangeReason::kEc2HealthCheck;
  instance.ec2 = InstanceState::kStopped;
}
void trial(Instance& instance) {
  pending(instance);
  instance.launch_reason = ChangeReason::kRebalance;
}

std::vector<ZoneName> launched_in(const Plan& plan) {
  std::vector<ZoneName> zones;
  for (const Plan::Launch& launch : plan.launch) zones.push_back(launch.zone);
  return zones;
}

TEST(Reconciler, ASteadyGroupNeedsNothing) {
  Fixture fixture(2);
  fixture.add(kA);
  fixture.add(kB);
  EXPECT_EQ(fixture.plan(), Plan{});
  EXPECT_EQ(fixture.rng, Rng(1));
}

TEST(Reconciler, LaunchesEachIntoTheEmptiestZone) {
  Fixture fixture(4);
  fixture.add(kA);
  EXPECT_EQ(launched_in(fixture.plan()), (std::vector<ZoneName>{kB, kA, kB}));
  fixture.group.refused_until[kB] = kNow + 15s;
  const Plan plan = fixture.plan();
  EXPECT_EQ(launched_in(plan), (std::vector<ZoneName>{kA, kA, kA}));
  fixture.group.refused_until[kA] = kNow + 10s;
  EXPECT_TRUE(fixture.plan().launch.empty());
  EXPECT_EQ(fixture.plan().look_at, kNow + 10s) << "when the first zone may be tried again";
}

TEST(Reconciler, WhatStoppedIsReplacedAtOnceWithoutThrottle) {
  Fixture fixture(4);
  for (const ZoneName& zone : {kA, kA, kB, kB}) fixture.add(zone, stopped);
  const Plan plan = fixture.plan();
  ASSERT_EQ(plan.terminate.size(), 4u);
  ASSERT_EQ(plan.launch.size(), 4u);
  for (const Plan::Launch& launch : plan.launch) EXPECT_EQ(launch.reason, ChangeReason::kReplaceUnhealthy);
}

TEST(Reconciler, ReplacementsThatFindNoZoneAreOwed) {
  Fixture fixture(2);
  fixture.add(kA);
  fixture.add(kB, stopped);
  fixture.group.refused_until = {{kA, kNow + 5s}, {kB, kNow + 5s}};
  EXPECT_EQ(fixture.plan().replacements_owed, 1);
}

TEST(Reconciler, TheLoadBalancersFindingsAreReplacedTenPercentAtATime) {
  struct Case {
    int desired;
    int unhealthy;
    int unsettled;
    int expected;
  };
  for (const Case& c : {Case{2, 1, 0, 1}, Case{2, 2, 0, 1}, Case{4, 3, 0, 1}, Case{4, 2, 1, 0}, Case{10, 5, 0, 1},
                        Case{20, 5, 0, 2}, Case{20, 5, 1, 1}, Case{20, 5, 2, 0}, Case{40, 30, 0, 4}}) {
    Fixture fixture(c.desired, 100);
    for (int i = 0; i < c.desired; ++i) {
      const bool bad = i < c.unhealthy;
      const bool unsettled = !bad && i < c.unhealthy + c.unsettled;
      fixture.add(i % 2 == 0 ? kA : kB, bad ? by_load_balancer : unsettled ? pending : nullptr);
    }
    const Plan plan = fixture.plan();
    EXPECT_EQ(static_cast<int>(plan.terminate.size()), c.expected)
        << c.desired << " " << c.unhealthy << " " << c.unsettled;
    EXPECT_EQ(plan.launch.size(), plan.terminate.size());
  }
}

TEST(Reconciler, TheLastOneInServiceStaysButAGroupOfOneIsReplaced) {
  Fixture two(2);
  two.add(kA, by_load_balancer);
  two.group.refused_until = {{kA, kNow + 5s}, {kB, kNow + 5s}};
  EXPECT_TRUE(two.plan().terminate.empty());
  Fixture one(1);
  one.add(kA, by_load_balancer);
  EXPECT_EQ(one.plan().terminate.size(), 1u);
}

TEST(Reconciler, AboveDesiredUnhealthyOnesGoFirstAndAreNotReplaced) {
  Fixture fixture(2);
  fixture.add(kA);
  fixture.add(kA);
  fixture.add(kB, by_load_balancer);
  const Plan plan = fixture.plan();
  ASSERT_EQ(plan.terminate.size(), 1u);
  EXPECT_EQ(plan.terminate.front().instance, InstanceId("i-2"));
  EXPECT_TRUE(plan.launch.empty());
}

TEST(Reconciler, VictimsAreInTheFullestZoneAndShareOneCause) {
  Fixture fixture(2);
  for (const ZoneName& zone : {kA, kA, kA, kB}) fixture.add(zone);
  const Plan plan = fixture.plan();
  ASSERT_EQ(plan.terminate.size(), 2u);
  for (const Plan::Terminate& item : plan.terminate) {
    EXPECT_EQ(fixture.instances.at(item.instance).zone, kA);
    EXPECT_NE(item.cause.find("shrinking the capacity from 4 to 2."), std::string::npos);
    EXPECT_EQ(item.cause, plan.terminate.front().cause);
  }
}

TEST(Reconciler, ProtectedInstancesAreNoVictims) {
  Fixture fixture(1);
  fixture.add(kA, [](Instance& i) { i.protected_from_scale_in = true; });
  fixture.add(kA, [](Instance& i) { i.protected_from_scale_in = true; });
  fixture.add(kB);
  const Plan plan = fixture.plan();
  ASSERT_EQ(plan.terminate.size(), 1u);
  EXPECT_EQ(plan.terminate.front().instance, InstanceId("i-2"));
}

TEST(Reconciler, BalancesByLaunchingFirstEvenAboveTheMaximum) {
  Fixture fixture(2, 2);
  fixture.add(kA);
  fixture.add(kA);
  const Plan plan = fixture.plan();
  EXPECT_TRUE(plan.terminate.empty());
  ASSERT_EQ(launched_in(plan), (std::vector<ZoneName>{kB}));
  EXPECT_EQ(plan.launch.front().reason, ChangeReason::kRebalance);
  fixture.add(kB, trial);
  EXPECT_EQ(fixture.plan(), Plan{}) << "a trial is no excess before it has settled";
}

TEST(Reconciler, ASettledTrialEndsOneInTheFullerZone) {
  Fixture fixture(2, 2);
  fixture.add(kA);
  fixture.add(kA);
  fixture.add(kB, [](Instance& i) { i.launch_reason = ChangeReason::kRebalance; });
  fixture.group.rebalance_surplus = 1;
  const Plan plan = fixture.plan();
  ASSERT_EQ(plan.terminate.size(), 1u);
  EXPECT_EQ(plan.terminate.front().reason, ChangeReason::kRebalance);
  EXPECT_EQ(fixture.instances.at(plan.terminate.front().instance).zone, kA);
  EXPECT_EQ(plan.rebalance_surplus, 0);
}

TEST(Reconciler, BalancesNotBeforeItsTimeAndNotWhileSomethingMoves) {
  Fixture fixture(2);
  fixture.add(kA);
  fixture.add(kA);
  fixture.group.refused_until[kB] = kNow + 20s;
  EXPECT_TRUE(fixture.plan().launch.empty());
  EXPECT_EQ(fixture.plan().look_at, kNow + 20s);
  fixture.group.next_rebalance = kNow + 30s;
  EXPECT_EQ(fixture.plan().look_at, kNow + 30s);
  fixture.group.refused_until.clear();
  EXPECT_EQ(fixture.plan().look_at, kNow + 30s);
  fixture.group.next_rebalance.reset();
  EXPECT_EQ(fixture.plan().launch.size(), 1u);
  fixture.counts.unsettled.insert(InstanceId("i-0"));
  EXPECT_TRUE(fixture.plan().launch.empty()) << "still settling";
}

TEST(Reconciler, AZoneThatRefusedGetsASingleTrial) {
  Fixture fixture(10, 40);
  for (int i = 0; i < 10; ++i) fixture.add(kA);
  EXPECT_EQ(fixture.plan().launch.size(), 5u) << "five moves balance ten";
  fixture.group.refused_until[kB] = kNow - 1s;
  EXPECT_EQ(fixture.plan().launch.size(), 1u);
}

// The fixture's instances were launched 10 min, 10 min 1 s, 10 min 2 s ... ago, the last one first.

TEST(Reconciler, WhatHasLivedForLongEnoughIsReplacedOneAtATimeTheOldestFirst) {
  Fixture f(3);
  for (const ZoneName& zone : {kA, kB, kA}) f.add(zone);
  f.lifetime = 10min;
  Plan plan = f.plan();
  ASSERT_EQ(plan.terminate.size(), 1u) << "a tenth of three, at least one";
  EXPECT_EQ(plan.terminate[0].instance, InstanceId("i-2"));
  EXPECT_EQ(plan.terminate[0].reason, ChangeReason::kMaxInstanceLifetime);
  EXPECT_NE(plan.terminate[0].cause.find("maximum instance lifetime"), std::string::npos);
  ASSERT_EQ(plan.launch.size(), 1u);
  EXPECT_EQ(plan.launch[0].zone, kA) << "where it is missed";
  EXPECT_EQ(plan.launch[0].reason, ChangeReason::kDesiredCapacity) << "nobody was ill";
  EXPECT_EQ(plan.replacements_owed, 0);
  // While one is on its way the next waits.
  f.add(kB, pending);
  f.group.desired_capacity = 4;
  plan = f.plan();
  EXPECT_TRUE(plan.terminate.empty());
  EXPECT_TRUE(plan.launch.empty());
}

TEST(Reconciler, TheNextLookIsWhenTheNextOneHasLivedForLongEnough) {
  Fixture f(2);
  f.add(kA);
  f.add(kB);
  EXPECT_FALSE(f.plan().look_at);
  f.lifetime = 1h;
  const Plan plan = f.plan();
  EXPECT_TRUE(plan.terminate.empty());
  EXPECT_EQ(plan.look_at, kNow - 10min - 1s + 1h);
}

TEST(Reconciler, TheIllGoBeforeTheOld) {
  Fixture f(2);
  f.lifetime = 1min;
  f.add(kA, by_load_balancer);
  f.add(kB);
  const Plan plan = f.plan();
  ASSERT_EQ(plan.terminate.size(), 1u);
  EXPECT_EQ(plan.terminate[0].reason, ChangeReason::kElbHealthCheck);
}

TEST(Reconciler, WithAMinimumOf100PercentTheNewComesBeforeTheOldGoes) {
  Fixture f(2);
  f.lifetime = 10min;
  f.group.settings.maintenance_policy = InstanceMaintenancePolicy{100, 150};
  f.add(kA);
  f.add(kB);
  Plan plan = f.plan();
  EXPECT_TRUE(plan.terminate.empty());
  ASSERT_EQ(plan.launch.size(), 1u) << "150 % of 2 is one more";
  EXPECT_EQ(plan.launch[0].reason, ChangeReason::kDesiredCapacity);
  f.add(kA, [](Instance& instance) { instance.launched = kNow - 1min; });
  plan = f.plan();
  ASSERT_EQ(plan.terminate.size(), 1u);
  EXPECT_EQ(plan.terminate[0].instance, InstanceId("i-1"))
      << "the oldest, not whom the termination policy would choose";
  EXPECT_EQ(plan.terminate[0].reason, ChangeReason::kMaxInstanceLifetime);
}

TEST(Reconciler, NobodyIsReplacedForHisAgeWhileARefreshCountsOnIt) {
  Fixture f(2);
  f.lifetime = 1min;
  f.add(kA);
  f.add(kB);
  f.refreshes = true;
  EXPECT_TRUE(f.plan().terminate.empty());
  f.refreshes = false;
  for (const ScalingProcess process : {ScalingProcess::kLaunch, ScalingProcess::kTerminate}) {
    f.group.suspended = {process};
    EXPECT_TRUE(f.plan().terminate.empty()) << to_string(process);
  }
}

}  // namespace
}  // namespace rr::sim
