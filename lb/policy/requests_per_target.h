#pragma once
// RequestCountPerTarget as a number that grows.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rr {

/// AWS divides a minute's requests by the number of healthy targets. Here each request counts as its share among those
/// that were healthy when it came: what is added in a minute in which nobody's health changed is AWS's quotient.
///
///   10 requests to 2 targets, then a third one becomes healthy, then 9 requests: 10/2 + 9/3 = 8
///
/// Nothing is done for a request: the owner counts them, and tells the number whenever the targets change.
class RequestsPerTarget {
 public:
  /// From now on requests are shared by so many; there have been `requests` up to now, never fewer than before.
  void share_among(std::size_t targets, std::uint64_t requests) {
    sum_ = sum(requests);
    counted_ = requests;
    targets_ = std::max<std::size_t>(targets, 1);  // to nobody: one that drains and has not been heard of everywhere
  }
  double sum(std::uint64_t requests) const {
    return sum_ + static_cast<double>(requests - counted_) / static_cast<double>(targets_);
  }

 private:
  double sum_ = 0;
  std::uint64_t counted_ = 0;
  std::size_t targets_ = 1;
};

}  // namespace rr
