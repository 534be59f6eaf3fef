// Instances that leave a group and come back, are protected, wait for hooks; processes that are suspended. Against a
// world in memory.
#include <gtest/gtest.h>

#include "sim/cloud/activity.h"
#include "sim/cloud/region.h"
#include "tests/sim/cloud/toy_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const ZoneName kA("eu-west-1a");
const ZoneName kB("eu-west-1b");

std::unique_ptr<ToyWorld> steady_world(int desired = 2, const std::function<void(GroupSettings&)>& how = {},
                                       std::uint64_t seed = 1) {
  const RegionSettings settings = toy_settings();
  auto world = std::make_unique<ToyWorld>(settings, seed);
  GroupSettings group = toy_group(settings);
  if (how) how(group);
  world->build(group, desired);
  EXPECT_TRUE(world->run_until([&] { return world->steady(); }));
  world->run_for(2min);
  return world;
}

const Group& group_of(const ToyWorld& world) { return world.state().groups.at("web"); }
const Instance& at(const ToyWorld& world, const InstanceId& id) { return world.state().instances.at(id); }

std::size_t registered(const ToyWorld& world) {
  return world.balancers.at("lb-eu-west-1a").configuration.targets.of("web").size();
}

const ScalingActivity& activity(const ToyWorld& world, const std::string& description) {
  static const ScalingActivity kNone;
  for (const ScalingActivity& one : world.state().activities) {
    if (one.description == description) return one;
  }
  ADD_FAILURE() << description;
  return kNone;
}

bool reaches(ToyWorld& world, const InstanceId& id, LifecycleState state, Duration limit = 5min) {
  return world.run_until([&] { return world.state().instances.at(id).lifecycle == state; }, limit);
}

// Standby -------------------------------------------------------------------------------------------------------------

TEST(Standby, AnInstanceLeavesTheBalancerAndComesBack) {
  auto world = steady_world(3);
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(EnterStandby{{id}, true}).ok());
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kEnteringStandby);
  EXPECT_EQ(registered(*world), 2u) << "out of the load balancer at once";
  EXPECT_EQ(group_of(*world).desired_capacity, 2);
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kStandby));
  const ScalingActivity& out = activity(*world, "Moving EC2 instance to Standby: " + id.value);
  EXPECT_EQ(out.status_code, "Successful");
  EXPECT_TRUE(out.cause.ends_with("instance " + id.value +
                                  " was moved to standby in response to a user request, "
                                  "shrinking the capacity from 3 to 2."))
      << out.cause;
  EXPECT_EQ(*out.ended - out.started, 30s) << "the deregistration delay";
  world->hang(id);
  world->run_for(10min);
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kStandby) << "nobody checks it there";
  EXPECT_TRUE(at(*world, id).healthy);
  EXPECT_EQ(world->live().size(), 2u);
  world->unhang_all();
  ASSERT_TRUE(world->command(ExitStandby{{id}}).ok());
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kInService);
  EXPECT_EQ(at(*world, id).in_service_at, world->now) << "the grace period begins again";
  EXPECT_EQ(group_of(*world).desired_capacity, 3);
  EXPECT_TRUE(
      activity(*world, "Moving EC2 instance out of Standby: " + id.value)
          .cause.ends_with("was moved out of standby in response to a user request, increasing the capacity from "
                           "2 to 3."));
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
}

TEST(Standby, WithoutDecrementItIsReplaced) {
  auto world = steady_world(2);
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(EnterStandby{{id}, false}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kStandby));
  ASSERT_TRUE(world->run_until([&] { return world->in_service().size() == 2; }));
  ASSERT_TRUE(world->command(ExitStandby{{id}}).ok());
  EXPECT_EQ(group_of(*world).desired_capacity, 3);
}

