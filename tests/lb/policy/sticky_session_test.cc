// What a cookie said -> which target -> what the cookies of the response say, kind by kind.
#include "lb/policy/sticky_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rr {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNow{seconds(1'800'000'000)};
constexpr ProbeOutcome kGood{ProbeOutcome::Kind::kAnswered, 200};
constexpr ProbeOutcome kBad{ProbeOutcome::Kind::kAnswered, 503};

TargetGroupSettings sticky_settings(StickinessType type, Algorithm algorithm = Algorithm::kRoundRobin) {
  TargetGroupSettings settings{.name = "web", .algorithm = algorithm};
  settings.health_check.healthy_threshold = settings.health_check.unhealthy_threshold = 2;
  settings.stickiness = {.enabled = true,
                         .type = type,
                         .lb_cookie_duration = seconds(100),
                         .app_cookie_duration = seconds(200),
                         .app_cookie_name = "session"};
  return settings;
}

/// Targets a, b and c, healthy.
struct Story {
  TargetGroup group;
  Rng random{1};
  Time now = kNow;

  explicit Story(const TargetGroupSettings& settings) : group(settings, nullptr) {
    set("abc");
    answer("abc");
  }
  void set(const std::string& letters) {
    std::vector<TargetSpec> specs;
    for (const char letter : letters) {
      TargetSpec spec{.id = std::string(1, letter)};
      spec.address = spec.wire = Address::v4(10, 0, 0, static_cast<std::uint8_t>(letter), 80);
      specs.push_back(spec);
    }
    group.set_targets(now, specs);
  }
  /// Two rounds of checks, which those of `healthy` pass: enough to turn a state.
  void answer(const std::string& healthy) {
    for (int round = 0; round < 2; ++round) {
      std::vector<ProbeDue> due;
      group.due_probes(now, due);
      for (const ProbeDue& probe : due) {
        const bool good = healthy.find(group.find(probe.target)->id) != std::string::npos;
        group.observe(now, probe.target, probe.sequence, good ? kGood : kBad);
      }
      now += seconds(30);
    }
  }
  TargetClaim claim(const std::string& id, Duration left = seconds(50)) const {
    return {group.sticky_name(), sticky_name(id, 80), now + left};
  }
  /// "b", or "" when there is none.
  std::string choose(StickySession& session, const std::vector<TargetClaim>& claims, bool application = false) {
    const auto target = session.choose_target(group, claims, application, now, random);
    return target ? group.find(*target)->id : "";
  }
};

TEST(LbCookie, EveryResponseNamesTheTargetAnew) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  StickySession first;
  EXPECT_EQ(story.choose(first, {}), "a");
  EXPECT_EQ(first.outcome(), StickyOutcome::kChosen);
  const TargetClaim to_a{sticky_name("web"), sticky_name("a", 80), story.now + seconds(100)};
  EXPECT_EQ(first.renew(story.now, false), (StickyRenewal{.target = to_a}));
  story.now += seconds(99);
  for (int i = 0; i < 3; ++i) {
    StickySession next;
    EXPECT_EQ(story.choose(next, {to_a}), "a");
    EXPECT_EQ(next.outcome(), StickyOutcome::kKept);
    EXPECT_EQ(next.renew(story.now, false).target->expires, story.now + seconds(100)) << "its time begins anew";
  }
  StickySession another;
  EXPECT_EQ(story.choose(another, {}), "b") << "sticky requests take no turn";
}

TEST(LbCookie, WhatCannotBeFollowedIsAsNoCookie) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  TargetClaim of_another_group = story.claim("c");
  of_another_group.group = sticky_name("api");
  const struct {
    const char* story;
    TargetClaim claim;
  } kTable[] = {{"its time is over to the nanosecond", story.claim("c", Duration::zero())},
                {"of another target group", of_another_group},
                {"a target that is not registered", story.claim("d")}};
  std::string expected = "a";
  for (const auto& row : kTable) {
    StickySession session;
    EXPECT_EQ(story.choose(session, {row.claim}), expected) << row.story;
    EXPECT_EQ(session.outcome(), StickyOutcome::kChosen) << row.story;
    EXPECT_EQ(session.renew(story.now, false).target->target, sticky_name(expected, 80)) << row.story;
    ++expected[0];
  }
  StickySession last_nanosecond;
  EXPECT_EQ(story.choose(last_nanosecond, {story.claim("c", Duration(1))}), "c");
}

TEST(LbCookie, AnUnhealthyTargetIsLeftAndNotReturnedTo) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  story.answer("bc");
  StickySession left;
  EXPECT_EQ(story.choose(left, {story.claim("a")}), "b");
  const TargetClaim to_b = *left.renew(story.now, false).target;
  story.answer("abc");
  StickySession later;
  EXPECT_EQ(story.choose(later, {TargetClaim{to_b.group, to_b.target, story.now + seconds(1)}}), "b");
}

