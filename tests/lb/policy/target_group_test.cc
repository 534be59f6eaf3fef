#include "lb/policy/target_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "tests/lb/policy/target_group_story.h"

namespace {
/// Counts what the operators below hand out, so that a test can say that something does not allocate.
std::size_t allocations = 0;

void* counted_allocation(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return counted_allocation(size); }
void* operator new[](std::size_t size) { return counted_allocation(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace rr {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(TargetGroup, IsEmptyAtFirst) {
  Story story;
  EXPECT_EQ(story.picks(0, 1), "-");
  EXPECT_EQ(story.group.next_wake(), std::nullopt);
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_THAT(story.group.status(), IsEmpty());
  EXPECT_EQ(story.group.find(TargetId{1}), nullptr);
  EXPECT_EQ(story.group.state(TargetId{1}), std::nullopt);
  EXPECT_EQ(story.group.find("a", 8080), std::nullopt);
  EXPECT_EQ(story.group.observe(at(0), TargetId{1}, 1, kGood), std::nullopt);
}

TEST(TargetGroup, OneSuccessBringsANewTargetInAndOnlyHealthyOnesAreUsed) {
  Story story;
  story.set(0, "abc");
  EXPECT_EQ(story.states(), "a:initial b:initial c:initial");
  story.probe(0, "ac");
  EXPECT_EQ(story.states(), "a:healthy b:initial c:healthy");
  EXPECT_EQ(story.picks(0, 4), "acac");
  story.probe(10, "ac");
  EXPECT_EQ(story.states(), "a:healthy b:unhealthy c:healthy");
  EXPECT_EQ(story.group.status()[1].since, at(10));
  EXPECT_EQ(describe(story.group.status()[1].health), "Health checks failed with these codes: [503]");
}

TEST(TargetGroup, AProbeCarriesBothAddressesAndTheHealthChecksPort) {
  Story story;
  story.group.set_targets(at(0), std::vector{spec("a", 40001)});
  const TargetId a = story.id("a");
  EXPECT_EQ(story.group.probe_addresses(a)->wire, spec("a", 40001).wire);
  EXPECT_EQ(story.group.probe_addresses(a)->logical, spec("a").address);
  TargetGroupSettings other = settings();
  other.health_check.port = 9999;
  story.group.configure(at(1), other);
  EXPECT_EQ(story.group.probe_addresses(a)->wire.port, 9999);
  EXPECT_EQ(story.group.probe_addresses(a)->wire.ip, spec("a").wire.ip);
  EXPECT_EQ(story.group.probe_addresses(a)->logical.port, 9999);
  EXPECT_EQ(story.group.probe_addresses(TargetId{99}), std::nullopt);
}

TEST(TargetGroupProbes, StartAtOnceAndKeepToTheTargetsOwnGrid) {
  Story story;
  story.set(0, "a");
  EXPECT_EQ(story.group.next_wake(), at(0));
  EXPECT_EQ(story.due_letters(0), "a");
  EXPECT_EQ(story.group.next_wake(), at(10));
  story.set(3, "ab");
  EXPECT_EQ(story.group.next_wake(), at(3));
  EXPECT_EQ(story.due_letters(3), "b");
  EXPECT_EQ(story.due_letters(9.999), "");
  EXPECT_EQ(story.due_letters(10), "a");
  EXPECT_EQ(story.due_letters(13), "b");
  // Woken 4 s late: the next start of a is at 30 all the same.
  EXPECT_EQ(story.due_letters(24), "ab");
  EXPECT_EQ(story.group.next_wake(), at(30));
  // Starts that were missed are left out: a's of 30 and 40 and b's of 33 and 43 are one start each.
  EXPECT_EQ(story.due_letters(45), "ab");
  EXPECT_EQ(story.group.next_wake(), at(50));
}

TEST(TargetGroupProbes, EqualInstantsKeepTheOrderOfRegistration) {
  Story story;
  story.set(0, "cab");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(story.due_letters(10 * i), "cab");
}

TEST(TargetGroupProbes, ANewIntervalCountsFromTheLastProbe) {
  Story story;
  story.set(0, "a");
  story.due(0);
  story.set(4, "ab");  // b is not yet probed
  TargetGroupSettings shorter = settings();
  shorter.health_check.interval = seconds(6);
  story.group.configure(at(5), shorter);
  EXPECT_EQ(story.group.next_wake(), at(4));
  EXPECT_EQ(story.due_letters(5), "b");
  EXPECT_EQ(story.due_letters(6), "a");
  shorter.health_check.interval = seconds(5);
  // a's next was at 12 and b's at 10; the last ones were at 6 and 4, so 11 and 9: both over, never in the past.
  story.group.configure(at(11.5), shorter);
  EXPECT_EQ(story.group.next_wake(), at(11.5));
  EXPECT_EQ(story.due_letters(11.5), "ab");
  EXPECT_EQ(story.group.next_wake(), at(16.5));
}

TEST(TargetGroupProbes, OverlappingProbesAreAppliedBySequence) {
  // A time-lapse run at speed 50: interval 0.2 s, timeout 0.25 s.
  TargetGroupSettings fast = settings();
  fast.health_check.unrestricted = true;
  fast.health_check.interval = milliseconds(200);
  fast.health_check.timeout = milliseconds(250);
  ASSERT_THAT(validate(fast), IsEmpty());
  Story story(fast);
  story.set(0, "a");
  const ProbeDue first = story.due(0).at(0);
  const ProbeDue second = story.due(0.2).at(0);
  EXPECT_GT(second.sequence, first.sequence);
  // The second answers before the first times out: the older news no longer counts.
  EXPECT_TRUE(story.group.observe(at(0.21), second.target, second.sequence, kGood));
  EXPECT_EQ(story.group.observe(at(0.25), first.target, first.sequence, kTimedOut), std::nullopt);
  // In order both count: two time-outs in a row eject.
  const ProbeDue third = story.due(0.4).at(0);
  const ProbeDue fourth = story.due(0.6).at(0);
  EXPECT_EQ(story.group.observe(at(0.65), third.target, third.sequence, kTimedOut), std::nullopt);
  const auto change = story.group.observe(at(0.85), fourth.target, fourth.sequence, kTimedOut);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->id, "a");
  EXPECT_EQ(change->transition.to.reason, TargetReason::kTimeout);
}

TEST(TargetGroupProbes, AnOutcomeCountsOnceAndOnlyIfItWasAskedFor) {
  Story story;
  story.set(0, "a");
  const ProbeDue probe = story.due(0).at(0);
  EXPECT_EQ(story.group.observe(at(0), probe.target, probe.sequence + 1, kGood), std::nullopt);
  EXPECT_EQ(story.group.observe(at(0), probe.target, probe.sequence, kBad), std::nullopt);
  EXPECT_EQ(story.group.observe(at(0), probe.target, probe.sequence, kBad), std::nullopt);
  EXPECT_EQ(story.states(), "a:initial");  // a second failure would have made it unhealthy
}

TEST(TargetGroupProbes, AnOutcomeForADrainingOrForgottenTargetIsIgnored) {
  Story story;
  story.set(0, "a");
  const ProbeDue probe = story.due(0).at(0);
  story.set(1, "");
  EXPECT_EQ(story.group.observe(at(2), probe.target, probe.sequence, kGood), std::nullopt);
  EXPECT_EQ(story.states(), "a:draining");
  story.expire(31);
  EXPECT_EQ(story.group.observe(at(32), probe.target, probe.sequence, kGood), std::nullopt);
  // Nor does it count for the target of the same name that comes after.
  story.set(33, "a");
  EXPECT_EQ(story.group.observe(at(33), probe.target, probe.sequence, kGood), std::nullopt);
  EXPECT_EQ(story.group.observe(at(33), story.id("a"), probe.sequence, kGood), std::nullopt);
  EXPECT_EQ(story.states(), "a:initial");
}

TEST(TargetGroupProbes, ADrainingTargetIsNotProbed) {
  Story story;
  story.set(0, "ab");
  EXPECT_EQ(story.due_letters(0), "ab");
  story.set(5, "b");
  EXPECT_EQ(story.due_letters(10), "b");
}

TEST(TargetGroupPick, TwoTargetsAlternateStrictlyAlsoAfterOneCameBack) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  EXPECT_EQ(story.picks(0, 5), "ababa");
  story.probe(10, "a");
  story.probe(20, "a");  // b is ejected
  EXPECT_EQ(story.picks(20, 3), "aaa");
  for (const double second : {30, 40, 50}) story.probe(second, "ab");
  EXPECT_EQ(story.picks(50, 4), "baba");
  // Probes without a transition leave the turns alone.
  story.probe(60, "ab");
  EXPECT_EQ(story.picks(60, 1), "b");
  story.probe(70, "a");
  EXPECT_EQ(story.picks(70, 2), "ab");
}

TEST(TargetGroupPick, TheShareOfAnEjectedTargetIsSpreadEvenly) {
  Story story;
  story.set(0, "abcd");
  story.probe(0, "abcd");
  const auto counts = [&](double now, int count) {
    std::map<char, int> result;
    for (const char letter : story.picks(now, count)) ++result[letter];
    return result;
  };
  EXPECT_EQ(counts(0, 1000), (std::map<char, int>{{'a', 250}, {'b', 250}, {'c', 250}, {'d', 250}}));
  story.probe(10, "acd");
  story.probe(20, "acd");
  EXPECT_EQ(counts(20, 999), (std::map<char, int>{{'a', 333}, {'c', 333}, {'d', 333}}));
  for (const double second : {30, 40, 50}) story.probe(second, "abcd");
  EXPECT_EQ(counts(50, 1000), (std::map<char, int>{{'a', 250}, {'b', 250}, {'c', 250}, {'d', 250}}));
}

TEST(TargetGroupPick, NeverGivesWhatWasTried) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  const TargetId a = story.id("a"), b = story.id("b");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(story.group.pick(at(0), story.random, std::vector{a}), b);
  EXPECT_EQ(story.group.pick(at(0), story.random, std::vector{a, b}), std::nullopt);
}

TEST(TargetGroupPick, WeightedRandomLeavesRoundRobin) {
  TargetGroupSettings random = settings();
  random.algorithm = Algorithm::kWeightedRandom;
  Story story(random);
  story.set(0, "abc");
  story.probe(0, "ab");
  const std::string letters = story.picks(0, 1000);
  // 500 each but for five standard deviations of sqrt(1000 / 4) = 15.8.
  EXPECT_NEAR(static_cast<double>(std::count(letters.begin(), letters.end(), 'a')), 500, 79);
  EXPECT_EQ(std::count(letters.begin(), letters.end(), 'c'), 0);
  // In turn there would be no pair.
  EXPECT_NE(letters.find("aa"), std::string::npos);
}

TEST(TargetGroupPick, DoesNotAllocate) {
  Story story;
  story.set(0, "abcdefgh");
  story.probe(0, "abcdefgh");
  const std::vector<TargetId> tried{story.id("c")};
  const auto observe = [&](const ProbeDue& probe, const ProbeOutcome& outcome) {
    story.group.observe(at(30), probe.target, probe.sequence, outcome);
  };
  // Also the first pick after a transition, to a shorter list and to a longer one.
  for (const double second : {10, 20}) story.probe(second, "abcd");
  for (const auto& probe : story.due(30)) observe(probe, kBad);
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) {
    const auto target = story.group.pick(at(30), story.random, tried);
    story.group.started(*target);
    story.group.finished(*target);
  }
  EXPECT_EQ(allocations, before);
  for (const auto& probe : story.due(40)) observe(probe, kBad);  // now all are unhealthy
  ASSERT_TRUE(story.group.failing_open());
  const std::size_t failing_open = allocations;
  for (int i = 0; i < 100; ++i) static_cast<void>(story.group.pick(at(40), story.random));
  EXPECT_EQ(allocations, failing_open);
}

