#pragma once
// Slow start: the share of a target that has just become healthy grows with time.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#slow-start-mode
#include <cstdint>

#include "lb/base/time.h"
#include "lb/policy/target_weight.h"

namespace rr {

/// The least share of a target in slow start, where no other is set. AWS says that the share grows linearly, not where
/// it begins; with nothing at all the first request would never come.
constexpr std::uint32_t kSlowStartFloor = kFullWeight / 100;

/// The weight of a target that became healthy `elapsed` ago: max(floor, elapsed / duration), kFullWeight at the end and
/// without a duration. Worked, with 30 s:
///
///     elapsed   0 s    0.3 s   3 s    15 s   29.9 s      30 s
///     weight    1 %    1 %     10 %   50 %   99.6666 %   100 %
std::uint32_t slow_start_weight(Duration elapsed, Duration duration, std::uint32_t floor = kSlowStartFloor);

}  // namespace rr
