#pragma once
// Which of the routable targets gets the next request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "lb/policy/load_tree.h"
#include "lb/policy/slow_start.h"
#include "lb/policy/target_id.h"
#include "lb/policy/target_weight.h"

namespace rr {

/// load_balancing.algorithm.type
enum class Algorithm : std::uint8_t { kRoundRobin, kLeastOutstandingRequests, kWeightedRandom };

std::string_view to_string(Algorithm algorithm);  // "round_robin"
std::optional<Algorithm> parse_algorithm(std::string_view text);

/// A routable target as the balancer sees it.
struct Candidate {
  TargetId target;
  std::uint32_t outstanding = 0;       // least outstanding requests looks at it
  std::optional<Time> slow_since{};    // round robin: in slow start since then
  std::uint32_t weight = kFullWeight;  // weighted random, above 0
};

/// Chooses from a list that is rebuilt on transitions only. Nothing here allocates within what was reserved.
///
/// The list holds routable targets only. A cursor that instead walked over all targets and skipped the unhealthy ones
/// would give a skipped target's share to its neighbour:
///
///     walk and skip, b ejected:   a  a  c  a  a  c  ...   a gets its own turn and b's
///     filtered list, b ejected:   a  c  a  c  a  c  ...   the share of b is spread evenly
///
/// Round robin with slow start: a target in slow start earns its weight each time its turn comes, and is passed over
/// until that makes a whole one. With c at a half:
///
///     turn of    a  b  c    a  b  c    a  b  c    a  b  c
///     c has            1/2        1          1/2        1
///     picked     a  b       a  b  c    a  b       a  b  c      c has half of what the others have, exactly
///
/// Least outstanding requests: of those with the fewest requests in progress, the next in turn.
class Balancer {
 public:
  /// `slow_start_floor`: the least weight in slow start. rebuild() must follow before the next pick.
  void configure(Algorithm algorithm, Duration slow_start, std::uint32_t slow_start_floor = kSlowStartFloor);

  /// Makes room for lists of this length.
  void reserve(std::size_t targets);

  /// Takes the new list, ascending. The cursor keeps its place: the next turn is that of the first target of the new
  /// list that comes after the last one picked. What a target in slow start has earned is kept.
  void rebuild(std::span<const Candidate> candidates);

  /// The next target that is not in `tried`; none when there is none left. `random` is drawn from by weighted random
  /// only. O(1); least outstanding and unequal weights O(log n), of which the first is felt only where many have
  /// unequal loads; with `tried`, or with slow start, up to O(n).
  std::optional<TargetId> pick(Time now, Rng& random, std::span<const TargetId> tried = {});

  /// How many requests of a target are in progress from now on; ignored for one that is not in the list and where no
  /// algorithm looks at it.
  void set_outstanding(TargetId target, std::uint32_t outstanding);

 private:
  struct Slot {
    TargetId target;
    std::uint32_t outstanding;
    std::uint32_t weight;
    std::optional<Time> slow_since;
    std::uint32_t earned;  // below kFullWeight
  };
  using Tried = std::span<const TargetId>;

  std::optional<TargetId> pick_in_turn(Tried tried);
  std::optional<TargetId> pick_by_earnings(Time now, Tried tried);
  std::optional<TargetId> pick_least(Tried tried);
  std::optional<TargetId> pick_at_random(Rng& random, Tried tried) const;
  TargetId take(std::size_t place);
  void prepare_random();
  void prepare_places();
  Slot* find(TargetId target);

  Algorithm algorithm_ = Algorithm::kRoundRobin;
  Duration slow_start_{};
  std::uint32_t slow_start_floor_ = kSlowStartFloor;
  std::vector<Slot> slots_;
  std::vector<Slot> before_;  // room for rebuilding
  std::size_t next_ = 0;
  std::optional<TargetId> last_;
  std::size_t slow_ = 0;               // slots in slow start
  Time slowest_since_{};               // the earliest slow_since
  LoadTree loads_;                     // for least outstanding requests
  std::vector<std::uint32_t> places_;  // likewise, the slot of an id, counted from the first one's; empty: look for it
  std::vector<std::uint64_t> up_to_;   // running sums of the weights, when they are not equal
};

}  // namespace rr