TEST(TargetGroupFailOpen, UsesAllRegisteredWhenNoneIsHealthy) {
  Story story;
  story.set(0, "abc");
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.picks(0, 3), "abc");  // initial ones too
  story.probe(0, "a");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_EQ(story.picks(0, 2), "aa");
  story.probe(10, "");
  EXPECT_EQ(story.picks(10, 2), "aa");
  story.probe(20, "");  // now a is unhealthy too
  EXPECT_EQ(story.states(), "a:unhealthy b:unhealthy c:unhealthy");
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.picks(20, 6), "bcabca");
}

TEST(TargetGroupFailOpen, NeverUsesADrainingTarget) {
  Story story;
  story.set(0, "ab");
  story.probe(0, "ab");
  story.set(1, "b");
  story.probe(10, "");
  story.probe(20, "");
  EXPECT_EQ(story.states(), "a:draining b:unhealthy");
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.picks(20, 4), "bbbb");
  story.set(21, "");
  EXPECT_EQ(story.states(), "a:draining b:draining");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_EQ(story.picks(21, 2), "--");
}

TEST(TargetGroupFailOpen, TheMinimumOfHealthyTargetsIsASetting) {
  TargetGroupSettings two = settings();
  two.unhealthy_state_routing.count = 2;
  Story story(two);
  story.set(0, "abc");
  story.probe(0, "a");
  EXPECT_TRUE(story.group.failing_open());  // one of three, two are needed
  EXPECT_EQ(story.picks(0, 3), "abc");
  for (const double second : {10, 20, 30}) story.probe(second, "ab");
  EXPECT_EQ(story.states(), "a:healthy b:healthy c:unhealthy");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_EQ(story.picks(30, 4), "abab");
  two.unhealthy_state_routing.count = 3;
  story.group.configure(at(31), two);
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.picks(31, 3), "cab");
  // Too few, but none beside the healthy ones: nothing unhealthy is used.
  story.set(32, "ab");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_EQ(story.picks(32, 2), "ab");
}