TEST(Standby, IsRefusedWhereItDoesNotFit) {
  auto world = steady_world(2);
  const InstanceId id = world->in_service().front()->id;
  const InstanceId other = world->in_service().back()->id;
  EXPECT_EQ(error_of(world->command(EnterStandby{{id}, true})),
            "ValidationError: New SetDesiredCapacity value 1 is below min value 2 for the AutoScalingGroup.");
  EXPECT_TRUE(error_of(world->command(EnterStandby{{}, false})).starts_with("ValidationError: InstanceIds: 0"));
  EXPECT_TRUE(error_of(world->command(EnterStandby{std::vector(21, id), false})).starts_with("ValidationError: "));
  EXPECT_TRUE(error_of(world->command(EnterStandby{{id, id}, false})).starts_with("ValidationError: "));
  EXPECT_TRUE(error_of(world->command(EnterStandby{{other, InstanceId("i-none")}, false})).find("i-none") !=
              std::string::npos);
  EXPECT_EQ(at(*world, other).lifecycle, LifecycleState::kInService) << "nothing half-applied";
  EXPECT_TRUE(error_of(world->command(ExitStandby{{id}})).find("is in the state InService, not in Standby") !=
              std::string::npos);
  EXPECT_TRUE(error_of(world->command(AttachInstances{"web", {id}})).find("not in Detached") != std::string::npos);
}

TEST(Standby, WhatStoppedThereIsReplacedWhenItComesBack) {
  auto world = steady_world(3);
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(EnterStandby{{id}, true}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kStandby));
  world->kill(id);
  world->run_for(1min);
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kStandby);
  ASSERT_TRUE(world->command(ExitStandby{{id}}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminated));
  ASSERT_TRUE(world->run_until([&] { return world->steady() && world->in_service().size() == 3; }));
}

TEST(Standby, AnInstanceRefreshWaitsForItOrEndsItOrLeavesIt) {
  for (const StandbyInstances choice :
       {StandbyInstances::kWait, StandbyInstances::kTerminate, StandbyInstances::kIgnore}) {
    auto world = steady_world(3);
    const InstanceId id = world->in_service().front()->id;
    ASSERT_TRUE(world->command(EnterStandby{{id}, true}).ok());
    ASSERT_TRUE(reaches(*world, id, LifecycleState::kStandby));
    ASSERT_TRUE(world->command(CreateLaunchTemplateVersion{"web", world->add_image("two"), ""}).ok());
    RefreshPreferences preferences;
    preferences.standby_instances = choice;
    const StartInstanceRefresh start{"web", LaunchTemplateSpecification{"web", "2"}, preferences};
    ASSERT_TRUE(world->command(start).ok());
    world->run_for(20min);
    const RefreshState& refresh = group_of(*world).refreshes.back();
    if (choice == StandbyInstances::kWait) {
      EXPECT_EQ(refresh.status, RefreshStatus::kInProgress);
      EXPECT_EQ(refresh.status_reason,
                "Waiting for instances to leave standby. For example: " + id.value + " is in standby.");
      ASSERT_TRUE(world->command(ExitStandby{{id}}).ok());
      ASSERT_TRUE(world->run_until([&] { return !is_active(refresh.status); }));
      EXPECT_NE(at(*world, id).lifecycle, LifecycleState::kInService) << "it came back and was replaced";
    }
    EXPECT_EQ(refresh.status, RefreshStatus::kSuccessful);
    if (choice == StandbyInstances::kWait) continue;
    const bool ended = choice == StandbyInstances::kTerminate;
    EXPECT_EQ(at(*world, id).lifecycle, ended ? LifecycleState::kTerminated : LifecycleState::kStandby);
  }
}

TEST(Standby, WhatComesBackDuringARefreshIsReplacedOnce) {
  auto world = steady_world(3);
  ASSERT_TRUE(world->command(CreateLaunchTemplateVersion{"web", world->add_image("two"), ""}).ok());
  RefreshPreferences preferences;
  preferences.min_healthy_percentage = 0;  // all that is left goes in one batch, which one leaves room in
  preferences.scale_in_protected_instances = ScaleInProtectedInstances::kIgnore;
  ASSERT_TRUE(world->command(SetInstanceProtection{{world->in_service().back()->id}, true}).ok());
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kInstanceRefresh}}).ok());
  const StartInstanceRefresh start{"web", LaunchTemplateSpecification{"web", "2"}, preferences};
  ASSERT_TRUE(world->command(start).ok());
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(EnterStandby{{id}, true}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kStandby));
  const RefreshState& refresh = group_of(*world).refreshes.back();
  EXPECT_EQ(refresh.total, 2) << "it is not the refresh's to replace while it is away";
  ASSERT_TRUE(world->command(ExitStandby{{id}}).ok());
  EXPECT_EQ(refresh.total, 3);
  world->run_for(2min);
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  ASSERT_TRUE(world->run_until([&] { return !is_active(refresh.status); }));
  EXPECT_EQ(refresh.status, RefreshStatus::kSuccessful);
  const std::vector<std::string> commits = world->running_commits();
  EXPECT_EQ(std::count(commits.begin(), commits.end(), "two"), 2);
  EXPECT_EQ(commits.size(), 3u);
}

