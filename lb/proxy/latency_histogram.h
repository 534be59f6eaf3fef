#pragma once
// How long something took, many times over: counts by bucket, in fixed memory.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "lb/base/time.h"

namespace rr {

/// Log-linear buckets: from 64 us to 134 s four to each doubling, so that a percentile read from them is off by a
/// quarter at most, and one for all that took longer. Counting takes a dozen instructions and 700 bytes hold it all.
///
///   bounds in us, inclusive:  64 | 80 96 112 128 | 160 192 224 256 | ... | ... 134217728 (2^27) | longer
class LatencyHistogram {
 public:
  static constexpr std::size_t kBounds = 85;
  /// The upper bound of a bucket.
  static constexpr Duration bound(std::size_t bucket) {
    return std::chrono::microseconds((kSteps + bucket % kSteps) << (bucket / kSteps + kFirstShift));
  }

  void observe(Duration span) {
    ++buckets_[bucket_of(span)];
    sum_ += span;
  }
  LatencyHistogram& operator+=(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    sum_ += other.sum_;
    return *this;
  }
  /// Number in each bucket, not cumulative; the last one is of what took longer than every bound.
  const std::array<std::uint64_t, kBounds + 1>& buckets() const { return buckets_; }
  Duration sum() const { return sum_; }

 private:
  static constexpr std::size_t kSteps = 4;
  static constexpr int kFirstShift = 4;  // 4 << 4 are the 64 us of the first bound
  static constexpr int kFirstBit = 6;    // and 64 is 1 << 6
  static constexpr int kLastBit = 27;

  static std::size_t bucket_of(Duration span) {
    if (span <= bound(0)) return 0;
    // 65 us is the first that belongs above the bound of 64 us: counted from 0, that makes the bounds inclusive.
    const auto below = static_cast<std::uint64_t>((span.count() - 1) / 1000);
    const int bit = std::bit_width(below) - 1;
    if (bit >= kLastBit) return kBounds;
    return (static_cast<std::size_t>(bit - kFirstBit) * kSteps) + ((below >> (bit - 2)) & (kSteps - 1)) + 1;
  }

  std::array<std::uint64_t, kBounds + 1> buckets_{};
  Duration sum_{};
};

}  // namespace rr
