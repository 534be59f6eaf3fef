#include "lb/policy/anomaly_detection.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

TEST(Anomaly, StandsOutAtTwiceThePeersAndATenth) {
  const struct {
    ErrorCount own, peers;
    bool stands_out;
  } kTable[] = {
      {{100, 10}, {300, 0}, true},      // 10 % against 0: the margin
      {{100, 9}, {300, 0}, false},      // one below it
      {{100, 0}, {300, 0}, false},      //
      {{100, 30}, {300, 30}, true},     // 30 % against 10 %: 2 x 10 + 10
      {{100, 29}, {300, 30}, false},    //
      {{100, 100}, {200, 100}, false},  // two of three fail: no peer is left to stand out from
      {{100, 100}, {300, 100}, true},   // two of four: 100 % against 33 %
      {{5, 5}, {5, 0}, true},           // the fewest requests for a judgement
      {{4, 4}, {300, 0}, false},        // one too few
      {{100, 100}, {4, 0}, false},      //
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(stands_out(row.own, row.peers), row.stands_out)
        << row.own.failed << "/" << row.own.requests << " " << row.peers.failed << "/" << row.peers.requests;
  }
}

/// Targets that get so many requests each between two judgements.
struct Peers {
  std::vector<Anomaly> targets;

  explicit Peers(std::size_t count) : targets(count) {}

  void requests(std::size_t target, int good, int failed) {
    for (int i = 0; i < good; ++i) targets[target].count(TargetResult::kGood);
    for (int i = 0; i < failed; ++i) targets[target].count(TargetResult::kFailed);
  }
  void judge(bool mitigates) {
    ErrorCount all;
    for (const Anomaly& one : targets) {
      all.requests += one.recent().requests;
      all.failed += one.recent().failed;
    }
    for (Anomaly& one : targets) one.judge(all, targets.size() >= kAnomalyMinimumHealthy, mitigates);
  }
};

TEST(Anomaly, IsReducedAtOnceAndClimbsStepByStep) {
  Peers peers(3);
  peers.requests(0, 20, 0);
  peers.requests(1, 20, 0);
  peers.requests(2, 0, 20);
  peers.judge(true);
  EXPECT_FALSE(peers.targets[0].anomalous());
  EXPECT_EQ(peers.targets[0].weight(), kFullWeight);
  EXPECT_TRUE(peers.targets[2].anomalous());
  EXPECT_TRUE(peers.targets[2].mitigation_in_effect());
  EXPECT_EQ(peers.targets[2].weight(), kAnomalousWeight);
  // Its old failures are half of it each time: 10 of 110, below the margin of 10 %.
  peers.requests(0, 20, 0);
  peers.requests(1, 20, 0);
  peers.requests(2, 100, 0);
  peers.judge(true);
  EXPECT_FALSE(peers.targets[2].anomalous());
  // 5 % and 10 % a step: 15, 25, ..., 95, and then all of it.
  for (std::uint32_t percent = 15; percent <= 95; percent += 10) {
    EXPECT_EQ(peers.targets[2].weight(), kFullWeight / 100 * percent);
    EXPECT_TRUE(peers.targets[2].mitigation_in_effect());
    peers.judge(true);
  }
  EXPECT_EQ(peers.targets[2].weight(), kFullWeight);
  EXPECT_FALSE(peers.targets[2].mitigation_in_effect());
}

TEST(Anomaly, WithoutMitigationIsOnlyCalledSo) {
  Peers peers(3);
  for (const std::size_t good : {0U, 1U}) peers.requests(good, 20, 0);
  peers.requests(2, 0, 20);
  peers.judge(false);
  EXPECT_TRUE(peers.targets[2].anomalous());
  EXPECT_EQ(peers.targets[2].weight(), kFullWeight);
}

TEST(Anomaly, ATargetWithTooFewRequestsKeepsItsResult) {
  Peers peers(3);
  for (const std::size_t good : {0U, 1U}) peers.requests(good, 20, 0);
  peers.requests(2, 0, 4);
  peers.judge(true);
  EXPECT_FALSE(peers.targets[2].anomalous());
  for (const std::size_t good : {0U, 1U}) peers.requests(good, 20, 0);
  peers.requests(2, 0, 3);  // half of the 4 and these are 5
  peers.judge(true);
  EXPECT_TRUE(peers.targets[2].anomalous());
  for (int i = 0; i < 10; ++i) peers.judge(true);  // nobody asks: nothing is known
  EXPECT_TRUE(peers.targets[2].anomalous());
}

/// Whoever skips the judgement of targets that are as new misses nothing.
TEST(Anomaly, OneThatIsAsNewIsNotChangedByAJudgement) {
  for (const bool mitigates : {false, true}) {
    Peers peers(3);
    EXPECT_TRUE(peers.targets[0].is_as_new());
    peers.requests(1, 20, 0);
    peers.requests(2, 0, 20);
    EXPECT_FALSE(peers.targets[1].is_as_new());
    peers.judge(mitigates);
    EXPECT_TRUE(peers.targets[0].is_as_new());
    EXPECT_FALSE(peers.targets[2].is_as_new());
    // 20, 10, 5, 2, 1 and 0 requests are left of those of the good one; the other stays anomalous.
    for (int i = 1; i < 5; ++i) peers.judge(mitigates);
    EXPECT_TRUE(peers.targets[1].is_as_new());
    EXPECT_FALSE(peers.targets[2].is_as_new());
  }
}

TEST(Anomaly, ThreeHealthyTargetsAreNeeded) {
  Peers peers(2);
  peers.requests(0, 20, 0);
  peers.requests(1, 0, 20);
  peers.judge(true);
  EXPECT_FALSE(peers.targets[1].anomalous());
}

TEST(TargetResult, CountsWhatAwsCounts) {
  const auto result = [](ExchangeCause cause, int target_status) {
    ExchangeRecord record;
    record.cause = cause;
    record.target_status = target_status;
    return target_result(record);
  };
  EXPECT_EQ(result(ExchangeCause::kCompleted, 200), TargetResult::kGood);
  EXPECT_EQ(result(ExchangeCause::kCompleted, 499), TargetResult::kGood);
  EXPECT_EQ(result(ExchangeCause::kCompleted, 500), TargetResult::kFailed);
  EXPECT_EQ(result(ExchangeCause::kTargetClosed, 503), TargetResult::kFailed);
  EXPECT_EQ(result(ExchangeCause::kConnectFailed, 0), TargetResult::kFailed);
  EXPECT_EQ(result(ExchangeCause::kConnectTimedOut, 0), TargetResult::kFailed);
  EXPECT_EQ(result(ExchangeCause::kTargetReset, 0), TargetResult::kFailed);
  EXPECT_EQ(result(ExchangeCause::kTargetSilent, 0), TargetResult::kNotJudged);
  EXPECT_EQ(result(ExchangeCause::kClientClosed, 0), TargetResult::kNotJudged);
  EXPECT_EQ(result(ExchangeCause::kConnectLimit, 0), TargetResult::kNotJudged);
}

}  // namespace
}  // namespace rr
