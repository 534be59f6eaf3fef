// Alarms, scaling policies and scheduled actions in a region, against a world in memory.
#include <gtest/gtest.h>

#include "sim/cloud/region.h"
#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

struct Tier {
  ToyWorld world;

  explicit Tier(int desired = 2) : world(toy_settings(), 1) {
    world.build(desired);
    EXPECT_TRUE(world.run_until([&] { return world.steady(); }));
    world.run_for(2min);
  }
  const Group& group() const { return world.state().groups.at("web"); }
  /// One period with that value.
  void period(std::optional<double> value, Metric metric = Metric::kRequestCountPerTarget) {
    world.run_for(kMetricPeriod);
    world.region.apply(world.now, MetricReported{"web", metric, value});
    world.settle();
  }
  AlarmStateValue state_of(const std::string& alarm) const { return world.state().alarms.at(alarm).state; }
};

ScalingPolicy tracking(double target) {
  ScalingPolicy policy{.name = "track", .group = "web"};
  policy.target_value = target;
  return policy;
}

AlarmSettings errors_alarm() {
  return {.name = "errors", .group = "web", .metric = Metric::kElb5xxCount, .threshold = 10};
}

TEST(RegionScaling, TargetTrackingFollowsTheLoad) {
  Tier tier;
  ASSERT_TRUE(tier.world.command(PutScalingPolicy{tracking(100)}).ok());
  ASSERT_EQ(tier.world.state().alarms.size(), 2u);
  for (int i = 0; i < 2; ++i) tier.period(180);
  EXPECT_EQ(tier.group().desired_capacity, 2) << "three periods make the alarm";
  tier.period(180);
  EXPECT_EQ(tier.group().desired_capacity, 4) << "2 x 180 / 100 = 3.6";
  const std::string& cause = tier.world.state().activities.back().cause;
  EXPECT_NE(cause.find("a monitor alarm TargetTracking-web-AlarmHigh-"), std::string::npos) << cause;
  EXPECT_NE(cause.find(" in state ALARM triggered policy track changing the desired capacity from 2 to 4.  At "),
            std::string::npos)
      << cause;
  ASSERT_TRUE(tier.world.run_until([&] { return tier.world.steady(); }));
  for (int i = 0; i < 14; ++i) tier.period(20);
  EXPECT_EQ(tier.group().desired_capacity, 4);
  tier.period(20);
  EXPECT_EQ(tier.group().desired_capacity, 3) << "gradually, after fifteen periods";
  ASSERT_TRUE(tier.world.command(DeletePolicy{"track"}).ok());
  EXPECT_TRUE(tier.world.state().alarms.empty()) << "with its alarms";
}

TEST(RegionScaling, SuspendedAlarmNotificationsInvokeNoPolicy) {
  Tier tier;
  ASSERT_TRUE(tier.world.command(PutScalingPolicy{tracking(100)}).ok());
  ASSERT_TRUE(tier.world.command(SuspendProcesses{"web", {ScalingProcess::kAlarmNotification}}).ok());
  for (int i = 0; i < 5; ++i) tier.period(180);
  EXPECT_EQ(tier.group().desired_capacity, 2);
  ASSERT_TRUE(tier.world.command(ResumeProcesses{"web", {}}).ok());
  tier.period(180);
  EXPECT_EQ(tier.group().desired_capacity, 4) << "an alarm that is still in breach is considered";
}

