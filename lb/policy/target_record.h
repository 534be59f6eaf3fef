#pragma once
// What a target group knows of one target, and the table of all of them. The inside of TargetGroup, for its own source
// files only.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "lb/base/check.h"
#include "lb/base/prefetch.h"
#include "lb/policy/anomaly_detection.h"
#include "lb/policy/deadlines.h"
#include "lb/policy/health_state.h"
#include "lb/policy/target_group.h"
#include "lb/policy/target_id.h"

namespace rr {

/// What each health check of a target reads and writes: one line of a cache. Those of a group lie in a row, since of
/// ten thousand targets hardly one is still in a cache when its next check is due.
struct alignas(64) TargetCheck {
  TargetId target;  // TargetId{}: nobody's
  bool probed = false;
  HealthState health_state;
  std::uint64_t last_started = 0;  // sequence of the newest probe
  std::uint64_t last_applied = 0;  // outcomes up to this sequence no longer count
  Time last_probe{};               // once it was probed: when the newest probe was due
  // Of the next probe, while it is checked.
  Time due{};
  std::uint64_t due_order = 0;

  Deadline deadline() const { return {due, due_order, target}; }
  void set_deadline(const Deadline& deadline) {
    due = deadline.time;
    due_order = deadline.order;
  }
  /// What was asked so far says nothing any more.
  void ignore_started() { last_applied = last_started; }
};
static_assert(sizeof(TargetCheck) == 64);

/// All the rest.
struct TargetRecord {
  TargetId target;
  TargetSpec spec;
  bool draining = false;
  bool in_scope = false;               // counted in State::active
  bool healthy_in_scope = false;       // counted in State::healthy
  std::optional<TargetReason> unused;  // why it is not in use, if it is not
  Deadline drain_ends;                 // while draining
  Anomaly anomaly;
  StickyName sticky_name = 0;
  Time since{};
  std::optional<Deadline> heard_of_late;  // draining, but requests go on until then: propagation_delay
  bool founder = false;                   // came with others to a group without targets: no slow start the first time
  std::optional<Deadline> slow_start_ends;
  Time slow_since{};  // meaningful with slow_start_ends
  std::uint32_t outstanding = 0;
  std::optional<TargetSpec> returns_as;     // registered again while draining
  std::uint64_t desired_in_generation = 0;  // of set_targets

  /// As the API shows it.
  Health health(const HealthState& checked) const;
};

/// The records and the checks, found by their targets' numbers in one step: a number's last bits are its place.
///
///     8 places    8 .  .  3  .  5  6  .     3, 5, 6 and 8 live; the next one would be 9, at the place of nobody
///                                           11 is never given as long as 3 lives: its place is taken
///
/// At most half of the places are taken, so that not many numbers are passed over.
class TargetRecords {
 public:
  /// A record with a number of its own, above all that were given before. It stays where it is until it is erased.
  TargetRecord& add() {
    if (2 * (count_ + 1) > places_.size()) grow();
    do ++last_;
    while (places_[place(last_)] != nullptr);
    places_[place(last_)] = std::make_unique<TargetRecord>();
    places_[place(last_)]->target = checks_[place(last_)].target = TargetId{last_};
    ++count_;
    return *places_[place(last_)];
  }

  /// nullptr when there is none.
  TargetRecord* find(TargetId target) const {
    if (places_.empty()) return nullptr;
    TargetRecord* record = places_[place(target.value)].get();
    return record != nullptr && record->target == target ? record : nullptr;
  }

  /// Likewise. It stays where it is until the next add().
  TargetCheck* check(TargetId target) {
    if (checks_.empty()) return nullptr;
    TargetCheck& check = checks_[place(target.value)];
    return check.target == target && target != TargetId{} ? &check : nullptr;
  }
  const TargetCheck* check(TargetId target) const { return const_cast<TargetRecords*>(this)->check(target); }

  /// check() will follow soon.
  void expect(TargetId target) const {
    if (!checks_.empty()) prefetch(&checks_[place(target.value)]);
  }

  /// It must be there.
  void erase(TargetId target) {
    RR_CHECK(find(target) != nullptr, "a target that is forgotten must be known");
    places_[place(target.value)].reset();
    checks_[place(target.value)] = TargetCheck{};
    --count_;
  }

 private:
  std::size_t place(std::uint32_t number) const { return number & (places_.size() - 1); }

  /// Numbers that differ in the last bits do so in one bit more.
  void grow() {
    const std::size_t size = places_.empty() ? 4 : 2 * places_.size();
    std::vector<std::unique_ptr<TargetRecord>> records(size);
    std::vector<TargetCheck> checks(size);
    records.swap(places_);
    checks.swap(checks_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i] == nullptr) continue;
      checks_[place(checks[i].target.value)] = checks[i];
      places_[place(checks[i].target.value)] = std::move(records[i]);
    }
  }

  std::vector<std::unique_ptr<TargetRecord>> places_;  // a power of two
  std::vector<TargetCheck> checks_;                    // as many, at the same places
  std::size_t count_ = 0;
  std::uint32_t last_ = 0;
};

}  // namespace rr
