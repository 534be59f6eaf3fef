#include "lb/policy/listener_rules.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

const std::vector<TargetGroupSettings> kGroups{{.name = "web"}, {.name = "api"}, {.name = "old"}};

RuleChoice choose(const ListenerRules& rules, Rng& random) {
  const RequestView request{.method = "GET", .target = "/"};
  return rules.choose({.request = request, .client = Address::v4(127, 0, 0, 1, 4711)}, random);
}

TEST(ListenerRules, TheOnlyTargetGroupIsChosenWithoutChance) {
  const ListenerSettings listener{.default_action = ForwardAction{{{"api", 1}}}};
  const ListenerRules rules(listener, kGroups);
  Rng random(1);
  const Rng before = random;
  const RuleChoice choice = choose(rules, random);
  EXPECT_EQ(choice.priority, 0);
  EXPECT_EQ(choice.target_group, 1U);
  ASSERT_NE(choice.action, nullptr);
  EXPECT_EQ(*choice.action, listener.default_action);
  EXPECT_EQ(random, before);
}

TEST(ListenerRules, AFixedResponseHasNoTargetGroup) {
  const ListenerSettings listener{.default_action = FixedResponseAction{.status = 404, .body = "no"}};
  const ListenerRules rules(listener, {});
  Rng random(1);
  const RuleChoice choice = choose(rules, random);
  EXPECT_EQ(choice.target_group, std::nullopt);
  EXPECT_EQ(*choice.action, listener.default_action);
}

TEST(ListenerRules, SeveralTargetGroupsAreDrawnByWeight) {
  const ListenerRules rules({.default_action = ForwardAction{{{"old", 1}, {"api", 0}, {"web", 3}}}}, kGroups);
  Rng random(5);
  std::vector<int> counts(3);
  for (int i = 0; i < 40'000; ++i) ++counts[*choose(rules, random).target_group];
  // A quarter of 40,000 is 10,000; the standard deviation is sqrt(40,000 x 1/4 x 3/4) = 86.6, five of them are 433.
  EXPECT_NEAR(counts[0], 30'000, 433);
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 10'000, 433);
}

TEST(ListenerRules, WeightZeroBesideAnotherLeavesNothingToDraw) {
  const ListenerRules rules({.default_action = ForwardAction{{{"old", 0}, {"api", 7}}}}, kGroups);
  Rng random(1);
  const Rng before = random;
  EXPECT_EQ(choose(rules, random).target_group, 1U);
  EXPECT_EQ(random, before);
}

TEST(ListenerRulesDeathTest, SettingsThatWereNotValidatedCrash) {
  EXPECT_DEATH(ListenerRules({.default_action = ForwardAction{{{"shop", 1}}}}, kGroups), "does not exist");
  EXPECT_DEATH(ListenerRules({.default_action = ForwardAction{}}, kGroups), "needs a target group");
}

}  // namespace
}  // namespace rr
