// The region as a whole, against a world in memory.
#include "sim/cloud/region.h"

#include <gtest/gtest.h>

#include "tests/sim/cloud/steady_world.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

template <class What>
std::vector<What> performed(const ToyWorld& world) {
  std::vector<What> found;
  for (const Action& action : world.performed) {
    if (const auto* what = std::get_if<What>(&action)) found.push_back(*what);
  }
  return found;
}

const ScalingActivity* last_activity(const ToyWorld& world, const std::string& in_cause) {
  const ScalingActivity* found = nullptr;
  for (const ScalingActivity& activity : world.state().activities) {
    if (activity.cause.find(in_cause) != std::string::npos) found = &activity;
  }
  return found;
}

TEST(Region, ANewGroupStartsOneInstanceInEachZone) {
  ToyWorld world(toy_settings(), 1);
  world.build();
  EXPECT_EQ(world.live().size(), 2u);
  EXPECT_EQ(world.in_service().size(), 0u);
  EXPECT_TRUE(performed<LaunchInstance>(world).empty()) << "EC2 pending comes first";
  world.run_for(16'499ms);
  EXPECT_TRUE(performed<LaunchInstance>(world).empty());
  world.run_for(1ms);
  EXPECT_EQ(performed<LaunchInstance>(world).size(), 2u) << "after the launch time of 16.5 s";
  ASSERT_TRUE(world.run_until([&] { return world.in_service().size() == 2; }, 1s)) << "without waiting for health";
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }, 2min));
  EXPECT_EQ(world.live_in(kA), 1);
  EXPECT_EQ(world.live_in(kB), 1);
  EXPECT_EQ(world.in_service().front()->host_name,
            "ip-172-31-" + std::string(world.in_service().front()->zone == kA ? "0-10" : "16-10"));
  for (const auto& [name, node] : world.state().nodes) EXPECT_TRUE(node.in_dns) << name;
  for (const auto& [name, node] : world.balancers) {
    EXPECT_EQ(node.configuration.targets.of("web").size(), 2u) << name;
    EXPECT_TRUE(node.configuration.accepting) << name;
  }
}

TEST(Region, AnIdenticalConfigurationIsNotSentAgain) {
  auto world = steady_world();
  const auto before = performed<ConfigureNode>(*world).size();
  world->run_for(1h);
  EXPECT_EQ(performed<ConfigureNode>(*world).size(), before);
  std::map<std::string, std::uint64_t> last;
  for (const ConfigureNode& sent : performed<ConfigureNode>(*world)) {
    EXPECT_GT(sent.generation, last[sent.node]);
    last[sent.node] = sent.generation;
  }
}

TEST(Region, AZoneLosesPowerAndComesBack) {
  auto world = steady_world();
  world->cut_power(kB);
  ASSERT_TRUE(world->run_until([&] { return world->in_service().size() == 2 && world->live_in(kA) == 2; }, 5min));
  const ScalingActivity* failed = nullptr;
  for (const ScalingActivity& activity : world->state().activities) {
    if (activity.status_code == "Failed") failed = &activity;
  }
  ASSERT_NE(failed, nullptr) << "the emptiest zone, which is the dead one, is tried first";
  EXPECT_EQ(failed->zone, kB);
  EXPECT_NE(failed->status_message.find("(eu-west-1b)"), std::string::npos) << failed->status_message;
  EXPECT_NE(failed->status_message.find("or choosing eu-west-1a. Launching EC2 instance failed."), std::string::npos);
  EXPECT_TRUE(failed->description.starts_with("Launching a new EC2 instance.  Status Reason: We currently do not"));
  EXPECT_NE(last_activity(*world, "EC2 health check indicating it has been terminated or stopped"), nullptr);
  EXPECT_NE(last_activity(*world, "an unhealthy instance needing to be replaced"), nullptr);

  world->run_for(10min);
  EXPECT_EQ(world->live_in(kA), 2) << "trial launches fail and leave everything as it is";
  EXPECT_EQ(world->in_service().size(), 2u);
  EXPECT_FALSE(world->state().nodes.at("lb-eu-west-1b").in_dns);
  EXPECT_TRUE(world->state().nodes.at("lb-eu-west-1a").in_dns);

  std::size_t least = 2;
  std::size_t most = 2;
  world->restore_power(kB);
  world->invariant = [&] {
    least = std::min(least, world->in_service().size());
    most = std::max(most, world->live().size());
  };
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }, 5min));
  EXPECT_EQ(least, 2u) << "launch before terminate";
  EXPECT_EQ(most, 3u);
  EXPECT_TRUE(world->state().nodes.at("lb-eu-west-1b").in_dns);
  const ScalingActivity* ended = last_activity(*world, "shrinking the capacity from 3 to 2");
  ASSERT_NE(ended, nullptr);
  EXPECT_NE(ended->cause.find("instances were launched to balance instances in zones eu-west-1a eu-west-1b with other "
                              "zones resulting in more than desired number of instances in the group."),
            std::string::npos)
      << ended->cause;
}

