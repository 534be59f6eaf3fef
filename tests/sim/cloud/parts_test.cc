// The small pure parts of the control plane, by tables.
#include <gtest/gtest.h>

#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/double_release.h"
#include "sim/cloud/health_merge.h"
#include "sim/cloud/node_fleet.h"
#include "sim/cloud/tempo.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::seconds(1'764'000'000)};

// Health merge
// -----------------------------------------------------------------------------------------------------------

constexpr Health kHealthy{TargetState::kHealthy, TargetReason::kNone, 200};
constexpr Health kUnhealthy{TargetState::kUnhealthy, TargetReason::kTimeout, 0};
constexpr Health kInitial{TargetState::kInitial, TargetReason::kInitialHealthChecking, 0};
constexpr Health kDraining{TargetState::kDraining, TargetReason::kDeregistrationInProgress, 0};

TEST(HealthMerge, FollowsItsTable) {
  struct Case {
    std::vector<HealthReport> reports;
    MergedHealth expected;
    const char* why;
  };
  const Time fresh = kNow - 20s;  // two intervals old
  const Time old = fresh - 1ns;
  const std::vector<Case> cases{
      {{}, {kHealthy, true}, "nothing known: the last state, stale"},
      {{{"a", fresh, kHealthy}}, {kHealthy, false}, "one healthy"},
      {{{"a", fresh, kUnhealthy}, {"b", fresh, kHealthy}}, {kHealthy, false}, "any healthy"},
      {{{"a", fresh, kUnhealthy}, {"b", fresh, kUnhealthy}}, {kUnhealthy, false}, "all unhealthy"},
      {{{"a", fresh, kUnhealthy}, {"b", fresh, kInitial}}, {kInitial, false}, "not all unhealthy"},
      {{{"a", fresh, kUnhealthy}, {"b", old, kHealthy}}, {kUnhealthy, false}, "an old report does not count"},
      {{{"a", old, kUnhealthy}, {"b", old, kUnhealthy}}, {kHealthy, true}, "all old: the last state, stale"},
      {{{"a", fresh, kHealthy}, {"b", fresh, kDraining}}, {kDraining, false}, "any draining"},
      {{{"a", fresh, kHealthy, "one"}, {"a", fresh, kUnhealthy, "two"}}, {kUnhealthy, false}, "the worst target group"},
      {{{"a", fresh, kHealthy, "one"}, {"a", old, kUnhealthy, "two"}}, {kHealthy, false}, "of those with news"},
  };
  for (const Case& c : cases) EXPECT_EQ(merge_health(kNow, 10s, c.reports, kHealthy), c.expected) << c.why;
}

// Nodes
// ------------------------------------------------------------------------------------------------------------------

TEST(NodeFleet, ChecksDecideByTheirThreshold) {
  // What comes in (p passed, x failed) and whether the node passes after it, with a threshold of 2.
  struct Case {
    std::string checks;
    std::string passing;
  };
  for (const Case& c : {Case{"p", "1"}, Case{"xxp", "001"},  // new: the first success is enough, whenever it comes
                        Case{"pxp", "111"}, Case{"pxx", "110"}, Case{"pxxp", "1100"}, Case{"pxxpp", "11001"},
                        Case{"pxxpxp", "110000"}, Case{"pxxpxpp", "1100001"}}) {
    Node node;
    std::string passing;
    for (const char check : c.checks) {
      const bool before = node.passing;
      const bool flipped = observe_check(node, check == 'p', 2);
      EXPECT_EQ(flipped, node.passing != before);
      passing += node.passing ? '1' : '0';
    }
    EXPECT_EQ(passing, c.passing) << c.checks;
  }
}