TEST(RegionScaling, StepAndSimplePolicies) {
  Tier tier;
  ASSERT_TRUE(tier.world.command(PutMetricAlarm{errors_alarm()}).ok());
  ScalingPolicy steps{.name = "out", .group = "web", .type = PolicyType::kStepScaling};
  steps.alarm = "errors";
  steps.step_adjustments = {{0, 100, 1}, {100, std::nullopt, 2}};
  ASSERT_TRUE(tier.world.command(PutScalingPolicy{steps}).ok());
  tier.period(50, Metric::kElb5xxCount);
  EXPECT_EQ(tier.group().desired_capacity, 3);
  tier.period(500, Metric::kElb5xxCount);
  EXPECT_EQ(tier.group().desired_capacity, 4) << "the maximum";
  EXPECT_TRUE(error_of(tier.world.command(ExecutePolicy{"out", false, {}, {}})).starts_with("ValidationError: "));
  ScalingPolicy simple{.name = "in", .group = "web", .type = PolicyType::kSimpleScaling};
  simple.scaling_adjustment = -1;
  ASSERT_TRUE(tier.world.command(PutScalingPolicy{simple}).ok());
  EXPECT_TRUE(
      error_of(tier.world.command(ExecutePolicy{"in", true, {}, {}})).starts_with("ScalingActivityInProgress: "));
  EXPECT_EQ(tier.world.command(ExecutePolicy{"in", false, {}, {}})->number, 3);
  tier.world.run_for(300s);
  EXPECT_EQ(tier.world.command(ExecutePolicy{"in", true, {}, {}})->number, 2) << "after the cooldown";
}

TEST(RegionScaling, AnAlarmFailsAnInstanceRefreshAndRollsItBack) {
  Tier tier;
  ASSERT_TRUE(tier.world.command(PutMetricAlarm{errors_alarm()}).ok());
  GroupSettings pinned = tier.group().settings;
  pinned.launch_template.version = "1";
  ASSERT_TRUE(tier.world.command(UpdateAutoScalingGroup{pinned}).ok());
  ASSERT_TRUE(tier.world.command(CreateLaunchTemplateVersion{"web", tier.world.add_image("two"), ""}).ok());
  RefreshPreferences preferences;
  preferences.alarms = {"none"};
  const LaunchTemplateSpecification to{"web", "2"};
  EXPECT_TRUE(error_of(tier.world.command(StartInstanceRefresh{"web", to, preferences})).find("does not exist") !=
              std::string::npos);
  preferences.alarms = {"errors"};
  preferences.auto_rollback = true;
  preferences.bake_time = 30min;
  ASSERT_TRUE(tier.world.command(StartInstanceRefresh{"web", to, preferences}).ok());
  const RefreshState& refresh = tier.group().refreshes.back();
  EXPECT_TRUE(error_of(tier.world.command(DeleteAlarm{"errors"})).starts_with("ValidationError: "));
  ASSERT_TRUE(tier.world.run_until([&] { return refresh.status == RefreshStatus::kBaking; }));
  tier.period(11, Metric::kElb5xxCount);
  EXPECT_EQ(refresh.status, RefreshStatus::kRollbackInProgress);
  EXPECT_EQ(refresh.rollback->reason, "The alarm errors is in the ALARM state.");
  EXPECT_EQ(refresh.rollback->percentage_complete, 100);
  tier.period(std::nullopt, Metric::kElb5xxCount);
  ASSERT_TRUE(tier.world.run_until([&] { return !is_active(refresh.status); }));
  EXPECT_EQ(refresh.status, RefreshStatus::kRollbackSuccessful);
  EXPECT_EQ(tier.world.running_commits(), (std::vector<std::string>{"one", "one"}));
  ASSERT_TRUE(tier.world.command(DeleteAlarm{"errors"}).ok());
}

TEST(RegionScaling, AnAlarmsStateCanBeSetByHand) {
  Tier tier;
  ASSERT_TRUE(tier.world.command(PutMetricAlarm{errors_alarm()}).ok());
  EXPECT_EQ(tier.state_of("errors"), AlarmStateValue::kInsufficientData);
  ASSERT_TRUE(tier.world.command(SetAlarmState{"errors", AlarmStateValue::kAlarm, "a drill"}).ok());
  EXPECT_EQ(tier.state_of("errors"), AlarmStateValue::kAlarm);
  tier.period(0, Metric::kElb5xxCount);
  EXPECT_EQ(tier.state_of("errors"), AlarmStateValue::kOk) << "until its next period";
  EXPECT_TRUE(
      error_of(tier.world.command(SetAlarmState{"none", AlarmStateValue::kOk, ""})).starts_with("ResourceNotFound"));
}