// Detach and attach ---------------------------------------------------------------------------------------------------

TEST(Detach, TheInstanceGoesOnRunningOutsideAndCanComeBack) {
  auto world = steady_world(3);
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(DetachInstances{{id}, true}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kDetached));
  EXPECT_TRUE(world->machines.at(id).running);
  EXPECT_EQ(registered(*world), 2u);
  EXPECT_TRUE(activity(*world, "Detaching EC2 instance: " + id.value)
                  .cause.ends_with("was detached in response to a user request, shrinking the capacity from 3 to 2."));
  EXPECT_TRUE(error_of(world->command(TerminateInstanceInAutoScalingGroup{id, false})).starts_with("ValidationError: "))
      << "it is none of the group's";
  world->run_for(10min);
  EXPECT_TRUE(world->machines.at(id).running);
  ASSERT_TRUE(world->command(AttachInstances{"web", {id}}).ok());
  EXPECT_EQ(group_of(*world).desired_capacity, 3);
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kInService);
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 4}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  const InstanceId more = world->in_service().front()->id;
  ASSERT_TRUE(world->command(DetachInstances{{more}, false}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->in_service().size() == 4; }));
  ASSERT_TRUE(reaches(*world, more, LifecycleState::kDetached));
  EXPECT_EQ(error_of(world->command(AttachInstances{"web", {more}})),
            "ValidationError: New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.");
  world->kill(more);
  ASSERT_TRUE(reaches(*world, more, LifecycleState::kTerminated));
}

// Protection ----------------------------------------------------------------------------------------------------------

TEST(Protection, WhatIsProtectedIsNoVictimAndTheHistorySaysSoOnce) {
  auto world = steady_world(3, [](GroupSettings& group) { group.new_instances_protected_from_scale_in = true; });
  for (const Instance* instance : world->in_service()) EXPECT_TRUE(instance->protected_from_scale_in);
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 2}).ok());
  world->run_for(10min);
  EXPECT_EQ(world->in_service().size(), 3u) << "nobody may be ended";
  EXPECT_EQ(group_of(*world).desired_capacity, 2) << "but so many are desired";
  int said = 0;
  for (const ScalingActivity& one : world->state().activities) said += one.status_message == kAllProtected;
  EXPECT_EQ(said, 1);
  const InstanceId id = world->in_service().back()->id;
  ASSERT_TRUE(world->command(SetInstanceProtection{{id}, false}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminated));
  const InstanceId other = world->in_service().front()->id;
  ASSERT_TRUE(world->command(SetInstanceHealth{other, false, false}).ok());
  EXPECT_EQ(at(*world, other).lifecycle, LifecycleState::kTerminating) << "no protection against bad health";
}

// Hooks ---------------------------------------------------------------------------------------------------------------

LifecycleHook hook_of(LifecycleTransition transition,
                      LifecycleActionResult otherwise = LifecycleActionResult::kAbandon) {
  return {.name = "wait", .transition = transition, .heartbeat_timeout = 300s, .default_result = otherwise};
}

const Instance* waiting(const ToyWorld& world, LifecycleState state) {
  for (const auto& [id, instance] : world.state().instances) {
    if (instance.lifecycle == state) return &instance;
  }
  return nullptr;
}

