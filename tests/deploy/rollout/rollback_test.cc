// Rollbacks that somebody asks for, and doubling, against the pretended AWS.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/deploy/rollout/settled.h"

namespace rr::deploy {
namespace {

class RollingBack : public testing::Test {
 protected:
  Time now = kStart;
  PretendAws aws{kStart};
};
using Doubling = RollingBack;

// -- rollback

TEST_F(RollingBack, GoesToThePreviousVersionAndASecondOneDoesNotBounceBack) {
  ASSERT_EQ(run(aws, release_plan(), now).code(), kReleased);
  const Ran back = run(aws, rollback_plan(), now);
  EXPECT_EQ(back.code(), kReleased) << back.verdict->reason;
  EXPECT_TRUE(back.said("back from version 7 (commit commit-new) to version 6 (commit commit-old)"));
  EXPECT_TRUE(back.said("minutes"));
  expect_settled(aws, "6");
  EXPECT_EQ(aws.record->outcome, Outcome::kRolledBack);
  EXPECT_EQ(aws.record->left->version, "7");
  const std::size_t calls = aws.calls.size();
  const Ran again = run(aws, rollback_plan(), now);
  EXPECT_EQ(again.code(), kReleased);
  EXPECT_TRUE(again.said("nothing to do")) << again.verdict->reason;
  EXPECT_EQ(aws.calls.size(), calls);
  expect_settled(aws, "6");
}

TEST_F(RollingBack, AfterAReleaseThatRolledItselfBackThereIsNothingToDo) {
  aws.images["ami-new"].status = 500;
  ASSERT_EQ(run(aws, release_plan(), now).code(), kRolledBack);
  const Ran back = run(aws, rollback_plan(), now);
  EXPECT_EQ(back.code(), kReleased);
  EXPECT_TRUE(back.said("nothing to do"));
  expect_settled(aws, "6");
}

TEST_F(RollingBack, IsAdmittedWithAlarmsUnhealthyTargetsAndSuspendedProcesses) {
  ASSERT_EQ(run(aws, release_plan(), now).code(), kReleased);
  aws.images["ami-new"].status = 500;
  aws.alarms[0].state = "ALARM";
  aws.group.suspended = {"Launch", "InstanceRefresh"};
  std::optional<StartRefresh> started;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (const auto* start = std::get_if<StartRefresh>(&command)) started = *start;
    return std::nullopt;
  };
  const Ran back = run(aws, rollback_plan(), now);
  EXPECT_EQ(back.code(), kReleased) << back.verdict->reason;
  expect_settled(aws, "6");
  // No bake, no alarms, nothing to roll back to.
  EXPECT_EQ(*started, (StartRefresh{"web", "lt-1", "6", false, 15, 0, {}}));
}

TEST_F(RollingBack, OfARunningReleaseTurnsItsRefresh) {
  Options options;
  options.kill_at = 40;
  options.killed = Killed::kAfterCall;
  const Ran release = run(aws, release_plan(), now, options);
  ASSERT_EQ(release.phases.back(), Phase::kWatch);
  aws.holder_gone = false;  // it lives; its lock is taken away
  const Ran back = run(aws, rollback_plan(), now);
  EXPECT_EQ(back.code(), kReleased) << back.verdict->reason;
  EXPECT_TRUE(back.said("the rollback takes its lock"));
  EXPECT_EQ(std::count(aws.calls.begin(), aws.calls.end(), "RollbackInstanceRefresh"), 1);
  expect_settled(aws, "6");
}

TEST_F(RollingBack, ToANumberGoesThere) {
  Plan plan = rollback_plan();
  plan.to = "5";
  const Ran back = run(aws, plan, now);
  EXPECT_EQ(back.code(), kReleased) << back.verdict->reason;
  expect_settled(aws, "5");
}

TEST_F(RollingBack, ToAPrunedImageIsRefusedAndNamesThoseThatRemain) {
  aws.images.erase("ami-ancient");
  Plan plan = rollback_plan();
  plan.to = "5";
  const Ran back = run(aws, plan, now);
  EXPECT_EQ(back.code(), kRefused);
  EXPECT_TRUE(back.said("version 5 needs image ami-ancient, which is gone; there remain 6"))
      << testing::PrintToString(back.notes);
  EXPECT_TRUE(aws.calls.empty());
}

TEST_F(RollingBack, WithoutARecordTakesTheNextOlderVersionThatCanBeLaunched) {
  const Ran back = run(aws, rollback_plan(), now);
  EXPECT_EQ(back.code(), kReleased) << back.verdict->reason;
  expect_settled(aws, "5");
}

TEST_F(RollingBack, KilledAtEveryCallAndRunAgainArrives) {
  for (const Strategy strategy : {Strategy::kRefresh, Strategy::kDouble}) {
    for (int at = 0;; ++at) {
      Time then = kStart;
      PretendAws again(then);
      ASSERT_EQ(run(again, release_plan("ami-new", strategy), then).code(), kReleased);
      Options options;
      options.kill_at = at;
      options.killed = at % 2 == 0 ? Killed::kAfterCall : Killed::kBeforeCall;
      const Ran first = run(again, rollback_plan(strategy), then, options);
      if (first.verdict) break;
      const Ran second = run(again, rollback_plan(strategy), then);
      const std::string context = "killed at call " + std::to_string(at) + " in " + to_string(first.phases.back());
      EXPECT_EQ(second.code(), kReleased) << context << ": " << second.verdict->reason;
      expect_settled(again, "6", context);
    }
  }
}

// -- double

TEST_F(Doubling, ChecksWhoLeavesAndCorrectsTheTerminationPolicy) {
  aws.wrong_victims = true;
  const Ran result = run(aws, release_plan("ami-new", Strategy::kDouble), now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  EXPECT_TRUE(result.said("is ended by name"));
  expect_settled(aws, "7");
  EXPECT_EQ(result.failed, 0u);
}

TEST_F(Doubling, WorksWhereThereAreNoRefreshesAndInstancesTakeTheGroupsVersion) {
  aws.refreshes_known = false;
  aws.versions_jump = true;
  ASSERT_EQ(run(aws, release_plan("ami-new", Strategy::kDouble), now).code(), kReleased);
  expect_settled(aws, "7");
  aws.images["ami-ancient"].status = 500;
  EXPECT_EQ(run(aws, release_plan("ami-ancient", Strategy::kDouble), now).code(), kRolledBack);
  expect_settled(aws, "7");
  EXPECT_EQ(run(aws, rollback_plan(Strategy::kDouble), now).code(), kReleased);
}

TEST_F(Doubling, SuspendsOnlyWhatWasNotSuspendedAndResumesOnlyThat) {
  aws.group.suspended = {"AZRebalance"};
  ASSERT_EQ(run(aws, release_plan("ami-new", Strategy::kDouble), now).code(), kReleased);
  EXPECT_EQ(aws.group.suspended, std::vector<std::string>{"AZRebalance"});
}

TEST_F(Doubling, NewOnesInOneZoneAreSpreadBeforeAnybodyLeaves) {
  // While the second of the new ones is launched, the first zone has no room; later it has.
  bool crowded = false;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (const auto* size = std::get_if<SetDesired>(&command); size != nullptr && size->desired == 4)
      aws.full_zone = "eu-west-1a";
    if (std::holds_alternative<TerminateInstance>(command)) {
      crowded = true;
      aws.full_zone.clear();
    }
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan("ami-new", Strategy::kDouble), now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  EXPECT_TRUE(crowded);
  EXPECT_TRUE(result.said("the new instances stand in eu-west-1b only")) << testing::PrintToString(result.notes);
  expect_settled(aws, "7");
  EXPECT_NE(aws.group.instances[0].zone, aws.group.instances[1].zone);
  EXPECT_EQ(result.failed, 0u);
}

TEST_F(Doubling, NewOnesThatAllStayInOneZoneAreNoRelease) {
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (std::holds_alternative<SetDesired>(command)) aws.full_zone = "eu-west-1a";
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan("ami-new", Strategy::kDouble), now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_TRUE(result.said("stand in eu-west-1b only, the former in 2 zones")) << result.verdict->reason;
  expect_settled(aws, "6");
  EXPECT_NE(aws.group.instances[0].zone, aws.group.instances[1].zone) << "the former ones were never touched";
}

TEST_F(Doubling, ATierThatStoodInOneZoneMayStayThere) {
  for (Instance& instance : aws.group.instances) instance.zone = "eu-west-1b";
  aws.full_zone = "eu-west-1a";
  EXPECT_EQ(run(aws, release_plan("ami-new", Strategy::kDouble), now).code(), kReleased);
  expect_settled(aws, "7");
}

TEST_F(Doubling, TheTimeInWhichNobodyWasAtItDoesNotCountButTheTimeOfEveryRunDoes) {
  aws.images["ami-new"].crashes = true;  // never healthy
  const Plan plan = release_plan("ami-new", Strategy::kDouble);
  Duration watched{};
  int runs = 0;
  for (bool over = false; !over && runs < 10; ++runs) {
    Options options;
    options.kill_after = std::chrono::seconds(50);
    const Time began = now;
    const Ran result = run(aws, release_plan("ami-new", Strategy::kDouble), now, options);
    watched += now - began;
    over = result.verdict.has_value() || result.said("not through after");
    now += std::chrono::hours(1);
  }
  // Two minutes of fifty-second runs that each renew what was counted every twenty seconds.
  EXPECT_GE(watched, plan.deadline);
  EXPECT_LE(runs, 5);
  EXPECT_GE(runs, 3);
}

TEST_F(Doubling, NeverLetsAnOldOneGoBeforeTheNewOnesAnswer) {
  int least = 2;
  aws.interfere = [&](const Command&, int) -> std::optional<Event> {
    int old = 0;
    for (const Instance& instance : aws.group.instances) old += instance.version == "6" ? 1 : 0;
    if (aws.versions_in_service().count("7") != 0 && old < 2 && aws.group.instances.size() > 2)
      least = std::min(least, old);
    return std::nullopt;
  };
  ASSERT_EQ(run(aws, release_plan("ami-new", Strategy::kDouble), now).code(), kReleased);
  EXPECT_EQ(least, 2);
}

}  // namespace
}  // namespace rr::deploy
