// How targets come and go: draining, and lists of targets that replace each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lb/policy/target_group_story.h"

namespace rr {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TargetGroupDrain, LifeCycle) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  const TargetId a = story.id("a");
  story.group.started(a);
  story.group.started(a);
  story.set(5, "b");
  EXPECT_EQ(story.states(), "a:draining b:healthy");
  const TargetStatus draining = story.group.status()[0];
  EXPECT_EQ(draining.health.reason, TargetReason::kDeregistrationInProgress);
  EXPECT_EQ(describe(draining.health), "Target deregistration is in progress");
  EXPECT_EQ(draining.since, at(5));
  EXPECT_EQ(draining.drain_ends, at(35));
  EXPECT_EQ(draining.outstanding, 2U);
  EXPECT_EQ(story.picks(5, 3), "bbb");
  EXPECT_FALSE(story.group.finished(a));
  EXPECT_TRUE(story.group.finished(a));
  // Idle now, but shown until the delay ends.
  EXPECT_THAT(story.expire(34.999), IsEmpty());
  EXPECT_EQ(story.states(), "a:draining b:healthy");
  EXPECT_THAT(story.expire(35), ElementsAre(a));
  EXPECT_EQ(story.states(), "b:healthy");
  EXPECT_EQ(story.group.find(a), nullptr);
  EXPECT_EQ(story.group.find("a", 8080), std::nullopt);
  EXPECT_THAT(story.expire(36), IsEmpty());
}

TEST(TargetGroupDrain, ARequestThatOutlivesTheDelayIsTheCallersToEnd) {
  Story story;
  story.set(0, "a");
  const TargetId a = story.id("a");
  story.group.started(a);
  story.set(1, "");
  EXPECT_THAT(story.expire(31), ElementsAre(a));
  EXPECT_FALSE(story.group.finished(a));
}

TEST(TargetGroupDrain, FinishedIsTrueForADrainingTargetOnly) {
  Story story;
  story.set(0, "a");
  story.group.started(story.id("a"));
  EXPECT_FALSE(story.group.finished(story.id("a")));
}

TEST(TargetGroupDrain, ATargetThatComesBackWaitsAndBeginsAnew) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  const TargetId before = story.id("a");
  story.set(5, "b");
  story.group.set_targets(at(6), std::vector{spec("a", 9001), spec("b")});
  story.group.set_targets(at(7), std::vector{spec("a", 9002), spec("b")});
  EXPECT_EQ(story.states(), "a:draining b:healthy");
  EXPECT_EQ(story.group.find(before)->wire.port, 9000);
  EXPECT_EQ(story.picks(7, 2), "bb");
  story.due(10);
  story.due(20);
  story.due(30);
  EXPECT_EQ(story.group.next_wake(), at(35));
  EXPECT_THAT(story.expire(35), ElementsAre(before));
  EXPECT_EQ(story.states(), "b:healthy a:initial");
  const TargetId after = story.id("a");
  EXPECT_GT(after, before);
  EXPECT_EQ(story.group.find(after)->wire.port, 9002);
  EXPECT_EQ(story.group.next_wake(), at(35));
  EXPECT_EQ(story.due_letters(35), "a");
}

TEST(TargetGroupDrain, ATargetThatComesBackAndGoesAgainDoesNotReturn) {
  Story story;
  story.set(0, "a");
  story.set(1, "");
  story.set(2, "a");
  story.set(3, "");
  story.expire(31);
  EXPECT_EQ(story.states(), "");
  EXPECT_EQ(story.group.next_wake(), std::nullopt);
}

TEST(TargetGroupDrain, WithoutADelayItEndsAtOnce) {
  TargetGroupSettings no_delay = settings();
  no_delay.deregistration_delay = Duration::zero();
  Story story(no_delay);
  story.set(0, "a");
  const TargetId before = story.id("a");
  story.set(1, "");
  EXPECT_EQ(story.group.next_wake(), at(1));
  story.set(1, "a");
  EXPECT_THAT(story.expire(1), ElementsAre(before));
  EXPECT_EQ(story.states(), "a:initial");
  EXPECT_NE(story.id("a"), before);
}

TEST(TargetGroupDrain, ANewDelayIsForDrainsToCome) {
  Story story;
  story.set(0, "ab");
  story.set(1, "b");
  TargetGroupSettings shorter = settings();
  shorter.deregistration_delay = std::chrono::seconds(5);
  story.group.configure(at(2), shorter);
  story.set(3, "");
  EXPECT_EQ(story.group.status()[0].drain_ends, at(31));
  EXPECT_EQ(story.group.status()[1].drain_ends, at(8));
}

TEST(TargetGroupDesired, TheSameSetAgainChangesNothing) {
  Story story;
  story.set(0, "abc");
  story.probe(0, "ab");
  story.set(1, "ab");
  story.picks(1, 1);
  const std::string before = story.states();
  const std::uint64_t digest = story.journal.digest();
  const TargetId a = story.id("a");
  for (int i = 0; i < 100; ++i) story.set(2 + i * 0.01, "ab");
  EXPECT_EQ(story.states(), before);
  EXPECT_EQ(story.journal.digest(), digest);
  EXPECT_EQ(story.id("a"), a);
  EXPECT_EQ(story.group.next_wake(), at(10));
  EXPECT_EQ(story.picks(3, 2), "ba");  // the turn goes on
  EXPECT_EQ(story.due_letters(10), "ab");
}

TEST(TargetGroupDesired, TheOrderOfTheSetDoesNotMatterAfterTheFirst) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  story.set(1, "ba");
  EXPECT_EQ(story.states(), "a:healthy b:healthy");
  EXPECT_EQ(story.picks(1, 3), "aba");
}

TEST(TargetGroupDesired, ANewWireAddressIsTakenOverAndKeepsTheHealth) {
  Story story;
  story.set(0, "a");
  story.probe(0, "a");
  const TargetId a = story.id("a");
  const ProbeDue asked_before = story.due(10).at(0);
  TargetSpec moved = spec("a", 9001);
  moved.zone = "eu-west-1b";
  story.group.set_targets(at(11), std::vector{moved});
  EXPECT_EQ(story.id("a"), a);
  EXPECT_EQ(*story.group.find(a), moved);
  EXPECT_EQ(story.states(), "a:healthy");
  // What the old address says no longer counts: one failure here and one there are not two in a row.
  EXPECT_EQ(story.group.observe(at(12), a, asked_before.sequence, kBad), std::nullopt);
  const ProbeDue asked_after = story.due(20).at(0);
  EXPECT_EQ(story.group.probe_addresses(asked_after.target)->wire.port, 9001);
  EXPECT_EQ(story.group.observe(at(20), a, asked_after.sequence, kBad), std::nullopt);
  EXPECT_EQ(story.states(), "a:healthy");
}

TEST(TargetGroupDesired, TheSameIdOnAnotherPortIsAnotherTarget) {
  Story story;
  TargetSpec other_port = spec("a");
  other_port.address.port = 8081;
  story.group.set_targets(at(0), std::vector{spec("a"), other_port});
  EXPECT_EQ(story.group.status().size(), 2U);
  EXPECT_NE(story.group.find("a", 8080), story.group.find("a", 8081));
}

TEST(TargetGroupDesired, OfTwoSpecsWithOneIdentityTheFirstCounts) {
  Story story;
  for (int i = 0; i < 2; ++i) story.group.set_targets(at(i), std::vector{spec("a", 9001), spec("a", 9002)});
  ASSERT_EQ(story.group.status().size(), 1U);
  EXPECT_EQ(story.group.status()[0].spec.wire.port, 9001);
}

}  // namespace
}  // namespace rr