TEST(RegionScaling, ScheduledActionsAreDoneOnTimeOnceOrAgain) {
  Tier tier;
  ScheduledAction once{.name = "once", .group = "web"};
  once.start_time = tier.world.now + 10min;
  once.desired_capacity = 4;
  ASSERT_TRUE(tier.world.command(PutScheduledUpdateGroupAction{once}).ok());
  tier.world.run_for(10min - 1ms);
  EXPECT_EQ(tier.group().desired_capacity, 2);
  tier.world.run_for(1ms);
  EXPECT_EQ(tier.group().desired_capacity, 4);
  EXPECT_NE(tier.world.state().activities.back().cause.find(
                "a scheduled action update of AutoScalingGroup constraints to min: 2, max: 4, desired: 4 changing the "
                "desired capacity from 2 to 4."),
            std::string::npos);
  EXPECT_TRUE(tier.world.state().scheduled_actions.empty()) << "done, once and for all";

  ScheduledAction often{.name = "often", .group = "web"};
  often.recurrence = "0 * * * *";
  often.min_size = 1;
  often.max_size = 3;
  ASSERT_TRUE(tier.world.command(PutScheduledUpdateGroupAction{often}).ok());
  ASSERT_TRUE(tier.world.command(SuspendProcesses{"web", {ScalingProcess::kScheduledActions}}).ok());
  tier.world.run_for(1h);
  EXPECT_EQ(tier.group().settings.max_size, 4) << "skipped";
  ASSERT_TRUE(tier.world.command(ResumeProcesses{"web", {}}).ok());
  EXPECT_EQ(tier.group().settings.max_size, 4) << "not done later";
  tier.world.run_for(1h);
  EXPECT_EQ(tier.group().settings.min_size, 1);
  EXPECT_EQ(tier.group().desired_capacity, 3) << "within the new bounds";
  ASSERT_TRUE(tier.world.command(DeleteScheduledAction{"often"}).ok());
}

TEST(RegionScaling, WhatMakesNoSenseIsRefused) {
  Tier tier;
  ScheduledAction action{.name = "a", .group = "web"};
  const auto refused = [&](const std::function<void(ScheduledAction&)>& how) {
    ScheduledAction one = action;
    how(one);
    return error_of(tier.world.command(PutScheduledUpdateGroupAction{one}));
  };
  using A = ScheduledAction;
  for (const auto& how : std::vector<std::function<void(A&)>>{
           [](A& a) { a.recurrence = "* * * * *"; },  // changes nothing
           [](A& a) { a.desired_capacity = 2; },      // never
           [&](A& a) { a.desired_capacity = 2, a.start_time = tier.world.now; },
           [](A& a) { a.desired_capacity = -1, a.recurrence = "* * * * *"; },
           [](A& a) { a.desired_capacity = 2, a.recurrence = "every day"; },
           [](A& a) { a.min_size = 3, a.max_size = 2, a.recurrence = "* * * * *"; },
           [](A& a) { a.desired_capacity = 2, a.recurrence = "* * * * *", a.name = ""; },
           [](A& a) { a.desired_capacity = 2, a.recurrence = "* * * * *", a.group = "none"; }}) {
    EXPECT_TRUE(refused(how).starts_with("ValidationError: ")) << refused(how);
  }
  EXPECT_TRUE(tier.world.state().scheduled_actions.empty());
  EXPECT_TRUE(error_of(tier.world.command(DeleteScheduledAction{"a"})).starts_with("ValidationError: "));
  EXPECT_TRUE(error_of(tier.world.command(PutScalingPolicy{tracking(0)})).starts_with("ValidationError: TargetValue"));
  ScalingPolicy simple{.name = "p", .group = "web", .type = PolicyType::kSimpleScaling, .alarm = "none"};
  EXPECT_TRUE(error_of(tier.world.command(PutScalingPolicy{simple})).starts_with("ResourceNotFound"));
  EXPECT_TRUE(error_of(tier.world.command(DeletePolicy{"none"})).starts_with("ValidationError: PolicyName not found"));
  EXPECT_TRUE(error_of(tier.world.command(DeleteAlarm{"none"})).starts_with("ResourceNotFound"));
  AlarmSettings alarm = errors_alarm();
  alarm.name = "TargetTracking-mine";
  EXPECT_TRUE(error_of(tier.world.command(PutMetricAlarm{alarm})).starts_with("ValidationError: AlarmName"));
}

}  // namespace
}  // namespace rr::sim
