// Releases and rollbacks from end to end, against the pretended AWS.
#include "deploy/rollout/rollout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/deploy/rollout/settled.h"

namespace rr::deploy {
namespace {

class EachStrategy : public testing::TestWithParam<Strategy> {
 protected:
  Time now = kStart;
  PretendAws aws{kStart};
};
INSTANTIATE_TEST_SUITE_P(Rollout, EachStrategy, testing::Values(Strategy::kRefresh, Strategy::kDouble),
                         [](const auto& one) { return std::string(to_string(one.param)); });

TEST_P(EachStrategy, AGoodImageIsReleased) {
  const Ran result = run(aws, release_plan("ami-new", GetParam()), now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  expect_settled(aws, "7");
  ASSERT_TRUE(aws.record);
  EXPECT_EQ(aws.record->outcome, Outcome::kReleased);
  EXPECT_EQ(aws.record->current.commit, "commit-new");
  EXPECT_EQ(aws.record->current.version, "7");
  ASSERT_TRUE(aws.record->previous);
  EXPECT_EQ(aws.record->previous->version, "6");
  EXPECT_EQ(aws.record->previous->commit, "commit-old");
  EXPECT_EQ(result.failed, 0u);
}

struct BadImage {
  const char* name;
  ImageBehaviour behaviour;
  const char* said;
};

class EachBadImage : public testing::TestWithParam<std::tuple<Strategy, BadImage>> {};
INSTANTIATE_TEST_SUITE_P(
    Rollout, EachBadImage,
    testing::Combine(testing::Values(Strategy::kRefresh, Strategy::kDouble),
                     testing::Values(BadImage{"crashes", {"commit-new", 200, true, false}, "going back"},
                                     BadImage{"answers500", {"commit-new", 500, false, false}, "HTTP 500"},
                                     BadImage{"isSlow", {"commit-new", 200, false, true}, "slower than 2s"},
                                     BadImage{
                                         "hasTheWrongCommit", {"commit-other", 200, false, false}, "commit-other"})),
    [](const auto& one) { return std::string(to_string(std::get<0>(one.param))) + "_" + std::get<1>(one.param).name; });

TEST_P(EachBadImage, IsRolledBack) {
  const auto& [strategy, bad] = GetParam();
  Time now = kStart;
  PretendAws aws(now);
  aws.images["ami-new"] = bad.behaviour;
  Plan plan = release_plan("ami-new", strategy);
  plan.commit = "commit-new";
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_TRUE(result.said(bad.said)) << result.verdict->reason;
  expect_settled(aws, "6");
  EXPECT_FALSE(has_version(aws, 7)) << "a failed version must not stay the latest";
  ASSERT_TRUE(aws.record);
  EXPECT_EQ(aws.record->outcome, Outcome::kRolledBack);
  EXPECT_EQ(aws.record->current.version, "6");
  EXPECT_EQ(aws.record->left->version, "7");
}

TEST_P(EachStrategy, AnAlarmInTheBakeTimeRollsBack) {
  Plan plan = release_plan("ami-new", GetParam());
  aws.alarm_in_bake = std::chrono::seconds(10);
  bool baking = false;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    // Doubling bakes here: the alarm goes off once the group is halved.
    baking = baking || (GetParam() == Strategy::kDouble && std::holds_alternative<SetDesired>(command) &&
                        std::get<SetDesired>(command).desired == 2);
    if (baking && std::holds_alternative<DescribeAlarms>(command))
      return Reply{std::vector<Alarm>{{"web-5xx", "ALARM"}}};
    return std::nullopt;
  };
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_TRUE(result.said("ALARM"));
  expect_settled(aws, "6");
}

TEST_P(EachStrategy, AnInterruptGoesBack) {
  // At every tenth of a second of a release; afterwards all is as before, or it was through already.
  const Time begin = now;
  const Ran whole = run(aws, release_plan("ami-new", GetParam()), now);
  ASSERT_EQ(whole.code(), kReleased);
  const Duration length = now - begin;
  for (Duration at{}; at < length; at += length / 40) {
    Time then = kStart;
    PretendAws again(then);
    Options options;
    options.interrupt_after = at;
    const Ran result = run(again, release_plan("ami-new", GetParam()), then, options);
    const std::string context = "interrupted after " + format_duration(at);
    EXPECT_TRUE(result.code() == kRolledBack || result.code() == kReleased) << context;
    expect_settled(again, result.code() == kReleased ? "7" : "6", context);
    EXPECT_EQ(has_version(again, 7), result.code() == kReleased) << context;
  }
}

struct KillCase {
  const char* name;
  ImageBehaviour behaviour;
  int code;  // of the run after the killed one
};
class Killing : public testing::TestWithParam<std::tuple<Strategy, KillCase, Killed>> {};
INSTANTIATE_TEST_SUITE_P(
    Rollout, Killing,
    testing::Combine(testing::Values(Strategy::kRefresh, Strategy::kDouble),
                     testing::Values(KillCase{"good", {"commit-new", 200, false, false}, kReleased},
                                     KillCase{"crashes", {"commit-new", 200, true, false}, kRolledBack},
                                     KillCase{"answers500", {"commit-new", 500, false, false}, kRolledBack}),
                     testing::Values(Killed::kBeforeCall, Killed::kAfterCall)),
    [](const auto& one) {
      return std::string(to_string(std::get<0>(one.param))) + "_" + std::get<1>(one.param).name +
             (std::get<2>(one.param) == Killed::kBeforeCall ? "_before" : "_after");
    });

TEST_P(Killing, AtEveryCallAndRunAgainFinishesOrUndoes) {
  const auto& [strategy, kill, killed] = GetParam();
  for (int at = 0;; ++at) {
    Time now = kStart;
    PretendAws aws(now);
    aws.images["ami-new"] = kill.behaviour;
    Options options;
    options.kill_at = at;
    options.killed = killed;
    const Ran first = run(aws, release_plan("ami-new", strategy), now, options);
    if (first.verdict) {
      EXPECT_GT(at, 20) << "the whole of a release is more calls than that";
      break;
    }
    // A while later, so that what AWS does by itself goes on meanwhile.
    for (int second = 0; second < at % 40; ++second) aws.pass(now += kSecond);
    Ran again = run(aws, release_plan("ami-new", strategy), now);
    const std::string context = "killed at call " + std::to_string(at) + " in " + to_string(first.phases.back());
    EXPECT_EQ(again.code(), kill.code) << context << ": " << again.verdict->reason;
    expect_settled(aws, kill.code == kReleased ? "7" : "6", context);
  }
}

TEST_P(Killing, AtEveryCallAndRollBackInsteadEndsWithTheFormerVersion) {
  const auto& [strategy, kill, killed] = GetParam();
  for (int at = 0;; ++at) {
    Time now = kStart;
    PretendAws aws(now);
    aws.images["ami-new"] = kill.behaviour;
    aws.record = Record{};
    aws.record->current = {"6", "ami-old", "", "commit-old", "", std::nullopt};
    aws.record->previous = Released{"5", "ami-ancient", "", "commit-ancient", "", std::nullopt};
    Options options;
    options.kill_at = at;
    options.killed = killed;
    const Ran first = run(aws, release_plan("ami-new", strategy), now, options);
    if (first.verdict) break;
    const bool begun = aws.lock.has_value() && !aws.lock->to.version.empty();
    if (!begun) continue;  // then it is a rollback of what served before, as if there had been no release
    const Ran back = run(aws, rollback_plan(strategy), now);
    const std::string context = "killed at call " + std::to_string(at) + " in " + to_string(first.phases.back());
    EXPECT_EQ(back.code(), kReleased) << context << ": " << back.verdict->reason;
    expect_settled(aws, "6", context);
  }
}

TEST_P(EachStrategy, ThrottlingAndServerErrorsAreWaitedOut) {
  const Plan plan = release_plan("ami-new", GetParam());
  aws.interfere = [&](const Command& command, int number) -> std::optional<Event> {
    // Every third call once the lock is held; a call that changes something has its effect or has not.
    if (!aws.lock || number % 3 != 0) return std::nullopt;
    if (number % 2 == 0) return Failure{Failure::Kind::kTransient, "Throttling", "Rate exceeded"};
    aws.carry_out(command);
    return Failure{Failure::Kind::kTransient, "", "HTTP 503 after the effect"};
  };
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  expect_settled(aws, "7");
}

TEST_P(EachStrategy, ALostNetworkEndsAfterItsPatienceAndTheNextRunFinishes) {
  bool lost = false;
  const Time begin = now;
  aws.interfere = [&](const Command&, int) -> std::optional<Event> {
    lost = lost || now - begin > std::chrono::seconds(25);
    if (!lost) return std::nullopt;
    return Failure{Failure::Kind::kTransient, "", "could not connect"};
  };
  const Ran result = run(aws, release_plan("ami-new", GetParam()), now);
  EXPECT_EQ(result.code(), kRollbackFailed);
  EXPECT_TRUE(result.said("takes it up again"));
  aws.interfere = nullptr;
  const Ran again = run(aws, release_plan("ami-new", GetParam()), now);
  EXPECT_EQ(again.code(), kReleased) << again.verdict->reason;
  expect_settled(aws, "7");
}

TEST_P(EachStrategy, CredentialsThatExpireInTheMiddleAreNamedAndTheNextRunFinishes) {
  const Time begin = now;
  aws.interfere = [&](const Command&, int) -> std::optional<Event> {
    if (now - begin < std::chrono::seconds(22)) return std::nullopt;
    return Failure{Failure::Kind::kExpired, "ExpiredToken", "ExpiredToken: the security token is expired"};
  };
  const Ran result = run(aws, release_plan("ami-new", GetParam()), now);
  EXPECT_EQ(result.code(), kRollbackFailed);
  EXPECT_TRUE(result.said("credentials are not valid any more"));
  aws.interfere = nullptr;
  EXPECT_EQ(run(aws, release_plan("ami-new", GetParam()), now).code(), kReleased);
  expect_settled(aws, "7");
}

TEST_P(EachStrategy, ARollbackTakesTheLockAndTheReleaseEndsWithTen) {
  bool taken = false;
  Time begin = now;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (!taken && now - begin > std::chrono::seconds(15) && std::holds_alternative<ReadLock>(command)) {
      taken = true;
      Job rollback = *aws.lock;
      rollback.kind = JobKind::kRollback;
      rollback.token = "the rollback's";
      rollback.owner = "ops@laptop";
      return Reply{Lock{rollback, Duration{}, false}};
    }
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan("ami-new", GetParam()), now);
  EXPECT_EQ(result.code(), kRolledBack);
  EXPECT_TRUE(result.said("rollback of ops@laptop has taken over")) << result.verdict->reason;
  EXPECT_TRUE(aws.lock) << "it is not this run's any more";
}

class Refreshing : public testing::Test {
 protected:
  Time now = kStart;
  PretendAws aws{kStart};
};
using Preflight = Refreshing;

TEST_F(Refreshing, StartsWithLaunchBeforeTerminateAndTheNumberAsDesiredConfiguration) {
  std::optional<StartRefresh> started;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (const auto* start = std::get_if<StartRefresh>(&command)) started = *start;
    return std::nullopt;
  };
  ASSERT_EQ(run(aws, release_plan(), now).code(), kReleased);
  ASSERT_TRUE(started);
  EXPECT_EQ(*started, (StartRefresh{"web", "lt-1", "7", true, 15, 20, {"web-5xx"}}));
}

