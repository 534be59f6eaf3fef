#pragma once
// What falls due for targets, one kind in one list.
#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "lb/base/check.h"
#include "lb/base/time.h"
#include "lb/policy/target_id.h"

namespace rr {

/// Something that falls due; equal instants in the order in which they were set.
struct Deadline {
  Time time{};
  std::uint64_t order = 0;
  TargetId target{};
  auto operator<=>(const Deadline&) const = default;
};

/// The pending deadlines of one kind, at most one a target. They lie in a row by time, so that the way through those of
/// ten thousand targets is one through memory that lies together:
///
///     10 s a | 12 s b | 12 s - | 15 s c       next: a; one was removed and leaves a gap until it comes to an end
///     12 s b | 12 s - | 15 s c | 20 s a       a was moved by its interval, to the end, as a probe's usually is
///
/// Next, and what is added or moved to an end, in O(1); removing in O(log n); adding in the middle moves those on its
/// shorter side.
class Deadlines {
 public:
  std::optional<Time> next() const {
    if (in_row_.empty()) return std::nullopt;
    return in_row_.front().time;
  }

  Deadline add(Time time, TargetId target) {
    const Deadline deadline{time, ++order_, target};
    // Behind those of the same instant, which were set before.
    const bool last = in_row_.empty() || in_row_.back().time <= time;
    in_row_.insert(last ? in_row_.end() : std::upper_bound(in_row_.begin(), in_row_.end(), deadline, is_before),
                   deadline);
    ++size_;
    return deadline;
  }

  Deadline move(const Deadline& deadline, Time time) {
    remove(deadline);
    return add(time, deadline.target);
  }

  void remove(const Deadline& deadline) {
    const bool first = !in_row_.empty() && in_row_.front() == deadline;
    const auto found = first ? in_row_.begin() : std::lower_bound(in_row_.begin(), in_row_.end(), deadline, is_before);
    RR_CHECK(found != in_row_.end() && *found == deadline, "a deadline that is taken out must be pending");
    found->target = kGap;
    --size_;
    while (!in_row_.empty() && in_row_.front().target == kGap) in_row_.pop_front();
    while (!in_row_.empty() && in_row_.back().target == kGap) in_row_.pop_back();
  }

  /// The first one, if it is due.
  std::optional<Deadline> due(Time now) const {
    if (in_row_.empty() || in_row_.front().time > now) return std::nullopt;
    return in_row_.front();
  }

  /// Whose turn comes so many after the first; nobody's where there is a gap.
  std::optional<TargetId> coming(std::size_t later) const {
    if (later >= in_row_.size() || in_row_[later].target == kGap) return std::nullopt;
    return in_row_[later].target;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr TargetId kGap{};  // no target has this number

  static bool is_before(const Deadline& a, const Deadline& b) {
    return a.time != b.time ? a.time < b.time : a.order < b.order;
  }

  std::deque<Deadline> in_row_;  // with gaps, but none at the ends
  std::size_t size_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace rr