TEST(Region, BalanceEndsTheSurplusOnlyWhenTheNewOneIsHealthyAndWarm) {
  RegionSettings settings = toy_settings();
  GroupSettings group = toy_group(settings);
  group.default_instance_warmup = 70s;
  ToyWorld world(settings, 4);
  world.build(group, 2);
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
  world.cut_power(kB);
  ASSERT_TRUE(world.run_until([&] { return world.live_in(kA) == 2 && world.in_service().size() == 2; }));
  world.run_for(3min);
  world.restore_power(kB);
  ASSERT_TRUE(world.run_until([&] { return world.in_service().size() == 3; }));
  Time in_service;
  InstanceId trial;
  for (const Instance* instance : world.in_service()) {
    if (instance->zone == kB) in_service = *instance->in_service_at, trial = instance->id;
  }
  ASSERT_TRUE(world.run_until([&] { return world.in_service().size() == 2; }));
  EXPECT_GE(world.now, in_service + 70s);
  ASSERT_TRUE(world.state().instances.at(trial).first_healthy_at.has_value());
  EXPECT_EQ(world.live_in(kA), 1);
}

TEST(Region, AHungInstanceIsReplacedAtASweepAfterTheGracePeriod) {
  auto world = steady_world();
  const InstanceId hung = world->in_service().front()->id;
  const Time began = world->now;
  world->hang(hung);
  ASSERT_TRUE(world->run_until([&] { return !world->state().instances.at(hung).healthy; }, 2min));
  // Two failures 10 s apart, then a sweep within 10 s, and up to 10 s before the first check.
  EXPECT_LE(world->now - began, 31s);
  EXPECT_EQ(world->state().instances.at(hung).end_reason, ChangeReason::kElbHealthCheck);
  EXPECT_EQ(world->state().instances.at(hung).lifecycle, LifecycleState::kTerminating);
  EXPECT_EQ(world->live().size(), 2u) << "its replacement is launched while it still drains";
  EXPECT_EQ(world->live_in(world->state().instances.at(hung).zone), 1) << "in the zone that it leaves";
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  EXPECT_EQ(world->state().instances.at(hung).lifecycle, LifecycleState::kTerminated);
}

TEST(Region, InTheGracePeriodOnlyAStopCounts) {
  RegionSettings settings = toy_settings();
  GroupSettings group = toy_group(settings);
  group.health_check_grace_period = 20min;
  ToyWorld world(settings, 1);
  world.build(group, 2);
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
  const InstanceId first = world.in_service().front()->id;
  const InstanceId second = world.in_service().back()->id;
  world.hang(first);
  world.run_for(10min);
  EXPECT_TRUE(world.state().instances.at(first).healthy);
  world.kill(second);
  ASSERT_TRUE(world.run_until(
      [&] { return world.state().instances.at(second).lifecycle == LifecycleState::kTerminated; }, 100ms));
  EXPECT_EQ(world.live().size(), 2u) << "replaced at once";
}

TEST(Region, WhenAllAreUnhealthyTheyAreReplacedOneAtATime) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto world = steady_world(toy_settings(), seed, 4);
    std::vector<InstanceId> before;
    for (const Instance* instance : world->in_service()) before.push_back(instance->id);
    for (const InstanceId& id : before) world->hang(id);
    world->invariant = [&] { EXPECT_GE(world->in_service().size(), 3u) << "seed " << seed; };
    const auto none_is_left = [&] {
      return std::none_of(before.begin(), before.end(), [&](const InstanceId& id) {
        const auto found = world->state().instances.find(id);
        return found != world->state().instances.end() && found->second.lifecycle == LifecycleState::kInService;
      });
    };
    ASSERT_TRUE(world->run_until([&] { return none_is_left() && world->steady(); }, 30min)) << "seed " << seed;
  }
}