TEST_F(Refreshing, CancelledByAThirdPartyGoesBackWithARefreshOfItsOwn) {
  aws.cancels_at = now + std::chrono::seconds(10);
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_TRUE(result.said("cancelled by somebody else"));
  expect_settled(aws, "6");
}

TEST_F(Refreshing, SomebodyElsesInTheLastMomentIsLeftAlone) {
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (!std::holds_alternative<StartRefresh>(command) || aws.refresh_active()) return std::nullopt;
    Refresh other;
    other.id = "other";
    other.status = RefreshStatus::kInProgress;
    other.version = "5";
    aws.refreshes.insert(aws.refreshes.begin(), other);
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said("somebody else started"));
  EXPECT_FALSE(aws.lock);
  EXPECT_FALSE(has_version(aws, 7));
  EXPECT_EQ(std::count(aws.calls.begin(), aws.calls.end(), "RollbackInstanceRefresh"), 0);
}

TEST_F(Refreshing, WhatMayNotBeStartedLeavesNothingBehind) {
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (!std::holds_alternative<StartRefresh>(command)) return std::nullopt;
    return Failure{Failure::Kind::kDenied, "AccessDenied", "StartInstanceRefresh: AccessDenied: not allowed"};
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said("AccessDenied"));
  expect_settled(aws, "6");
  EXPECT_FALSE(has_version(aws, 7));
  EXPECT_FALSE(aws.record);
}