TEST(NodeFleet, NodesThatPassAreInDnsAndAllWhenNonePasses) {
  const auto fleet = [](std::vector<std::pair<bool, bool>> running_and_passing) {
    std::map<std::string, Node> nodes;
    for (const auto& [running, passing] : running_and_passing) {
      Node node;
      node.running = running;
      node.passing = passing;
      nodes.emplace(std::string(1, static_cast<char>('a' + nodes.size())), node);
    }
    return nodes_in_dns(nodes);
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(fleet({{true, true}, {true, true}}), (Names{"a", "b"}));
  EXPECT_EQ(fleet({{true, true}, {true, false}}), (Names{"a"}));
  EXPECT_EQ(fleet({{true, false}, {true, false}}), (Names{"a", "b"})) << "fail-open";
  EXPECT_EQ(fleet({{true, false}, {false, false}}), (Names{"a"})) << "what does not run cannot accept";
}

TEST(NodeFleet, StartsAreTriedWithBackOff) {
  for (const auto& [failed, expected] : std::map<int, Duration>{{1, 10s}, {2, 20s}, {3, 40s}, {4, 60s}, {400, 60s}}) {
    EXPECT_EQ(start_delay(failed, 10s, 60s), expected) << failed;
  }
}

// Addresses
// --------------------------------------------------------------------------------------------------------------

TEST(AddressPlan, IsTheDefaultVpc) {
  std::vector<Zone> zones = default_zones("eu-west-1", 3);
  EXPECT_EQ(zones[1].name, ZoneName("eu-west-1b"));
  EXPECT_EQ(format_ip(zones[2].subnet), "172.31.32.0");
  const auto never = [](const Address&) { return false; };
  const auto first = next_instance_address(zones[1], 8080, never);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(format_address(*first), "172.31.16.10:8080");
  EXPECT_EQ(host_name(*first), "ip-172-31-16-10");
  EXPECT_EQ(format_ip(*next_instance_address(zones[1], 8080, never)), "172.31.16.11");
  EXPECT_EQ(format_ip(host_address(zones[0], 300, 80)), "172.31.1.44");
  EXPECT_EQ(node_name(zones[0].name), "lb-eu-west-1a");
}

TEST(AddressPlan, GoesRoundAndKnowsWhenASubnetIsFull) {
  Zone zone = default_zones("eu-west-1", 1).front();
  zone.prefix = 28;  // 16 addresses: hosts 10 to 14 are instances', 15 is the broadcast address
  std::set<Address> taken;
  const auto is_taken = [&](const Address& address) { return taken.contains(address); };
  for (int i = 0; i < 5; ++i) {
    const auto address = next_instance_address(zone, 8080, is_taken);
    ASSERT_TRUE(address.has_value()) << i;
    EXPECT_TRUE(taken.insert(*address).second);
  }
  EXPECT_EQ(next_instance_address(zone, 8080, is_taken), std::nullopt);
  taken.erase(Address::v4(172, 31, 0, 12, 8080));
  EXPECT_EQ(next_instance_address(zone, 8080, is_taken), Address::v4(172, 31, 0, 12, 8080));
}

TEST(AddressPlan, IdsHaveSeventeenHexadecimalDigits) {
  Rng rng(1);
  const std::string id = draw_id("i-", rng);
  EXPECT_EQ(id.size(), 19u);
  EXPECT_TRUE(id.starts_with("i-0"));
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef", 2), std::string::npos);
  EXPECT_NE(id, draw_id("i-", rng));
}

// Activities
// -------------------------------------------------------------------------------------------------------------

TEST(Activity, CausesAreWordedAsAwsWordsThem) {
  const std::string time = "At 2025-11-24T16:00:00Z ";
  const InstanceId id("i-0123");
  EXPECT_EQ(
      join_sentences({created_group(kNow, 2), started_instances(kNow, 0, 2)}),
      time + "a user request created an AutoScalingGroup changing the desired capacity from 0 to 2.  " + time +
          "an instance was started in response to a difference between desired and actual capacity, increasing the "
          "capacity from 0 to 2.");
  EXPECT_EQ(join_sentences({"", shrank(kNow, 3, 2), selected_for_termination(kNow, id)}),
            time +
                "an instance was taken out of service in response to a difference between desired and actual "
                "capacity, shrinking the capacity from 3 to 2.  " +
                time + "instance i-0123 was selected for termination.");
  EXPECT_EQ(taken_for_health(kNow, ChangeReason::kElbHealthCheck),
            time + "an instance was taken out of service in response to an ELB system health check failure.");
  EXPECT_EQ(taken_for_health(kNow, ChangeReason::kEc2HealthCheck),
            time +
                "an instance was taken out of service in response to an EC2 health check indicating it has been "
                "terminated or stopped.");
  EXPECT_EQ(taken_for_health(kNow, ChangeReason::kUserHealthCheck),
            time + "an instance was taken out of service in response to a user health-check.");
  EXPECT_EQ(taken_by_user(kNow, id, 2, 2),
            time + "instance i-0123 was taken out of service in response to a user request.");
  EXPECT_EQ(taken_by_user(kNow, id, 2, 1), time +
                                               "instance i-0123 was taken out of service in response to a user "
                                               "request, shrinking the capacity from 2 to 1.");
  GroupSettings settings;
  settings.min_size = 1;
  settings.max_size = 5;
  EXPECT_EQ(updated_constraints(kNow, settings, 0, 3),
            time +
                "a user request update of AutoScalingGroup constraints to min: 1, max: 5, desired: 3 changing the "
                "desired capacity from 0 to 3.");
  EXPECT_EQ(launch_failure("", "The AMI ID ami-1 does not exist", ZoneName("a"), {}),
            "The AMI ID ami-1 does not exist. Launching EC2 instance failed.");
}

// Tempo
// ------------------------------------------------------------------------------------------------------------------

TEST(Tempo, DividesWhatTheControlPlaneWaitsFor) {
  const Tempo fast(50, false);
  const Tempo own(50, true);
  EXPECT_EQ(fast.waits(10s), 200ms);
  EXPECT_EQ(own.waits(10s), 200ms);
  EXPECT_EQ(fast.races(300s), 6s);
  EXPECT_EQ(own.races(300s), 300s);
  EXPECT_EQ(fast.check_timeout(5s), 250ms) << "never below 250 ms";
  EXPECT_EQ(own.check_timeout(5s), 5s);
  EXPECT_EQ(fast.check_timeout(100ms), 100ms) << "unless it was asked for";
  EXPECT_EQ(Tempo(1, false).waits(16'500ms), 16'500ms);
  EXPECT_EQ(Tempo(1e9, false).waits(1s), 1ms) << "a wait is never nothing";
  EXPECT_EQ(fast.waits(0s), 0s);
}

// Double release
// ---------------------------------------------------------------------------------------------------------

DoubleRelease release_of_two() {
  DoubleRelease release;
  release.group = "web";
  release.image = ImageId("ami-2");
  release.commit = "two";
  release.template_version = 2;
  release.previous_version = 1;
  release.original_capacity = 2;
  release.deadline = kNow + 15min;
  release.next_question = kNow;
  return release;
}

ReleaseMember member(const std::string& id, bool is_new, bool in_service = true, bool healthy = true) {
  return {InstanceId(id), "host-" + id, is_new, true, in_service, healthy};
}

TEST(DoubleRelease, AsksOnlyNewHealthyInstancesAndHalvesWhenAllAnswered) {
  DoubleRelease release = release_of_two();
  ReleaseView view{
      {member("old1", false), member("old2", false), member("new1", true), member("new2", true, true, false)}};
  ReleaseStep step = advance(release, view, kNow);
  EXPECT_EQ(step.ask, (std::vector<InstanceId>{InstanceId("new1")}));
  EXPECT_FALSE(step.to.has_value());
  release.asked.insert(InstanceId("new1"));
  EXPECT_TRUE(advance(release, view, kNow).ask.empty()) << "not before it has answered";
  EXPECT_FALSE(observe_instance_answer(release, InstanceId("new1"), 200, "one"));
  EXPECT_EQ(advance(release, view, kNow).ask.size(), 1u) << "the old commit is asked again";
  release.asked.insert(InstanceId("new1"));
  EXPECT_TRUE(observe_instance_answer(release, InstanceId("new1"), 200, "two"));
  view.members[3].healthy = true;
  EXPECT_FALSE(advance(release, view, kNow).to.has_value()) << "not before the second one";
  release.asked.insert(InstanceId("new2"));
  EXPECT_TRUE(observe_instance_answer(release, InstanceId("new2"), 200, "two"));
  step = advance(release, view, kNow);
  EXPECT_EQ(step.to, DoublePhase::kHalving);
  EXPECT_EQ(step.desired, 2);
}

TEST(DoubleRelease, EndsOldInstancesThatTheHalvingKeptOneByOne) {
  DoubleRelease release = release_of_two();
  release.phase = DoublePhase::kHalving;
  release.confirmed = {InstanceId("new1")};
  ReleaseView view{{member("old1", false), member("new1", true)}};
  EXPECT_EQ(advance(release, view, kNow).end, InstanceId("old1"));
  view.members.push_back(member("old2", false));
  view.members.back().live = false;
  EXPECT_EQ(advance(release, view, kNow).end, std::nullopt) << "another one is still leaving";
}

TEST(DoubleRelease, VerifiesThroughTheFrontUntilTwiceTheInstancesInARowAreNew) {
  DoubleRelease release = release_of_two();
  release.phase = DoublePhase::kVerifying;
  const ReleaseView view{{member("new1", true), member("new2", true)}};
  EXPECT_EQ(advance(release, view, kNow).ask_front, 4);
  release.front_asked = 10;
  EXPECT_EQ(advance(release, view, kNow).ask_front, 0);
  for (int i = 0; i < 3; ++i) observe_front_answer(release, 200, "two", "host-new1");
  observe_front_answer(release, 502, "", "");
  EXPECT_EQ(release.front_answers, 0) << "in a row";
  for (int i = 0; i < 4; ++i) observe_front_answer(release, 200, "two", "host-new1");
  EXPECT_EQ(advance(release, view, kNow).to, std::nullopt) << "and from every instance";
  observe_front_answer(release, 200, "two", "host-new2");
  EXPECT_EQ(advance(release, view, kNow).to, DoublePhase::kReleased);
}

TEST(DoubleRelease, EachPhaseFailsAtItsDeadlineWithASentence) {
  for (const auto& [phase, rolls_back] : std::map<DoublePhase, bool>{
           {DoublePhase::kDoubling, true}, {DoublePhase::kHalving, false}, {DoublePhase::kVerifying, false}}) {
    DoubleRelease release = release_of_two();
    release.phase = phase;
    const ReleaseView view{{member("old1", false), member("new1", true, false)}};
    EXPECT_EQ(advance(release, view, release.deadline - 1ns).to, std::nullopt);
    const ReleaseStep step = advance(release, view, release.deadline);
    EXPECT_EQ(step.to, DoublePhase::kFailed);
    EXPECT_EQ(step.roll_back, rolls_back);
    EXPECT_FALSE(step.outcome.empty());
  }
}

}  // namespace
}  // namespace rr::sim
