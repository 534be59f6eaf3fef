#pragma once
// What a worker tells beyond its own connections.
#include <cstdint>
#include <string>

#include "lb/base/time.h"
#include "lb/policy/health_state.h"

namespace rr {

/// A target's health after a check. Level, not edge: one that gets lost is made good by the next.
struct HealthNews {
  std::string load_balancer;
  std::string target_group;
  std::string id;
  std::uint16_t port = 0;
  HealthState health;
};

/// The end of one target's draining, for the control plane.
struct DrainEnded {
  std::uint64_t cursor = 0;  // ascending within the process
  std::string load_balancer;
  std::string target_group;
  std::string id;
  std::uint16_t port = 0;
  bool expired = false;            // by the delay; otherwise its last request was over
  std::uint64_t requests_cut = 0;  // in progress at the end of the delay
  Time at{};
};

}  // namespace rr
