#pragma once
// What falls due for targets, one kind in one list.
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

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

/// The pending deadlines of one kind, at most one a target. They lie in a row by time, and the row in one piece of
/// memory that is gone round in, so that the way through those of ten thousand targets is straight:
///
///     10 s a | 12 s b | 12 s - | 15 s c       next: a; one was removed and leaves a gap until it comes to an end
///     12 s b | 12 s - | 15 s c | 20 s a       a was moved by its interval, to the end, as a probe's usually is
///
/// Next, and what is added or moved to an end, in O(1); removing in O(log n); adding in the middle moves those on its
/// shorter side.
class Deadlines {
 public:
  std::optional<Time> next() const {
    if (count_ == 0) return std::nullopt;
    return at(0).time;
  }

  Deadline add(Time time, TargetId target) {
    const Deadline deadline{time, ++order_, target};
    // Behind those of the same instant, which were set before.
    const bool last = count_ == 0 || at(count_ - 1).time <= time;
    insert(last ? count_ : place_of(deadline), deadline);
    ++size_;
    return deadline;
  }

  Deadline move(const Deadline& deadline, Time time) {
    remove(deadline);
    return add(time, deadline.target);
  }

  void remove(const Deadline& deadline) {
    const std::size_t found = count_ > 0 && at(0) == deadline ? 0 : place_of(deadline);
    RR_CHECK(found < count_ && at(found) == deadline, "a deadline that is taken out must be pending");
    at(found).target = kGap;
    --size_;
    while (count_ > 0 && at(0).target == kGap) {
      first_ = (first_ + 1) & (ring_.size() - 1);
      --count_;
    }
    while (count_ > 0 && at(count_ - 1).target == kGap) --count_;
  }

  /// The first one, if it is due.
  std::optional<Deadline> due(Time now) const {
    if (count_ == 0 || at(0).time > now) return std::nullopt;
    return at(0);
  }

  /// Whose turn comes so many after the first; nobody's where there is a gap.
  std::optional<TargetId> coming(std::size_t later) const {
    if (later >= count_ || at(later).target == kGap) return std::nullopt;
    return at(later).target;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr TargetId kGap{};  // no target has this number

  const Deadline& at(std::size_t place) const { return ring_[(first_ + place) & (ring_.size() - 1)]; }
  Deadline& at(std::size_t place) { return ring_[(first_ + place) & (ring_.size() - 1)]; }

  /// The first place that is not before the deadline.
  std::size_t place_of(const Deadline& deadline) const {
    std::size_t from = 0;
    std::size_t to = count_;
    while (from < to) {
      const std::size_t middle = (from + to) / 2;
      const Deadline& other = at(middle);
      const bool before = other.time != deadline.time ? other.time < deadline.time : other.order < deadline.order;
      (before ? from : to) = before ? middle + 1 : middle;
    }
    return from;
  }

  void insert(std::size_t place, const Deadline& deadline) {
    if (count_ == ring_.size()) grow();
    ++count_;
    if (place < count_ / 2) {
      first_ = (first_ - 1) & (ring_.size() - 1);
      for (std::size_t i = 0; i < place; ++i) at(i) = at(i + 1);
    } else {
      for (std::size_t i = count_ - 1; i > place; --i) at(i) = at(i - 1);
    }
    at(place) = deadline;
  }

  void grow() {
    std::vector<Deadline> larger(ring_.empty() ? 4 : 2 * ring_.size());
    for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
    ring_.swap(larger);
    first_ = 0;
  }

  std::vector<Deadline> ring_;  // a power of two, or nothing
  std::size_t first_ = 0;       // where the row begins
  std::size_t count_ = 0;       // with gaps, but none at the ends
  std::size_t size_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace rr