TEST(Region, TheLastInstanceInServiceIsNotEndedForItsHealth) {
  auto world = steady_world();
  world->broken_commits.insert("one");  // whatever is launched will not be healthy either
  world->invariant = [&] { EXPECT_GE(world->in_service().size(), 1u); };
  world->run_for(1h);
}

TEST(Region, ReportsThatAreOutOfDateReplaceNobody) {
  auto world = steady_world();
  for (const auto& [name, node] : world->state().nodes) world->hang_node(name);
  for (const Instance* instance : world->in_service()) world->hang(instance->id);
  const auto terminated = performed<TerminateInstance>(*world).size();
  world->run_for(30min);
  EXPECT_EQ(performed<TerminateInstance>(*world).size(), terminated);
  for (const auto& [id, health] : world->state().target_health) {
    EXPECT_TRUE(health.stale);
    EXPECT_EQ(health.health.state, TargetState::kHealthy) << "the last that was known";
  }
}

TEST(Region, AfterItsLifetimeEveryInstanceIsReplacedAndOneIsAlwaysInService) {
  const RegionSettings settings = toy_settings();
  GroupSettings group = toy_group(settings);
  group.max_instance_lifetime = 86'400s;
  ToyWorld world(settings, 1);
  world.build(group, 2);
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
  std::set<InstanceId> first;
  for (const Instance* instance : world.in_service()) first.insert(instance->id);
  world.run_for(23h);
  for (const Instance* instance : world.in_service()) EXPECT_TRUE(first.contains(instance->id));
  world.invariant = [&] { EXPECT_GE(world.in_service().size(), 1u); };
  world.run_for(2h);
  EXPECT_TRUE(world.steady());
  for (const Instance* instance : world.in_service()) EXPECT_FALSE(first.contains(instance->id));
  EXPECT_NE(last_activity(world, "maximum instance lifetime"), nullptr);
  // Out of range: AWS's least is a day, and 0 means none.
  for (const auto& [lifetime, fits] :
       {std::pair<Duration, bool>{86'399s, false}, {86'400s, true}, {0s, true}, {-1s, false}}) {
    group.max_instance_lifetime = lifetime;
    EXPECT_EQ(world.command(UpdateAutoScalingGroup{group}).ok(), fits) << format_duration(lifetime);
  }
}

TEST(Region, WhatANodeVouchesForAgainIsOutOfDateNoMore) {
  auto world = steady_world();
  for (const auto& [name, node] : world->state().nodes) world->hang_node(name);
  world->run_for(30min);
  for (const auto& [id, health] : world->state().target_health) EXPECT_TRUE(health.stale);
  for (const auto& [name, node] : world->state().nodes) {
    world->region.apply(world->now, TargetHealthReported{name, {}, true});
  }
  world->run_for(10s);  // the group's next look
  for (const auto& [id, health] : world->state().target_health) EXPECT_FALSE(health.stale);
  world->run_for(20s);  // two intervals of 10 s later they are out of date once more, and the next look sees it
  EXPECT_TRUE(world->run_until([&] { return world->state().target_health.begin()->second.stale; }, 11s));
}

TEST(Region, AnOldReportOfAnUnhealthyTargetReplacesNobodyEither) {
  const RegionSettings settings = toy_settings();
  GroupSettings group = toy_group(settings);
  group.health_check_grace_period = 10min;
  ToyWorld world(settings, 1);
  world.build(group, 2);
  ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
  const InstanceId hung = world.in_service().front()->id;
  world.hang(hung);
  ASSERT_TRUE(
      world.run_until([&] { return world.state().target_health.at(hung).health.state == TargetState::kUnhealthy; }));
  for (const auto& [name, node] : world.state().nodes) world.hang_node(name);
  world.run_for(30min);  // the grace period ends, but nobody has seen the target for long
  EXPECT_TRUE(world.state().instances.at(hung).healthy);
  EXPECT_TRUE(world.state().target_health.at(hung).stale);
  for (auto& [name, node] : world.balancers) node.hung = false;
  ASSERT_TRUE(world.run_until([&] { return !world.state().instances.at(hung).healthy; }, 2min)) << "now somebody has";
}

