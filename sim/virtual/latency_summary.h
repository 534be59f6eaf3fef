#pragma once
// Many spans, kept as counts: an exact mean, and percentiles within a known error.
#include <cstdint>
#include <vector>

#include "lb/base/time.h"

namespace rr::sim {

/// Spans are counted in buckets, 128 to each doubling, so a percentile is off by at most 1/256 of itself; below 128 ns
/// it is exact.
class LatencySummary {
 public:
  static constexpr double kRelativeError = 1.0 / 256;

  void record(Duration span);
  void add(const LatencySummary& other);

  std::uint64_t count() const { return count_; }
  Duration mean() const { return count_ == 0 ? Duration{} : sum_ / static_cast<Duration::rep>(count_); }
  Duration sum() const { return sum_; }
  Duration maximum() const { return maximum_; }
  /// The least span that `share` (0 to 1) of all do not exceed; 0 without any.
  Duration percentile(double share) const;

  bool operator==(const LatencySummary&) const = default;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  Duration sum_{};
  Duration maximum_{};
};

}  // namespace rr::sim