TEST(Hooks, ALaunchWaitsUnregisteredUntilItIsCompleted) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook_of(LifecycleTransition::kLaunching)}).ok());
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 3}).ok());
  ASSERT_TRUE(world->run_until([&] { return waiting(*world, LifecycleState::kPendingWait) != nullptr; }, 1min));
  const InstanceId id = waiting(*world, LifecycleState::kPendingWait)->id;
  EXPECT_EQ(registered(*world), 2u) << "registered at the end of the hook";
  EXPECT_EQ(activity(*world, "Launching a new EC2 instance: " + id.value).status_code, "MidLifecycleAction");
  world->run_for(290s);
  ASSERT_TRUE(world->command(RecordLifecycleActionHeartbeat{"web", "wait", id, ""}).ok());
  world->run_for(290s);
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kPendingWait) << "the heartbeat began the time-out again";
  const std::string token = at(*world, id).lifecycle_actions.at("wait").token;
  EXPECT_EQ(token.size(), 36u);
  const CompleteLifecycleAction complete{"web", "wait", LifecycleActionResult::kContinue, InstanceId(), token};
  ASSERT_TRUE(world->command(complete).ok());
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kInService);
  EXPECT_TRUE(
      error_of(world->command(complete)).starts_with("ValidationError: No active Lifecycle Action found with "));
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
}

TEST(Hooks, AnAbandonedLaunchIsEndedAndReplaced) {
  for (const bool in_time : {true, false}) {
    auto world = steady_world(2);
    ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook_of(LifecycleTransition::kLaunching)}).ok());
    ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 3}).ok());
    ASSERT_TRUE(world->run_until([&] { return waiting(*world, LifecycleState::kPendingWait) != nullptr; }, 1min));
    const InstanceId id = waiting(*world, LifecycleState::kPendingWait)->id;
    if (in_time) {
      ASSERT_TRUE(world->command(CompleteLifecycleAction{"web", "wait", LifecycleActionResult::kAbandon, id, ""}).ok());
    } else {
      world->run_for(300s);  // the default result is ABANDON
    }
    ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminated));
    const ScalingActivity& launch = activity(*world, "Launching a new EC2 instance: " + id.value);
    EXPECT_EQ(launch.status_code, "Failed");
    EXPECT_TRUE(launch.status_message.ends_with(" was abandoned: Lifecycle Action Completed with ABANDON Result"));
    EXPECT_EQ(world->live().size() + (waiting(*world, LifecycleState::kPendingWait) != nullptr ? 1 : 0), 3u)
        << "another one is on its way";
    ASSERT_TRUE(world->command(DeleteLifecycleHook{"web", "wait"}).ok());
    ASSERT_TRUE(world->run_until([&] { return world->steady() && world->in_service().size() == 3; }));
  }
}

TEST(Hooks, ATerminationWaitsAfterItHasDrained) {
  for (const LifecycleActionResult result : {LifecycleActionResult::kContinue, LifecycleActionResult::kAbandon}) {
    auto world = steady_world(2);
    ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook_of(LifecycleTransition::kTerminating)}).ok());
    const InstanceId id = world->in_service().front()->id;
    ASSERT_TRUE(world->command(TerminateInstanceInAutoScalingGroup{id, false}).ok());
    world->run_for(29s);
    EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kTerminating) << "it drains";
    world->run_for(1s);
    EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kTerminatingWait);
    EXPECT_TRUE(world->machines.at(id).running);
    world->run_for(60s);
    ASSERT_TRUE(world->command(CompleteLifecycleAction{"web", "wait", result, id, ""}).ok());
    ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminated, 5s)) << "whatever the result";
    ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  }
}

