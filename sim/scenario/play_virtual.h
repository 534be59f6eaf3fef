#pragma once
// A scenario in virtual time: the same control plane and the same balancing as of real processes, as fast as the
// machine goes, the same way for the same seed.
#include <cstdint>

#include "sim/scenario/player.h"

namespace rr::sim {

/// The speed that the scenario's tier has is not looked at: AWS's own durations cost nothing here.
Played play_virtual(const Scenario& scenario, std::uint64_t seed);

}  // namespace rr::sim
