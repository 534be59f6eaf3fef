// Trouble at every moment, one kind at a time: whatever fails, and whenever somebody presses Ctrl-C, a run ends with a
// verdict that is true, and the next one finishes the job or undoes it.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "tests/deploy/rollout/settled.h"

namespace rr::deploy {
namespace {

struct Image {
  const char* name;
  int status;
  int code;  // of an undisturbed release
};
constexpr Image kGood{"good", 200, kReleased}, kBad{"answers500", 500, kRolledBack};

using Case = std::tuple<Strategy, Image>;
std::string name_of(const testing::TestParamInfo<Case>& one) {
  return std::string(to_string(std::get<0>(one.param))) + "_" + std::get<1>(one.param).name;
}

class Trouble : public testing::TestWithParam<Case> {
 protected:
  /// An AWS in which the image of this case waits for its release.
  static PretendAws aws_at(Time now) {
    PretendAws aws(now);
    aws.images["ami-new"] = {"commit-new", std::get<1>(GetParam()).status, false, false};
    return aws;
  }
  static Plan plan() {
    Plan plan = release_plan("ami-new", std::get<0>(GetParam()));
    plan.patience = std::chrono::seconds(20);
    return plan;
  }
  static int code() { return std::get<1>(GetParam()).code; }

  static void roll_back(PretendAws& aws, Time& now, const std::string& context) {
    const Ran back = run(aws, rollback_plan(std::get<0>(GetParam())), now);
    EXPECT_EQ(back.code(), kReleased) << context << ": " << (back.verdict ? back.verdict->reason : "no verdict");
    expect_settled(aws, "6", context);
  }

  /// Undisturbed, the same command ends as it should.
  static void finish(PretendAws& aws, Time& now, const std::string& context) {
    for (int second = 0; second < 90; ++second) aws.pass(now += kSecond);  // the lease of whoever is gone is over
    const Ran again = run(aws, plan(), now);
    EXPECT_EQ(again.code(), code()) << context << ": " << (again.verdict ? again.verdict->reason : "no verdict");
    expect_settled(aws, code() == kReleased ? "7" : "6", context);
  }
};
INSTANTIATE_TEST_SUITE_P(Rollout, Trouble,
                         testing::Combine(testing::Values(Strategy::kRefresh, Strategy::kDouble),
                                          testing::Values(kGood, kBad)),
                         name_of);

/// The actions that a release and its way back make.
std::set<std::string> actions_of(PretendAws aws, const Plan& plan, Time now) {
  std::set<std::string> actions;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    actions.insert(action_of(command));
    return std::nullopt;
  };
  run(aws, plan, now);
  return actions;
}

enum class Effect { kNone, kHad };

/// `failure` answers this action always, from its `first` use on.
void fail(PretendAws& aws, const std::string& action, int first, const Failure& failure, Effect effect) {
  auto uses = std::make_shared<int>(0);
  aws.interfere = [=, &aws](const Command& command, int) -> std::optional<Event> {
    if (action_of(command) != action || (*uses)++ < first) return std::nullopt;
    if (effect == Effect::kHad) aws.carry_out(command);
    return failure;
  };
}

TEST_P(Trouble, ACallThatFailsForGoodEndsWithATrueVerdictAndTheNextRunFinishes) {
  const Failure failures[] = {{Failure::Kind::kTransient, "", "HTTP 500 with nothing that AWS would say"},
                              {Failure::Kind::kDenied, "AccessDenied", "AccessDenied"},
                              {Failure::Kind::kRefused, "ValidationError", "ValidationError"}};
  for (const std::string& action : actions_of(aws_at(kStart), plan(), kStart)) {
    for (const Failure& failure : failures) {
      for (const int first : {0, 1, 2, 5}) {
        for (const Effect effect : {Effect::kNone, Effect::kHad}) {
          // What AWS refuses it has not done; of what got lost nobody knows.
          if (effect == Effect::kHad && failure.kind != Failure::Kind::kTransient) continue;
          const std::string context = action + " fails from use " + std::to_string(first) + " on with " +
                                      failure.message + (effect == Effect::kHad ? ", and works" : "");
          Time now = kStart;
          PretendAws aws = aws_at(now);
          fail(aws, action, first, failure, effect);
          const Ran ran = run(aws, plan(), now);
          ASSERT_TRUE(ran.verdict) << context << " and the run has no end";
          EXPECT_TRUE((std::set<int>{kReleased, kRefused, kRolledBack, kRollbackFailed}.count(ran.code()))) << context;
          if (ran.code() != kRollbackFailed) {
            EXPECT_EQ(aws.group.version, ran.code() == kReleased ? "7" : "6") << context;
          }
          aws.interfere = nullptr;
          // After an 11 both are right: the same command, and the rollback of the runbook.
          if (ran.code() == kRollbackFailed && first % 2 == 0) {
            roll_back(aws, now, context);
          } else {
            finish(aws, now, context);
          }
        }
      }
    }
  }
}

TEST_P(Trouble, AnInterruptAtEveryCallGoesBackOrComesTooLate) {
  for (int at = 0;; ++at) {
    Time now = kStart;
    PretendAws aws = aws_at(now);
    Options options;
    options.interrupt_at = at;
    const Ran ran = run(aws, plan(), now, options);
    if (ran.calls <= at) break;
    const std::string context = "interrupted at call " + std::to_string(at);
    const bool released = ran.code() == kReleased;
    EXPECT_TRUE(ran.code() == kRolledBack || (released && code() == kReleased)) << context << ": " << ran.code();
    expect_settled(aws, released ? "7" : "6", context);
  }
}

TEST_P(Trouble, OneThatWasKilledCanBeInterruptedAtEveryCallOfTheRunThatTakesItUp) {
  for (int killed = 8;; killed += 5) {
    for (int at = 0; at < 24; ++at) {
      Time now = kStart;
      PretendAws aws = aws_at(now);
      Options options;
      options.kill_at = killed;
      options.killed = Killed::kAfterCall;
      if (run(aws, plan(), now, options).verdict) return;
      Options again;
      again.interrupt_at = at;
      const Ran ran = run(aws, plan(), now, again);
      const std::string context = "killed at call " + std::to_string(killed) + ", interrupted at " + std::to_string(at);
      ASSERT_TRUE(ran.verdict) << context;
      // In preflight it has taken nothing over yet, and leaves everything to the next.
      if (ran.code() == kRefused) {
        EXPECT_TRUE(ran.said("stays as it is")) << context << ": " << ran.verdict->reason;
        finish(aws, now, context);
        continue;
      }
      EXPECT_TRUE(ran.code() == kRolledBack || ran.code() == code()) << context << ": " << ran.verdict->reason;
      expect_settled(aws, ran.code() == kReleased ? "7" : "6", context);
    }
  }
}

}  // namespace
}  // namespace rr::deploy
