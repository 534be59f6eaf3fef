#pragma once
// Which of the routable targets gets the next request.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rr {

enum class Algorithm : std::uint8_t { kRoundRobin, kLeastOutstandingRequests, kWeightedRandom };

/// Round robin over a list that is rebuilt on transitions only. A pick is an index and a modulo.
///
/// The list holds routable targets only. A cursor that instead walked over all targets and skipped the unhealthy ones
/// would give a skipped target's share to its neighbour.
class Balancer {
 public:
  /// Takes the new list of routable slots (small integers of the caller), in a stable order. The cursor keeps its place:
  /// the next pick is the first slot of the new list that comes after the last one picked.
  void rebuild(std::span<const std::uint32_t> slots);

  /// The next slot that is not in `tried`; none when there is none left.
  std::optional<std::uint32_t> pick(std::span<const std::uint32_t> tried = {});

  std::span<const std::uint32_t> slots() const { return slots_; }

 private:
  std::vector<std::uint32_t> slots_;
  std::size_t next_ = 0;
  std::optional<std::uint32_t> last_;
};

}  // namespace rr