TEST(LbCookie, DrainingAndForgottenTargetsAreLeft) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  story.set("bc");
  StickySession draining;
  EXPECT_EQ(story.choose(draining, {story.claim("a")}), "b");
  story.now += seconds(300);
  std::vector<TargetId> forgotten;
  story.group.expire_drains(story.now, forgotten);
  ASSERT_EQ(forgotten.size(), 1U);
  StickySession gone;
  EXPECT_EQ(story.choose(gone, {story.claim("a")}), "c");
  story.set("abc");
  story.answer("abc");
  StickySession back;
  EXPECT_EQ(story.choose(back, {story.claim("a")}), "a") << "registered again it has its name again";
}

TEST(LbCookie, UnderFailOpenAnUnhealthyTargetIsKept) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  story.answer("");
  ASSERT_TRUE(story.group.failing_open());
  StickySession session;
  EXPECT_EQ(story.choose(session, {story.claim("c")}), "c");
  EXPECT_EQ(session.outcome(), StickyOutcome::kKept);
}

TEST(LbCookie, WithoutAnyTargetThereIsNone) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  story.set("");
  StickySession session;
  EXPECT_EQ(story.choose(session, {story.claim("a")}), "");
}

TEST(LbCookie, OverridesLeastOutstandingRequests) {
  Story story(sticky_settings(StickinessType::kLbCookie, Algorithm::kLeastOutstandingRequests));
  const TargetId a = *story.group.find("a", 80);
  for (int i = 0; i < 5; ++i) story.group.started(a);
  StickySession session;
  EXPECT_EQ(story.choose(session, {story.claim("a")}), "a");
  StickySession fresh;
  EXPECT_NE(story.choose(fresh, {}), "a");
}

TEST(LbCookie, AZonalShiftMovesSessions) {
  Story story(sticky_settings(StickinessType::kLbCookie));
  std::vector<TargetSpec> specs;
  for (const char letter : std::string("abc")) {
    TargetSpec spec{.id = std::string(1, letter), .zone = letter == 'a' ? "A" : "B"};
    spec.address = spec.wire = Address::v4(10, 0, 0, static_cast<std::uint8_t>(letter), 80);
    specs.push_back(spec);
  }
  story.group.set_targets(story.now, specs);
  story.group.set_place(story.now, {.zone = "B", .zonal_shift = ZonalShift{"A", story.now + seconds(600)}});
  StickySession session;
  EXPECT_NE(story.choose(session, {story.claim("a")}), "a");
}

TEST(AppCookie, BeginsWhenTheApplicationSetsItsCookie) {
  Story story(sticky_settings(StickinessType::kAppCookie));
  StickySession first;
  EXPECT_EQ(story.choose(first, {}), "a");
  EXPECT_TRUE(first.watches_application_cookie());
  EXPECT_EQ(first.application_cookie(), "session");
  EXPECT_EQ(first.renew(story.now, false), StickyRenewal{}) << "no cookie of the application, no cookie";
  const TargetClaim to_a{sticky_name("web"), sticky_name("a", 80), story.now + seconds(200)};
  EXPECT_THAT(first.renew(story.now, true).application, ElementsAre(to_a));
}

TEST(AppCookie, NeedsBothCookies) {
  Story story(sticky_settings(StickinessType::kAppCookie));
  StickySession both, ours_alone, theirs_alone;
  EXPECT_EQ(story.choose(both, {story.claim("c")}, true), "c");
  EXPECT_THAT(both.renew(story.now, false).application, ElementsAre(story.claim("c", seconds(200))))
      << "the duration rolls";
  EXPECT_EQ(story.choose(ours_alone, {story.claim("c")}, false), "a") << "the application's cookie has expired";
  EXPECT_THAT(ours_alone.renew(story.now, false).application, IsEmpty());
  EXPECT_EQ(story.choose(theirs_alone, {}, true), "b");
  EXPECT_EQ(theirs_alone.outcome(), StickyOutcome::kChosen);
  EXPECT_THAT(theirs_alone.renew(story.now, false).application, IsEmpty());
}

TEST(AppCookie, ASessionMovesFromAnUnhealthyTargetAndStaysThere) {
  Story story(sticky_settings(StickinessType::kAppCookie));
  story.answer("ab");
  StickySession moved;
  EXPECT_EQ(story.choose(moved, {story.claim("c")}, true), "a");
  EXPECT_EQ(moved.outcome(), StickyOutcome::kChosen);
  EXPECT_THAT(moved.renew(story.now, false).application, ElementsAre(story.claim("a", seconds(200))));
  StickySession expired;
  EXPECT_EQ(story.choose(expired, {story.claim("a", Duration::zero())}, true), "b");
  EXPECT_THAT(expired.renew(story.now, false).application, IsEmpty()) << "the session was over";
}

