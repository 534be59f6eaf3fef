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