TEST(Region, AHungNodeLeavesDnsAndComesBackByItsThreshold) {
  auto world = steady_world();
  const std::string name = "lb-eu-west-1b";
  world->hang_node(name);
  const Time began = world->now;
  ASSERT_TRUE(world->run_until([&] { return !world->state().nodes.at(name).in_dns; }, 2min));
  // Up to 10 s to the next check, two checks 10 s apart, 4 s for the second one's time-out.
  EXPECT_LE(world->now - began, 10s + 10s + 4s);
  EXPECT_TRUE(world->state().nodes.at("lb-eu-west-1a").in_dns);
  world->unhang_all();
  const Time healed = world->now;
  ASSERT_TRUE(world->run_until([&] { return world->state().nodes.at(name).in_dns; }, 2min));
  EXPECT_GT(world->now - healed, 10s) << "two successes in a row";
}

TEST(Region, WithAllNodesFailingAllStayInDns) {
  auto world = steady_world();
  for (const auto& [name, node] : world->state().nodes) world->hang_node(name);
  world->run_for(5min);
  for (const auto& [name, node] : world->state().nodes) {
    EXPECT_FALSE(node.passing) << name;
    EXPECT_TRUE(node.in_dns) << name;
  }
}

TEST(Region, ANodeWithoutPowerIsStartedAgainWithBackOff) {
  auto world = steady_world();
  world->cut_power(kB);
  world->performed.clear();
  world->run_for(10min);
  // 10, 20, 40 s and then every 60 s: 3 starts in the first 70 s, 8 or 9 in the remaining 530 s.
  const auto starts = performed<StartNode>(*world).size();
  EXPECT_GE(starts, 11u);
  EXPECT_LE(starts, 12u);
}

TEST(Region, ScaleOutAndInFollowTheDesiredCapacity) {
  auto world = steady_world();
  EXPECT_EQ(error_of(world->command(SetDesiredCapacity{"web", 5})),
            "ValidationError: New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.");
  EXPECT_EQ(error_of(world->command(SetDesiredCapacity{"web", 1})),
            "ValidationError: New SetDesiredCapacity value 1 is below min value 2 for the AutoScalingGroup.");
  EXPECT_TRUE(error_of(world->command(SetDesiredCapacity{"none", 2})).starts_with("ValidationError: "));
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 4}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady() && world->in_service().size() == 4; }));
  const ScalingActivity& launched = world->state().activities.back();
  EXPECT_NE(
      launched.cause.find("a user request explicitly set group desired capacity changing the desired capacity from 2 "
                          "to 4.  At "),
      std::string::npos)
      << launched.cause;
  EXPECT_NE(launched.cause.find("increasing the capacity from 2 to 4."), std::string::npos) << launched.cause;
  ASSERT_TRUE(world->command(SetDesiredCapacity{"web", 2}).ok());
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  EXPECT_EQ(world->live_in(kA), 1);
  EXPECT_NE(world->state().activities.back().cause.find("shrinking the capacity from 4 to 2."), std::string::npos);
}

TEST(Region, ATerminatingInstanceDrainsBeforeItIsStopped) {
  for (const bool when_drained : {false, true}) {
    RegionSettings settings = toy_settings();
    settings.terminate_when_drained = when_drained;
    auto world = steady_world(settings);
    const InstanceId leaving = world->in_service().front()->id;
    const Time began = world->now;
    ASSERT_TRUE(world->command(TerminateInstanceInAutoScalingGroup{leaving, false}).ok());
    EXPECT_EQ(world->state().instances.at(leaving).lifecycle, LifecycleState::kTerminating);
    for (const auto& [name, node] : world->balancers) {
      EXPECT_EQ(node.configuration.targets.of("web").size(), 1u) << "deregistered at once";
    }
    EXPECT_EQ(world->state().activities.at(world->state().activities.size() - 2).status_code,
              "WaitingForELBConnectionDraining");
    ASSERT_TRUE(world->run_until([&] { return world->state().instances.at(leaving).stop_requested; }));
    // The nodes say within 3 s that nothing is left; the deregistration delay is 30 s.
    if (when_drained) {
      EXPECT_LE(world->now - began, 3s);
    } else {
      EXPECT_EQ(world->now - began, 30s);
    }
    ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
    ASSERT_TRUE(world->run_until([&] { return !world->state().instances.contains(leaving); }, 2h));
  }
}