TEST(TargetGroupAccepts, AnswersForOneTargetWhatAPickWouldDo) {
  Story story;
  const auto accepted = [&] {
    std::string result;
    for (const TargetStatus& status : story.group.status()) {
      if (story.group.accepts(status.target)) result += status.spec.id;
    }
    return result;
  };
  story.set(0, "abc");
  EXPECT_EQ(accepted(), "abc");  // failing open: initial ones too
  story.probe(0, "ab");
  EXPECT_EQ(accepted(), "ab");
  const TargetId a = story.id("a");
  story.set(1, "bc");
  EXPECT_EQ(accepted(), "b");
  story.probe(10, "");
  story.probe(20, "");
  EXPECT_EQ(accepted(), "bc");  // failing open, but not the one that drains
  story.expire(31);
  EXPECT_FALSE(story.group.accepts(a));
  EXPECT_FALSE(story.group.accepts(TargetId{99}));
}

TEST(TargetGroupJournal, TellsEveryTransition) {
  Story story;
  story.set(0, "a");
  story.probe(0, "a");
  story.probe(10, "");
  for (const ProbeDue& probe : story.due(20)) story.group.observe(at(22), probe.target, probe.sequence, kTimedOut);
  story.probe(30, "");
  for (const double second : {40, 50, 60}) story.probe(second, "a");
  story.set(61, "");
  story.expire(91);
  EXPECT_THAT(story.lines(),
              ElementsAre("0s a unused -> initial: Elb.InitialHealthChecking: Initial health checks in progress",
                          "0s a initial -> healthy",  //
                          "22s a healthy -> unhealthy: Target.Timeout: Request timed out",
                          "30s a unhealthy -> unhealthy: Target.ResponseCodeMismatch: Health checks failed with these "
                          "codes: [503]",
                          "1m a unhealthy -> healthy",
                          "61s a healthy -> draining: Target.DeregistrationInProgress: Target deregistration is in "
                          "progress",
                          "91s a draining -> unused: Target.NotRegistered: Target is not registered to the target "
                          "group"));
}

TEST(TargetGroup, WorksWithoutAJournalAndMoves) {
  TargetGroup first(settings(), nullptr);
  first.set_targets(at(0), specs("ab"));
  TargetGroup second(std::move(first));
  TargetGroup third(settings(), nullptr);
  third = std::move(second);
  EXPECT_EQ(third.status().size(), 2U);
  EXPECT_EQ(third.settings(), settings());
}

TEST(TargetGroupDeathTest, CountsThatCannotBeCrash) {
  Story story;
  story.set(0, "a");
  EXPECT_DEATH(story.group.started(TargetId{99}), "not registered");
  EXPECT_DEATH(static_cast<void>(story.group.finished(story.id("a"))), "more requests");
}

}  // namespace
}  // namespace rr