TEST(Hooks, AreNotRunForStandbyDetachAndTheWayBack) {
  auto world = steady_world(3);
  LifecycleHook end = hook_of(LifecycleTransition::kTerminating);
  end.name = "end";
  ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook_of(LifecycleTransition::kLaunching)}).ok());
  ASSERT_TRUE(world->command(PutLifecycleHook{"web", end}).ok());
  const InstanceId one = world->in_service().front()->id;
  ASSERT_TRUE(world->command(EnterStandby{{one}, true}).ok());
  ASSERT_TRUE(reaches(*world, one, LifecycleState::kStandby));
  ASSERT_TRUE(world->command(ExitStandby{{one}}).ok());
  EXPECT_EQ(at(*world, one).lifecycle, LifecycleState::kInService);
  ASSERT_TRUE(world->command(DetachInstances{{one}, true}).ok());
  ASSERT_TRUE(reaches(*world, one, LifecycleState::kDetached));
  ASSERT_TRUE(world->command(AttachInstances{"web", {one}}).ok());
  EXPECT_EQ(at(*world, one).lifecycle, LifecycleState::kInService);
  EXPECT_TRUE(at(*world, one).lifecycle_actions.empty());
}

TEST(Hooks, WhatStopsWhileItWaitsIsGone) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook_of(LifecycleTransition::kTerminating)}).ok());
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(TerminateInstanceInAutoScalingGroup{id, false}).ok());
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminatingWait));
  world->kill(id);
  ASSERT_TRUE(reaches(*world, id, LifecycleState::kTerminated, 1s));
}

TEST(Hooks, FieldsOutOfRangeAreRefused) {
  auto world = steady_world(2);
  LifecycleHook hook = hook_of(LifecycleTransition::kLaunching);
  for (const Duration heartbeat : {Duration(29s), Duration(7'201s)}) {
    hook.heartbeat_timeout = heartbeat;
    EXPECT_TRUE(
        error_of(world->command(PutLifecycleHook{"web", hook})).starts_with("ValidationError: HeartbeatTimeout"));
  }
  hook.heartbeat_timeout = 30s;
  for (const std::string& name : {std::string(), std::string("a b"), std::string(256, 'a')}) {
    hook.name = name;
    EXPECT_TRUE(
        error_of(world->command(PutLifecycleHook{"web", hook})).starts_with("ValidationError: LifecycleHookName"));
  }
  for (int i = 0; i < 50; ++i) {
    hook.name = "hook/" + std::to_string(i);
    ASSERT_TRUE(world->command(PutLifecycleHook{"web", hook}).ok());
  }
  hook.name = "one-more";
  EXPECT_TRUE(error_of(world->command(PutLifecycleHook{"web", hook})).starts_with("LimitExceeded: "));
  EXPECT_TRUE(error_of(world->command(DeleteLifecycleHook{"web", "none"})).starts_with("ValidationError: "));
  EXPECT_TRUE(error_of(world->command(PutLifecycleHook{"none", hook})).starts_with("ValidationError: "));
}

// Processes -----------------------------------------------------------------------------------------------------------

TEST(Suspended, LaunchStillEndsTheUnhealthyAndReplacesAtResume) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kLaunch}}).ok());
  const InstanceId id = world->in_service().front()->id;
  world->kill(id);
  world->run_for(10min);
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kTerminated);
  EXPECT_EQ(world->live().size(), 1u);
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  EXPECT_EQ(world->live().size(), 2u) << "at once";
  EXPECT_TRUE(world->state().activities.back().cause.ends_with("an unhealthy instance needing to be replaced."));
}

TEST(Suspended, TerminateLeavesTheMarkedAndTheSurplus) {
  auto world = steady_world(3);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kTerminate}}).ok());
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(SetInstanceHealth{id, false, false}).ok());
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 2}).ok());
  world->run_for(10min);
  EXPECT_EQ(world->in_service().size(), 3u);
  EXPECT_FALSE(at(*world, id).healthy) << "marked, not replaced";
  ASSERT_TRUE(world->command(SetInstanceHealth{id, true, false}).ok());
  EXPECT_TRUE(at(*world, id).healthy) << "and can be healthy again";
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {ScalingProcess::kTerminate}}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady() && world->in_service().size() == 2; }));
}

TEST(Suspended, HealthCheckAndReplaceUnhealthy) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kHealthCheck}}).ok());
  const InstanceId id = world->in_service().front()->id;
  world->kill(id);
  world->run_for(10min);
  EXPECT_TRUE(at(*world, id).healthy);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kReplaceUnhealthy}}).ok());
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {ScalingProcess::kHealthCheck}}).ok());
  world->run_for(1min);
  EXPECT_FALSE(at(*world, id).healthy) << "marked at the next sweep";
  EXPECT_EQ(at(*world, id).lifecycle, LifecycleState::kInService) << "but not replaced";
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
}