TEST_F(Refreshing, ARollbackThatAwsRefusesIsDoneByCancellingAndAnotherRefresh) {
  aws.images["ami-new"].status = 500;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (!std::holds_alternative<RollbackRefresh>(command)) return std::nullopt;
    return Failure{Failure::Kind::kRefused, "IrreversibleInstanceRefresh", "no"};
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  expect_settled(aws, "6");
}

TEST_F(Refreshing, ABadImageThatShowsOnlyAfterSuccessIsReplacedByTheFormer) {
  Plan plan = release_plan();
  plan.bake = Duration{};
  aws.interfere = [&](const Command&, int) -> std::optional<Event> {
    if (!aws.refreshes.empty() && aws.refreshes.front().status == RefreshStatus::kSuccessful &&
        aws.refreshes.front().version == "7") {
      aws.images["ami-new"].status = 502;
    }
    return std::nullopt;
  };
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_EQ(std::count(aws.calls.begin(), aws.calls.end(), "StartInstanceRefresh"), 2);
  expect_settled(aws, "6");
}

TEST_F(Refreshing, BackToAVersionThatDoesNotWorkEitherIsElevenAndSaysSo) {
  aws.images["ami-new"].crashes = true;
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (std::holds_alternative<StartRefresh>(command)) aws.images["ami-old"].status = 500;
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRollbackFailed);
  EXPECT_TRUE(result.said("does not prove it")) << result.verdict->reason;
  EXPECT_FALSE(aws.lock) << "whoever repairs it must not find it locked";
  EXPECT_EQ(aws.record->outcome, Outcome::kBroken);
}