TEST(AppCookie, OneCookieKeepsWhatItSaysOfOtherGroups) {
  Story story(sticky_settings(StickinessType::kAppCookie));
  const TargetClaim other{sticky_name("api"), 7, story.now + seconds(1)};
  const TargetClaim over{sticky_name("old"), 8, story.now};
  StickySession session;
  EXPECT_EQ(story.choose(session, {other, story.claim("b"), over}, true), "b");
  EXPECT_THAT(session.renew(story.now, false).application, ElementsAre(other, story.claim("b", seconds(200))));
  StickySession fresh;
  EXPECT_EQ(story.choose(fresh, {other}, false), "a");
  EXPECT_THAT(fresh.renew(story.now, false).application, IsEmpty()) << "nothing new to say";
  EXPECT_THAT(fresh.renew(story.now, true).application, ElementsAre(other, story.claim("a", seconds(200))));
}

// ------------------------------------------------------------------------------------------------ of target groups

const std::vector<TargetGroupSettings> kGroups{{.name = "web"}, {.name = "api"}, {.name = "old"}};

RuleChoice match(const ListenerRules& rules) {
  const RequestView request{.method = "GET", .target = "/"};
  return rules.match({.request = request, .client = Address::v4(127, 0, 0, 1, 4711)});
}

TEST(GroupStickiness, TheGroupThatWasDrawnIsKept) {
  const ForwardAction action{{{"web", 1}, {"api", 1}, {"old", 0}}, {.enabled = true, .duration = seconds(60)}};
  const ListenerRules rules({.default_action = action}, kGroups);
  const RuleChoice choice = match(rules);
  EXPECT_TRUE(choice.sticky);
  Rng random(3);
  std::vector<int> counts(3);
  for (int i = 0; i < 100; ++i) {
    StickySession session;
    ++counts[session.choose_group(rules, choice, std::nullopt, kNow, random)];
  }
  EXPECT_GT(counts[0], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_EQ(counts[2], 0);
  for (const std::size_t group : {0U, 1U, 2U}) {
    const Rng before = random;
    StickySession session;
    const GroupClaim claim{sticky_name(kGroups[group].name), kNow + Duration(1)};
    EXPECT_EQ(session.choose_group(rules, choice, claim, kNow, random), group) << "also one whose weight is 0 by now";
    EXPECT_EQ(random, before);
    TargetGroup of_group(kGroups[group], nullptr);
    EXPECT_EQ(session.choose_target(of_group, {}, false, kNow, random), std::nullopt) << "no failover: 503";
    EXPECT_EQ(session.renew(kNow, false), (StickyRenewal{.group = GroupClaim{claim.group, kNow + seconds(60)}}));
  }
}

TEST(GroupStickiness, WhatCannotBeFollowedIsAsNoCookie) {
  const ForwardAction action{{{"web", 1}, {"old", 0}}, {.enabled = true, .duration = seconds(60)}};
  const ListenerRules rules({.default_action = action}, kGroups);
  const RuleChoice choice = match(rules);
  Rng random(3);
  for (const GroupClaim& claim :
       {GroupClaim{sticky_name("old"), kNow}, GroupClaim{sticky_name("api"), kNow + seconds(1)},
        GroupClaim{0, kNow + seconds(1)}}) {
    StickySession session;
    EXPECT_EQ(session.choose_group(rules, choice, claim, kNow, random), 0U);
  }
}

TEST(GroupStickiness, IsOffUnlessTheActionSaysSo) {
  std::vector<TargetGroupSettings> groups = kGroups;
  groups[0].stickiness.enabled = true;
  const ListenerRules one({.default_action = ForwardAction{{{"web", 1}}}}, groups);
  EXPECT_TRUE(match(one).sticky) << "its target group is";
  EXPECT_FALSE(one.group_stickiness(match(one)).enabled);
  Rng random(1);
  StickySession session;
  EXPECT_EQ(session.choose_group(one, match(one), GroupClaim{sticky_name("web"), kNow + seconds(9)}, kNow, random), 0U);
  EXPECT_EQ(session.renew(kNow, false).group, std::nullopt);
  const ListenerRules other({.default_action = ForwardAction{{{"api", 1}}}}, groups);
  EXPECT_FALSE(match(other).sticky);
  const ListenerRules fixed({.default_action = FixedResponseAction{}}, groups);
  EXPECT_FALSE(match(fixed).sticky);
}

}  // namespace
}  // namespace rr
