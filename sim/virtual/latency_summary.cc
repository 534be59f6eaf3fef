#include "sim/virtual/latency_summary.h"

#include <algorithm>
#include <bit>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

constexpr int kBits = 7;
constexpr std::uint64_t kBuckets = std::uint64_t{1} << kBits;

/// 0 to 127 are themselves; of each doubling above the leading 8 bits count:
///
///     [128, 256) one by one, buckets 128 to 255     [256, 512) by twos, buckets 256 to 383     and so on
std::size_t bucket_of(std::uint64_t value) {
  if (value < kBuckets) return value;
  const int shift = std::bit_width(value) - kBits - 1;
  return static_cast<std::size_t>(shift) * kBuckets + (value >> shift);
}

/// In the middle of it.
std::uint64_t value_of(std::size_t bucket) {
  if (bucket < 2 * kBuckets) return bucket;
  const std::size_t shift = bucket / kBuckets - 1;
  return ((bucket - shift * kBuckets) << shift) + (std::uint64_t{1} << shift) / 2;
}

}  // namespace

void LatencySummary::record(Duration span) {
  RR_CHECK(span >= Duration::zero(), "a span is not negative");
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(span.count()));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + kBuckets);
  ++buckets_[bucket];
  ++count_;
  sum_ += span;
  maximum_ = std::max(maximum_, span);
}

void LatencySummary::add(const LatencySummary& other) {
  if (buckets_.size() < other.buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  maximum_ = std::max(maximum_, other.maximum_);
}

Duration LatencySummary::percentile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (buckets_[bucket] > 0 && static_cast<double>(seen) >= wanted) {
      return std::min(Duration(static_cast<Duration::rep>(value_of(bucket))), maximum_);
    }
  }
  return maximum_;
}

}  // namespace rr::sim