TEST_F(Refreshing, OldVersionsArePrunedButNotThoseInUse) {
  Plan plan = release_plan();
  plan.keep_versions = 2;
  ASSERT_EQ(run(aws, plan, now).code(), kReleased);
  EXPECT_TRUE(has_version(aws, 7));
  EXPECT_TRUE(has_version(aws, 6)) << "the way back";
  EXPECT_TRUE(has_version(aws, 5)) << "the default version cannot be deleted";
}

TEST_F(Refreshing, WhatServesAlreadyAndStandsInNoRecordIsProvedAndWrittenDown) {
  const Ran first = run(aws, release_plan("ami-old"), now);
  EXPECT_EQ(first.code(), kReleased) << first.verdict->reason;
  EXPECT_EQ(aws.calls,
            (std::vector<std::string>{"PutParameter (lock)", "PutParameter (record)", "DeleteParameter (lock)"}));
  ASSERT_TRUE(aws.record);
  EXPECT_EQ(aws.record->outcome, Outcome::kReleased);
  EXPECT_EQ(aws.record->current.version, "6");
  EXPECT_EQ(aws.record->current.commit, "commit-old");
  EXPECT_TRUE(aws.record->current.at);
  EXPECT_FALSE(aws.record->previous) << "nothing is known of what was before";
  expect_settled(aws, "6");
  EXPECT_TRUE(run(aws, release_plan("ami-old"), now).said("nothing to do"));
}

TEST_F(Refreshing, WhatIsOnlyToBeRecordedAndDoesNotProveItselfIsRefusedAndLeftAsItIs) {
  aws.images["ami-old"].commit = "commit-unexpected";
  Plan plan = release_plan("ami-old");
  plan.commit = "commit-old";
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRefused) << result.verdict->reason;
  EXPECT_TRUE(result.said("nothing was changed")) << result.verdict->reason;
  EXPECT_FALSE(aws.record);
  expect_settled(aws, "6");
  EXPECT_TRUE(has_version(aws, 6));
}

