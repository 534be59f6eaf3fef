#pragma once
// The health of a target as the API shows it, merged from what the nodes report.
#include <string>
#include <vector>

#include "lb/base/time.h"
#include "lb/policy/health_state.h"

namespace rr::sim {

struct HealthReport {
  std::string node;
  Time time;
  Health health;
  std::string target_group = {};  // in which it is registered; empty when the node has only one
  bool operator==(const HealthReport&) const = default;
};

struct MergedHealth {
  Health health;
  bool stale = false;  // no fresh report: the last state is repeated
  bool operator==(const MergedHealth&) const = default;
};

/// Healthy if any fresh report says so, unhealthy if all fresh ones do, else initial; draining if any says draining.
/// A report older than two `interval`s is not fresh. With none fresh: `last`, marked stale.
/// An instance in several target groups is as healthy as in the worst of them.
/// (How AWS merges is not documented; this is our rule.)
MergedHealth merge_health(Time now, Duration interval, const std::vector<HealthReport>& reports, const Health& last);

}  // namespace rr::sim
