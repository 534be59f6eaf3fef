#pragma once
// Which zone gets the next instance, which has too many, and whether it is worth moving one. Counts are live instances
// (Pending or InService).
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
#include <optional>
#include <set>
#include <vector>

#include "lb/base/ids.h"

namespace rr::sim {

struct ZoneLoad {
  ZoneName zone;
  int instances = 0;
  bool enabled = true;  // false: the group no longer uses it, but has instances there
  bool operator==(const ZoneLoad&) const = default;
};

/// The enabled zone with the fewest instances that does not refuse launches; of equals the first. (AWS does not
/// document its choice among equals.) None when all refuse.
std::optional<ZoneName> emptiest_zone(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& refusing);

/// Where a scale-in looks for its victim, before any termination policy: zones the group no longer uses, else those
/// with the most instances; among `eligible` only (zones with an instance that may be terminated).
std::set<ZoneName> fullest_zones(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& eligible);

/// Where an instance should be launched so that one can be terminated elsewhere, or none when that would not help:
///
///     2 0   -> the second zone            1 1, 2 1   balanced: a difference of 1 cannot be improved
///     3 1 1 -> the first of the two       2 0 with the second refusing: none
std::optional<ZoneName> zone_to_fill(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& refusing);

/// How many instances would have to move for no two zones to differ by more than one.
int moves_to_balance(const std::vector<ZoneLoad>& zones);

}  // namespace rr::sim
