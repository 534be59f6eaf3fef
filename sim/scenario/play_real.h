#pragma once
// A scenario with real processes, in a tier of its own that is gone when it is over.
#include <cstdint>
#include <string>

#include "sim/scenario/player.h"

namespace rr::sim {

struct RealStage {
  double speed = 50;  // divides what the control plane waits for
  std::uint64_t seed = 1;
  std::string lb_program;      // rr-lb
  std::string webapp_program;  // rr-webapp
};

/// The tier stands on plain ground, its front on a port of the kernel's choice. SIGINT and SIGTERM end it in order;
/// that is a failure, and so is a tier that cannot be started.
Played play_real(const Scenario& scenario, const RealStage& stage);

}  // namespace rr::sim