TEST(Region, NamesHaveTheCharactersThatAwsTakes) {
  auto world = steady_world();
  const ImageId image = world->add_image("two");
  for (const char* name : {"ab", "with space", "x@y", ""}) {
    EXPECT_EQ(world->command(CreateLaunchTemplate{name, image, ""}).error().code,
              "InvalidLaunchTemplateName.MalformedException")
        << name;
  }
  EXPECT_FALSE(world->command(CreateLaunchTemplate{std::string(129, 'a'), image, ""}).ok());
  EXPECT_TRUE(world->command(CreateLaunchTemplate{std::string(128, 'a'), image, ""}).ok());
  EXPECT_TRUE(world->command(CreateLaunchTemplate{"a(1).b-c/d_E", image, ""}).ok());
  GroupSettings group = world->state().groups.at("web").settings;
  for (const std::string& name :
       {std::string(), std::string("a:b"), std::string("a b"), std::string("\xc3\xa9"), std::string(256, 'a')}) {
    group.name = name;
    EXPECT_EQ(world->command(CreateAutoScalingGroup{group, 2}).error().code, "ValidationError") << name;
  }
  group.name = std::string(255, '~');
  EXPECT_TRUE(world->command(CreateAutoScalingGroup{group, 2}).ok());
}

TEST(Region, TerminateInstanceMayDecrementButNotBelowTheMinimum) {
  auto world = steady_world(toy_settings(), 1, 3);
  EXPECT_TRUE(world->command(TerminateInstanceInAutoScalingGroup{world->in_service().front()->id, true}).ok());
  EXPECT_EQ(world->state().groups.at("web").desired_capacity, 2);
  ASSERT_TRUE(world->run_until([&] { return world->steady(); }));
  EXPECT_TRUE(error_of(world->command(TerminateInstanceInAutoScalingGroup{world->in_service().front()->id, true}))
                  .starts_with("ValidationError: Currently, desiredSize equals minSize (2)."));
  EXPECT_EQ(error_of(world->command(TerminateInstanceInAutoScalingGroup{InstanceId("i-none"), false})),
            "ValidationError: Instance Id not found - No managed instance found for instance ID: i-none");
}

TEST(Region, SetInstanceHealthReplacesAtOnce) {
  auto world = steady_world();
  const InstanceId id = world->in_service().front()->id;
  ASSERT_TRUE(world->command(SetInstanceHealth{id, false, true}).ok());
  EXPECT_EQ(world->state().instances.at(id).lifecycle, LifecycleState::kTerminating);
  EXPECT_NE(last_activity(*world, "in response to a user health-check."), nullptr);
  ASSERT_TRUE(world->run_until([&] { return world->in_service().size() == 2; }));
  for (const Instance* instance : world->in_service()) {
    if (instance->in_service_at != world->now) continue;
    ASSERT_TRUE(world->command(SetInstanceHealth{instance->id, false, true}).ok());
    EXPECT_TRUE(instance->healthy) << "the grace period is respected";
    break;
  }
}

TEST(Region, TimesAreDividedByTheSpeedButNotWhatRacesAgainstTheUsersProgram) {
  for (const bool own_program : {false, true}) {
    RegionSettings settings = toy_settings();
    settings.speed = 10;
    settings.own_program = own_program;
    ToyWorld world(settings, 1);
    world.build();
    ASSERT_TRUE(world.run_until([&] { return performed<LaunchInstance>(world).size() == 2; }));
    EXPECT_EQ(world.now, kStart + 1'650ms);
    ASSERT_TRUE(world.run_until([&] { return world.steady(); }));
    const ConfigureNode sent = performed<ConfigureNode>(world).back();
    const TargetGroupSettings& target_group = sent.load_balancer.target_groups.front();
    EXPECT_EQ(target_group.health_check.interval, 1s);
    EXPECT_EQ(target_group.health_check.timeout, own_program ? 5s : 500ms);
    EXPECT_TRUE(target_group.health_check.unrestricted);
    EXPECT_EQ(target_group.deregistration_delay, own_program ? 30s : 3s);
    EXPECT_TRUE(validate(sent.load_balancer).empty()) << validate(sent.load_balancer).front().message;
    EXPECT_EQ(performed<CheckNode>(world).back().timeout, 400ms);
  }
}

}  // namespace
}  // namespace rr::sim
