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

struct TargetRecord {
  TargetId target;
  TargetSpec spec;
  // From the addresses in `spec` to `deadline` lies what a health check reads and writes, which is most of what is ever
  // done with a record: of ten thousand targets hardly one is still in a cache when its next check is due.
  HealthState health_state;
  bool draining = false;
  bool in_scope = false;               // counted in State::active
  bool healthy_in_scope = false;       // counted in State::healthy
  std::optional<TargetReason> unused;  // why it is not in use, if it is not
  std::uint64_t last_started = 0;      // sequence of the newest probe
  std::uint64_t last_applied = 0;      // outcomes up to this sequence no longer count
  std::optional<Time> last_probe;      // when the newest probe was due
  Deadline deadline;                   // of the next probe, or while draining of the end of the delay
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
  Health health() const;
};
/// How far a record is read by a health check.
constexpr std::size_t kCheckedBytes = sizeof(TargetId) + sizeof(TargetSpec) + sizeof(HealthState) + 4 * sizeof(bool) +
                                      4 * sizeof(std::uint64_t) + sizeof(std::optional<Time>) + sizeof(Deadline);

/// The records, found by their targets' numbers in one step: a number's last bits are its place.
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
    while (place(last_) != nullptr);
    place(last_) = std::make_unique<TargetRecord>();
    place(last_)->target = TargetId{last_};
    ++count_;
    return *place(last_);
  }

  /// nullptr when there is none.
  TargetRecord* find(TargetId target) const {
    if (places_.empty()) return nullptr;
    TargetRecord* record = places_[target.value & (places_.size() - 1)].get();
    return record != nullptr && record->target == target ? record : nullptr;
  }

  /// find() will follow soon, for a health check.
  void expect(TargetId target) const {
    if (!places_.empty()) prefetch(places_[target.value & (places_.size() - 1)].get(), kCheckedBytes);
  }

  /// It must be there.
  void erase(TargetId target) {
    RR_CHECK(find(target) != nullptr, "a target that is forgotten must be known");
    place(target.value).reset();
    --count_;
  }

 private:
  std::unique_ptr<TargetRecord>& place(std::uint32_t number) { return places_[number & (places_.size() - 1)]; }

  /// Numbers that differ in the last bits do so in one bit more.
  void grow() {
    std::vector<std::unique_ptr<TargetRecord>> before(places_.empty() ? 4 : 2 * places_.size());
    before.swap(places_);
    for (std::unique_ptr<TargetRecord>& record : before) {
      if (record != nullptr) place(record->target.value) = std::move(record);
    }
  }

  std::vector<std::unique_ptr<TargetRecord>> places_;  // a power of two
  std::size_t count_ = 0;
  std::uint32_t last_ = 0;
};

}  // namespace rr
