#pragma once
// Two runs whose cost is worth knowing: many requests through a small tier, and a large region through a bad hour.
#include <cstdint>
#include <string>
#include <vector>

#include "lb/base/time.h"

namespace rr::sim {

struct PaceOutcome {
  std::uint64_t requests = 0;
  int groups = 1;  // and target groups, and load balancers
  std::uint64_t probes = 0;
  std::uint64_t happenings = 0;  // of the world
  std::uint64_t steps = 0;       // of the control plane
  std::uint64_t launches = 0;
  std::uint64_t digest = 0;
  std::vector<std::string> wrong;  // what did not come out as it should
};

/// Two instances behind one node, both connections kept, links with latency; so many requests at half the load.
PaceOutcome run_small_tier(std::uint64_t requests, std::uint64_t seed);

/// `instances` in 3 zones, in 10 groups with a target group and a load balancer each (one while there are fewer than
/// 10), checked by a node a zone every 10 s, for one hour: after 10 minutes a zone loses its power for 10 minutes, and
/// after 30 minutes all of them are refreshed.
PaceOutcome run_region_hour(int instances, std::uint64_t seed);

}  // namespace rr::sim
