#pragma once
// The name of a target inside its target group.
#include <compare>
#include <cstdint>

namespace rr {

/// A registered target within its group and process: dense, small, never given to another target in the same process.
/// Ascending in the order of registration.
struct TargetId {
  std::uint32_t value = 0;
  auto operator<=>(const TargetId&) const = default;
};

}  // namespace rr
