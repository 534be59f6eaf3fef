#pragma once
// Plain counters of one worker: written on the request path without locks, summed and printed when somebody asks.
#include <array>
#include <cstddef>
#include <cstdint>

#include "lb/base/time.h"

namespace rr {

/// Seconds by upper bound, as Prometheus wants them.
class LatencyHistogram {
 public:
  static constexpr std::array<double, 13> kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10};

  void observe(Duration span) {
    const double seconds = to_seconds(span);
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    ++buckets_[bucket];
    sum_ += span;
  }
  /// Number in each bucket, not cumulative; the last one is +Inf.
  const std::array<std::uint64_t, kBounds.size() + 1>& buckets() const { return buckets_; }
  Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
  Duration sum_{};
};

struct TargetCounters {
  std::uint64_t requests = 0;                   // given to the target
  std::array<std::uint64_t, 5> status_class{};  // its answers: 1xx (as final), 2xx, 3xx, 4xx, 5xx
  std::uint64_t connection_errors = 0;          // connections that were not made
  std::uint64_t connections_opened = 0;
};

struct LoadBalancerCounters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t requests = 0;  // every message that got a line in the access log
  std::uint64_t requests_with_target = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t desync_non_compliant = 0;      // DesyncMitigationMode_NonCompliant_Request_Count
  std::uint64_t dropped_invalid_header = 0;    // DroppedInvalidHeaderRequestCount
  std::uint64_t forwarded_invalid_header = 0;  // ForwardedInvalidHeaderRequestCount
  std::uint64_t rule_evaluations = 0;          // rules that were asked, default ones not counted
  std::uint64_t redirects = 0, fixed_responses = 0;
  std::uint64_t redirects_too_long = 0;         // answered 507
  std::uint64_t truncated = 0;                  // responses that were cut after their head
  std::array<std::uint64_t, 600> own_status{};  // answers of the load balancer's own, and 460, by status
  LatencyHistogram target_response_time;        // request sent -> response head
};

}  // namespace rr