TEST_F(Refreshing, WhatIsOnlyToBeRecordedCanBeKilledAtEveryCall) {
  for (int at = 0;; ++at) {
    Time then = kStart;
    PretendAws again(then);
    Options options;
    options.kill_at = at;
    options.killed = at % 2 == 0 ? Killed::kAfterCall : Killed::kBeforeCall;
    const Ran first = run(again, release_plan("ami-old"), then, options);
    if (first.verdict) break;
    PretendAws other = again;
    Time later = then;
    EXPECT_EQ(run(again, release_plan("ami-old"), then).code(), kReleased) << at;
    EXPECT_EQ(again.record->current.version, "6") << at;
    expect_settled(again, "6", std::to_string(at));
    // A rollback in its place goes where it would have gone without it.
    EXPECT_EQ(run(other, rollback_plan(), later).code(), kReleased) << at;
    expect_settled(other, "5", std::to_string(at));
  }
}

TEST_F(Refreshing, TheDeadlineCountsFromTheRefreshsStartForWhoeverTakesItUpAgain) {
  aws.images["ami-new"].crashes = true;
  aws.gives_up = std::chrono::hours(1);  // as at AWS
  Options options;
  options.kill_at = 40;
  options.killed = Killed::kAfterCall;
  ASSERT_EQ(run(aws, release_plan(), now, options).phases.back(), Phase::kWatch);
  const Plan plan = release_plan();
  now += plan.deadline + plan.bake;
  const Time began = now;
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRolledBack) << result.verdict->reason;
  EXPECT_TRUE(result.said("not through after"));
  // The way back only: the old instances are still there, so it is quicker than a launch, warm-up and proof.
  EXPECT_LT(now - began, std::chrono::seconds(60));
  expect_settled(aws, "6");
}

TEST_F(Refreshing, ARefreshThatSucceededWhileNobodyLookedIsProvedHoweverLateItIs) {
  Options options;
  options.kill_at = 40;
  options.killed = Killed::kAfterCall;
  ASSERT_EQ(run(aws, release_plan(), now, options).phases.back(), Phase::kWatch);
  for (int minute = 0; minute < 60; ++minute) aws.pass(now += std::chrono::minutes(1));
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  expect_settled(aws, "7");
}

TEST_F(Refreshing, TheSameImageAgainIsNothingToDo) {
  ASSERT_EQ(run(aws, release_plan(), now).code(), kReleased);
  const std::size_t calls = aws.calls.size();
  const Ran again = run(aws, release_plan(), now);
  EXPECT_EQ(again.code(), kReleased);
  EXPECT_TRUE(again.said("nothing to do"));
  EXPECT_EQ(aws.calls.size(), calls);
}

struct Refusal {
  const char* name;
  std::function<void(PretendAws&, Plan&)> spoil;
  const char* said;
};

