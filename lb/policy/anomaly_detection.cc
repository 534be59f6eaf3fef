#include "lb/policy/anomaly_detection.h"

#include <algorithm>
#include <array>

namespace rr {
namespace {

/// Failures of a connection to the target before it answered.
constexpr std::array kFailures{ExchangeCause::kConnectFailed,     ExchangeCause::kConnectTimedOut,
                               ExchangeCause::kTargetClosed,      ExchangeCause::kTargetReset,
                               ExchangeCause::kResponseMalformed, ExchangeCause::kTooManyInterim};

bool enough(const ErrorCount& count) { return count.requests >= kAnomalyMinimumRequests; }

std::uint32_t next_weight(std::uint32_t weight, bool anomalous, bool mitigates) {
  if (!mitigates) return kFullWeight;
  if (anomalous) return kAnomalousWeight;
  return std::min(kFullWeight, weight + kRecoveryStep);
}

}  // namespace

TargetResult target_result(const ExchangeRecord& record) {
  if (record.target_status != 0) return record.target_status >= 500 ? TargetResult::kFailed : TargetResult::kGood;
  const bool failed = std::find(kFailures.begin(), kFailures.end(), record.cause) != kFailures.end();
  return failed ? TargetResult::kFailed : TargetResult::kNotJudged;
}

/// failed / requests >= 2 * (peers' failed / requests) + 10 %, without a division.
bool stands_out(const ErrorCount& own, const ErrorCount& peers) {
  if (!enough(own) || !enough(peers)) return false;
  const std::uint64_t mine = std::uint64_t{100} * own.failed * peers.requests;
  const std::uint64_t theirs =
      (kAnomalyFactor * 100 * peers.failed + kAnomalyMarginPercent * peers.requests) * own.requests;
  return mine >= theirs;
}

void Anomaly::count(TargetResult result) {
  if (result == TargetResult::kNotJudged) return;
  ++recent_.requests;
  if (result == TargetResult::kFailed) ++recent_.failed;
}

Anomaly::Change Anomaly::judge(const ErrorCount& all, bool comparable, bool mitigates) {
  const ErrorCount peers{all.requests - recent_.requests, all.failed - recent_.failed};
  const bool before = anomalous_;
  if (!comparable) {
    anomalous_ = false;
  } else if (enough(recent_) && enough(peers)) {
    anomalous_ = stands_out(recent_, peers);
  }
  const std::uint32_t weight = next_weight(weight_, anomalous_, mitigates);
  const Change change{before != anomalous_, weight != weight_};
  weight_ = weight;
  recent_ = {recent_.requests / 2, recent_.failed / 2};
  return change;
}

}  // namespace rr
