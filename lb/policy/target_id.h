#pragma once
// The name of a target inside its target group.
#include <compare>
#include <cstdint>

namespace rr {

/// A registered target within its group and process: small, from 1, never given to another target in the same process.
/// Ascending in the order of registration, and dense but for a few.
struct TargetId {
  std::uint32_t value = 0;
  auto operator<=>(const TargetId&) const = default;
};

}  // namespace rr