TEST(Suspended, AddToLoadBalancerIsNotDoneLater) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kAddToLoadBalancer}}).ok());
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 3}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->in_service().size() == 3; }));
  EXPECT_EQ(registered(*world), 2u);
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  world->run_for(10min);
  EXPECT_EQ(registered(*world), 2u);
  EXPECT_EQ(world->in_service().size(), 3u);
}

TEST(Suspended, AZRebalance) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kAZRebalance}}).ok());
  world->cut_power(kB);
  ASSERT_TRUE(world->run_until([&] { return world->live_in(kA) == 2 && world->in_service().size() == 2; }));
  world->restore_power(kB);
  world->run_for(20min);
  EXPECT_EQ(world->live_in(kA), 2);
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
}

TEST(Suspended, AnInstanceRefreshIsPausedNotCancelled) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(CreateLaunchTemplateVersion{"web", world->add_image("two"), ""}).ok());
  ASSERT_TRUE(world->command(StartInstanceRefresh{"web", LaunchTemplateSpecification{"web", "2"}, {}}).ok());
  world->run_for(10s);
  ASSERT_TRUE(world->command(SuspendProcesses{"web", {ScalingProcess::kInstanceRefresh}}).ok());
  world->run_for(3h);
  const RefreshState& refresh = group_of(*world).refreshes.back();
  EXPECT_EQ(refresh.status, RefreshStatus::kInProgress) << "not failed for lack of progress";
  ASSERT_TRUE(world->command(ResumeProcesses{"web", {}}).ok());
  ASSERT_TRUE(world->run_until([&] { return !is_active(refresh.status); }));
  EXPECT_EQ(refresh.status, RefreshStatus::kSuccessful);
}

// Zones, maintenance policy, cooldown ---------------------------------------------------------------------------------

TEST(Zones, BalancedOnlyKeepsTryingTheZoneThatRefuses) {
  auto world = steady_world(2, [](GroupSettings& group) {
    group.capacity_distribution_strategy = CapacityDistributionStrategy::kBalancedOnly;
  });
  world->cut_power(kB);
  world->run_for(20min);
  EXPECT_EQ(world->in_service().size(), 1u) << "under the desired capacity, but balanced";
  EXPECT_EQ(world->live_in(kA), 1);
  world->restore_power(kB);
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }, 10min));
}

TEST(MaintenancePolicy, AHundredPercentLaunchesBeforeItTerminates) {
  for (const bool policy : {false, true}) {
    auto world = steady_world(2, [&](GroupSettings& group) {
      if (policy) group.maintenance_policy = InstanceMaintenancePolicy{100, 150};
    });
    std::size_t least = 2;
    std::size_t most = 2;
    world->invariant = [&] {
      least = std::min(least, world->in_service().size());
      most = std::max(most, world->live().size());
    };
    const InstanceId hung = world->in_service().front()->id;
    world->hang(hung);
    ASSERT_TRUE(reaches(*world, hung, LifecycleState::kTerminated, 20min));
    ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
    EXPECT_EQ(least, policy ? 2u : 1u);
    EXPECT_EQ(most, policy ? 3u : 2u);
    // What does not run any more is replaced at once, whatever the policy.
    const InstanceId dead = world->in_service().front()->id;
    world->kill(dead);
    world->run_for(100ms);
    EXPECT_EQ(at(*world, dead).lifecycle, LifecycleState::kTerminated);
    ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  }
}

TEST(Cooldown, IsHonoredWhenItIsAskedFor) {
  auto world = steady_world(2);
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 3, true}).ok());
  world->run_for(299s);
  EXPECT_TRUE(error_of(world->command(SetDesiredCapacity{"web", 4, true})).starts_with("ScalingActivityInProgress: "));
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 3, false}).ok()) << "not by default";
  world->run_for(1s);
  EXPECT_TRUE(world->command(SetDesiredCapacity{"web", 4, true}).ok());
}

}  // namespace
}  // namespace rr::sim
