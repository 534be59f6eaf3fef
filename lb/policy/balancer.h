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
#include "lb/policy/target_id.h"

namespace rr {

/// load_balancing.algorithm.type
enum class Algorithm : std::uint8_t { kRoundRobin, kLeastOutstandingRequests, kWeightedRandom };

std::string_view to_string(Algorithm algorithm);  // "round_robin"
std::optional<Algorithm> parse_algorithm(std::string_view text);

/// Chooses from a list that is rebuilt on transitions only. A pick is an index and a step.
///
/// The list holds routable targets only. A cursor that instead walked over all targets and skipped the unhealthy ones
/// would give a skipped target's share to its neighbour:
///
///     walk and skip, b ejected:   a  a  c  a  a  c  ...   a gets its own turn and b's
///     filtered list, b ejected:   a  c  a  c  a  c  ...   the share of b is spread evenly
class Balancer {
 public:
  /// Takes the new list of routable targets, ascending. The cursor keeps its place: the next turn is that of the first
  /// target of the new list that comes after the last one picked. Does not allocate within what was reserved.
  void rebuild(std::span<const TargetId> targets);

  /// Makes room for lists of this length.
  void reserve(std::size_t targets) { targets_.reserve(targets); }

  /// Round robin: the next target that is not in `tried`; none when there is none left. Does not allocate.
  std::optional<TargetId> pick_in_turn(std::span<const TargetId> tried = {});

  /// Weighted random with equal weights, as the ALB has it without anomaly mitigation: any target that is not in
  /// `tried` with the same chance; none when there is none left. Does not allocate, and leaves the turns of round robin
  /// alone.
  std::optional<TargetId> pick_at_random(Rng& random, std::span<const TargetId> tried = {}) const;

  std::span<const TargetId> targets() const { return targets_; }

 private:
  std::vector<TargetId> targets_;
  std::size_t next_ = 0;
  std::optional<TargetId> last_;
};

}  // namespace rr