class EachRefusal : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(
    Preflight, EachRefusal,
    testing::Values(
        Refusal{"wrongAccount", [](PretendAws&, Plan& p) { p.account = "999999999999"; }, "settings say 999999999999"},
        Refusal{"noImage", [](PretendAws&, Plan& p) { p.lane = ImageLane{"ami-none"}; }, "no image ami-none"},
        Refusal{"latestVersion", [](PretendAws& a, Plan&) { a.group.version = "$Latest"; }, "must be a number"},
        Refusal{"nothingWanted",
                [](PretendAws& a, Plan&) {
                  a.group.desired = 0;
                  a.group.instances.clear();
                },
                "nothing to release to"},
        Refusal{"suspended", [](PretendAws& a, Plan&) { a.group.suspended = {"Launch"}; }, "has suspended Launch"},
        Refusal{"alarm", [](PretendAws& a, Plan&) { a.alarms[0].state = "ALARM"; }, "alarm web-5xx is in ALARM"},
        Refusal{"noSuchAlarm",
                [](PretendAws&, Plan& p) {
                  p.alarms = {"web-5xx", "web-lost"};
                },
                "no alarm web-lost"},
        Refusal{"unhealthy", [](PretendAws& a, Plan&) { a.unhealthy = 1; }, "1 of 2 targets are healthy"},
        Refusal{"noCommit", [](PretendAws& a, Plan&) { a.images["ami-new"].commit = ""; }, "has no tag Commit"},
        Refusal{"refresh",
                [](PretendAws& a, Plan&) {
                  Refresh other;
                  other.id = "other";
                  other.status = RefreshStatus::kInProgress;
                  other.version = "5";
                  a.refreshes = {other};
                },
                "started by somebody else"},
        Refusal{"noRoomToDouble",
                [](PretendAws& a, Plan& p) {
                  a.group.max_size = 3;
                  p.strategy = Strategy::kDouble;
                },
                "doubling 2 needs 4"},
        Refusal{"protectedFromScaleIn",
                [](PretendAws& a, Plan& p) {
                  a.group.instances[0].protected_from_scale_in = true;
                  p.strategy = Strategy::kDouble;
                },
                "protected from scale-in"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_P(EachRefusal, IsNamedAndNothingIsTouched) {
  Time now = kStart;
  PretendAws aws(now);
  Plan plan = release_plan();
  GetParam().spoil(aws, plan);
  const Ran result = run(aws, plan, now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said(GetParam().said)) << testing::PrintToString(result.notes);
  EXPECT_TRUE(aws.calls.empty()) << testing::PrintToString(aws.calls);
}

TEST_F(Preflight, EveryProblemIsNamedAtOnce) {
  aws.group.suspended = {"Terminate"};
  aws.alarms[0].state = "ALARM";
  Plan plan = release_plan("ami-none");
  const Ran result = run(aws, plan, now);
  for (const char* text : {"Terminate", "ALARM", "ami-none"}) EXPECT_TRUE(result.said(text)) << text;
}

TEST_F(Preflight, ForceReleasesInSpiteOfAlarmsAndWithoutThem) {
  aws.alarms[0].state = "ALARM";
  Plan plan = release_plan();
  plan.force = true;
  EXPECT_EQ(run(aws, plan, now).code(), kReleased);
}

TEST_F(Preflight, AnImageOfAnotherArchitectureIsNamed) {
  aws.interfere = [](const Command& command, int) -> std::optional<Event> {
    if (std::holds_alternative<DescribeInstanceType>(command)) return Reply{Architectures{{"arm64"}}};
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said("image ami-new is for x86_64, and t3.micro runs arm64"))
      << testing::PrintToString(result.notes);
}

TEST_F(Preflight, CredentialsThatAreNotValidAreNamedAtOnce) {
  aws.interfere = [](const Command&, int) -> std::optional<Event> {
    return Failure{Failure::Kind::kExpired, "ExpiredToken", "GetCallerIdentity: ExpiredToken"};
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_EQ(aws.count, 1);
}

TEST_F(Preflight, AMuteLoadBalancerIsNamed) {
  Options options;
  options.silent_load_balancer = true;
  const Ran result = run(aws, release_plan(), now, options);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said("does not answer through its load balancer"));
}

Job somebodys_job() {
  Job job;
  job.id = job.token = "theirs";
  job.owner = "ci@runner";
  job.lane = ImageLane{"ami-new"};
  return job;
}

TEST_F(Preflight, ALivingHolderIsRecognisedByItsRenewalAndRespected) {
  aws.holder_gone = false;
  aws.lock = somebodys_job();
  aws.lock_written = now - std::chrono::seconds(5);
  aws.interfere = [&](const Command& command, int) -> std::optional<Event> {
    if (std::holds_alternative<ReadLock>(command) && now - aws.lock_written > std::chrono::seconds(20))
      aws.lock_written = now;
    return std::nullopt;
  };
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kRefused);
  EXPECT_TRUE(result.said("two at once"));
  EXPECT_TRUE(aws.calls.empty());
}

TEST_F(Preflight, ADeadHoldersLockIsTakenWhenItsLeaseIsOver) {
  aws.holder_gone = false;
  aws.lock = somebodys_job();
  aws.lock_written = now - std::chrono::seconds(5);
  const Time begin = now;
  const Ran result = run(aws, release_plan(), now);
  EXPECT_EQ(result.code(), kReleased) << result.verdict->reason;
  EXPECT_GE(now - begin, std::chrono::seconds(55));
}

}  // namespace
}  // namespace rr::deploy
