#pragma once
// Automatic Target Weights: a target whose requests fail more often than those of its peers is called anomalous, and
// where mitigation is on it is given less. AWS tells the aim and the 5 seconds, not the statistics: those are here.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#automatic-target-weights
#include <cstddef>
#include <cstdint>

#include "lb/base/time.h"
#include "lb/policy/exchange_rules.h"
#include "lb/policy/target_weight.h"

namespace rr {

constexpr Duration kAnomalyInterval = std::chrono::seconds(5);
constexpr std::size_t kAnomalyMinimumHealthy = 3;
/// A judgement needs so many requests of the target and so many of its peers together. Not told by AWS.
constexpr std::uint32_t kAnomalyMinimumRequests = 5;
/// Anomalous: its share of failures is at least twice that of its peers and a tenth. Not told by AWS.
constexpr std::uint64_t kAnomalyFactor = 2;
constexpr std::uint64_t kAnomalyMarginPercent = 10;
/// What an anomalous target still gets, so that its recovery is seen. Not told by AWS.
constexpr std::uint32_t kAnomalousWeight = kFullWeight / 20;
/// What a recovered one gains at each judgement: 95 % in 10 steps, 50 s. Not told by AWS.
constexpr std::uint32_t kRecoveryStep = kFullWeight / 10;

/// What a request says about its target.
enum class TargetResult : std::uint8_t {
  kNotJudged,  // the client left, or the load balancer did not come to ask
  kGood,
  kFailed,  // a 5xx of the target's, or its connection failed
};
/// A request that was too slow (504) is none of the two errors that AWS counts.
TargetResult target_result(const ExchangeRecord& record);

/// Requests with a result.
struct ErrorCount {
  std::uint32_t requests = 0;
  std::uint32_t failed = 0;
  bool operator==(const ErrorCount&) const = default;
};

/// Whether `own` stands out from `peers`; never with too few requests of either.
bool stands_out(const ErrorCount& own, const ErrorCount& peers);

/// What is known of one target.
class Anomaly {
 public:
  void count(TargetResult result);

  struct Change {
    bool result = false;
    bool weight = false;
  };
  /// To be called every kAnomalyInterval. `all` is the sum of the recent() of all targets that are compared, this one
  /// included; `comparable`: at least kAnomalyMinimumHealthy are healthy. A target with too few requests keeps its
  /// result; older requests count half as much with each call.
  Change judge(const ErrorCount& all, bool comparable, bool mitigates);

  const ErrorCount& recent() const { return recent_; }
  bool anomalous() const { return anomalous_; }
  std::uint32_t weight() const { return weight_; }
  bool mitigation_in_effect() const { return weight_ < kFullWeight; }
  /// As one of which nothing is known: judge() would change nothing.
  bool is_as_new() const { return recent_ == ErrorCount{} && !anomalous_ && !mitigation_in_effect(); }

 private:
  ErrorCount recent_;
  bool anomalous_ = false;
  std::uint32_t weight_ = kFullWeight;
};

}  // namespace rr
