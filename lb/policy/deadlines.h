#pragma once
// What falls due for targets, one kind in one list.
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

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

/// The pending deadlines of one kind, at most one a target: next in O(1), set and clear in O(log n).
class Deadlines {
 public:
  std::optional<Time> next() const {
    if (pending_.empty()) return std::nullopt;
    return pending_.begin()->time;
  }

  Deadline add(Time time, TargetId target) {
    const Deadline deadline{time, ++order_, target};
    pending_.insert(deadline);
    return deadline;
  }

  /// Moves a pending one without giving its memory back: probes do this all day.
  Deadline move(const Deadline& deadline, Time time) {
    // Mostly the first goes to the end, where all have one interval: neither is looked for then.
    const auto found = !pending_.empty() && *pending_.begin() == deadline ? pending_.begin() : pending_.find(deadline);
    RR_CHECK(found != pending_.end(), "a deadline that is moved must be pending");
    auto node = pending_.extract(found);
    node.value().time = time;
    node.value().order = ++order_;
    return *pending_.insert(pending_.end(), std::move(node));
  }

  void remove(const Deadline& deadline) {
    const std::size_t removed = pending_.erase(deadline);
    RR_CHECK(removed == 1, "a deadline that is removed must be pending");
  }

  /// The first one, if it is due.
  std::optional<Deadline> due(Time now) const {
    if (pending_.empty() || pending_.begin()->time > now) return std::nullopt;
    return *pending_.begin();
  }

  std::size_t size() const { return pending_.size(); }

 private:
  std::set<Deadline> pending_;
  std::uint64_t order_ = 0;
};

}  // namespace rr
