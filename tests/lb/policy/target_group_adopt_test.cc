// A group that is told what another group of the same targets has found out: that of another worker.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/policy/target_group.h"

namespace rr {
namespace {

constexpr Time at(int second) { return Time{std::chrono::seconds(second)}; }

std::vector<TargetSpec> specs(const std::string& letters) {
  std::vector<TargetSpec> result;
  for (const char letter : letters) {
    const auto last = static_cast<std::uint8_t>(letter);
    result.push_back({.id = std::string(1, letter),
                      .address = Address::v4(172, 31, 16, last, 8080),
                      .wire = Address::v4(127, 31, 16, last, 9000),
                      .zone = ""});
  }
  return result;
}

TargetGroupSettings settings() {
  return {.health_check = {.interval = std::chrono::seconds(10), .healthy_threshold = 3, .unhealthy_threshold = 2},
          .deregistration_delay = std::chrono::seconds(30)};
}

/// One group that makes the checks, and one that only hears of them.
struct Pair {
  TargetGroup leads{settings(), nullptr};
  TargetGroup follows{settings(), nullptr};

  explicit Pair(const std::string& letters) { set(0, letters); }
  void set(int second, const std::string& letters) {
    leads.set_targets(at(second), specs(letters));
    follows.set_targets(at(second), specs(letters));
  }
  /// Every check that is due answers so; what is found out is handed on.
  void check(int second, int status) {
    std::vector<ProbeDue> due;
    leads.due_probes(at(second), due);
    for (const ProbeDue& probe : due) {
      leads.observe(at(second), probe.target, probe.sequence, {ProbeOutcome::Kind::kAnswered, status});
      hand_on(second, leads.find(probe.target)->id);
    }
  }
  void hand_on(int second, const std::string& id) {
    const auto theirs = leads.find(id, 8080), ours = follows.find(id, 8080);
    if (theirs && ours) follows.adopt(at(second), *ours, *leads.health_state(*theirs));
  }
  TargetState state(const std::string& id) const { return *follows.state(*follows.find(id, 8080)); }
};

TEST(Adopting, FollowsEveryTransition) {
  Pair pair("a");
  const std::array statuses{200, 200, 503, 503, 503, 200, 200, 200, 503, 200};
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    pair.check(static_cast<int>(i) * 10, statuses[i]);
    const auto theirs = pair.leads.find("a", 8080);
    EXPECT_EQ(pair.state("a"), *pair.leads.state(*theirs)) << "check " << i;
  }
  EXPECT_EQ(pair.state("a"), TargetState::kHealthy);
}

TEST(Adopting, MakesTheTargetRoutable) {
  Pair pair("ab");
  Rng random(1);
  pair.check(0, 503);
  pair.check(10, 503);
  EXPECT_TRUE(pair.follows.failing_open());
  const auto b = pair.leads.find("b", 8080);
  for (int second = 20; second < 50; second += 10) {
    std::vector<ProbeDue> due;
    pair.leads.due_probes(at(second), due);
    for (const ProbeDue& probe : due) {
      pair.leads.observe(at(second), probe.target, probe.sequence,
                         {ProbeOutcome::Kind::kAnswered, probe.target == *b ? 200 : 503});
      pair.hand_on(second, pair.leads.find(probe.target)->id);
    }
  }
  EXPECT_FALSE(pair.follows.failing_open());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pair.follows.pick(at(50), random), pair.follows.find("b", 8080));
}

TEST(Adopting, WhatWasMissedIsMadeGoodByTheNext) {
  Pair pair("a");
  std::vector<ProbeDue> due;
  pair.leads.due_probes(at(0), due);
  pair.leads.observe(at(0), due.front().target, due.front().sequence, {ProbeOutcome::Kind::kAnswered, 200});
  EXPECT_EQ(pair.state("a"), TargetState::kInitial) << "the news was lost";
  pair.check(10, 200);
  EXPECT_EQ(pair.state("a"), TargetState::kHealthy);
}

TEST(Adopting, TellsOfAChangeOnlyWhereThereIsOne) {
  Pair pair("a");
  HealthState health;
  health.observe({ProbeOutcome::Kind::kAnswered, 200}, settings().health_check);
  const TargetId a = *pair.follows.find("a", 8080);
  const auto change = pair.follows.adopt(at(1), a, health);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->transition.to.state, TargetState::kHealthy);
  EXPECT_FALSE(pair.follows.adopt(at(2), a, health));
}

TEST(Adopting, IsNothingForATargetThatDrainsOrIsForgotten) {
  Pair pair("ab");
  pair.check(0, 200);
  const TargetId a = *pair.follows.find("a", 8080);
  pair.set(5, "b");
  EXPECT_FALSE(pair.follows.adopt(at(6), a, HealthState{}));
  EXPECT_EQ(pair.follows.state(a), TargetState::kDraining);
  std::vector<TargetId> expired;
  pair.follows.expire_drains(at(60), expired);
  EXPECT_FALSE(pair.follows.adopt(at(60), a, HealthState{}));
  EXPECT_EQ(pair.follows.health_state(a), nullptr);
}

}  // namespace
}  // namespace rr
