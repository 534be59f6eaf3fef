#include "lb/policy/slow_start.h"

#include <algorithm>

namespace rr {

std::uint32_t slow_start_weight(Duration elapsed, Duration duration, std::uint32_t floor) {
  if (elapsed >= duration) return kFullWeight;
  if (elapsed <= Duration::zero()) return floor;
  // At most 900 s of nanoseconds times a million: below 2^63. Rounded down.
  const auto weight = static_cast<std::uint32_t>(elapsed.count() * kFullWeight / duration.count());
  return std::max(weight, floor);
}

}  // namespace rr
