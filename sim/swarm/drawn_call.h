#pragma once
// What somebody who operates a tier does to it in the middle of everything: calls of the API, drawn from what there is.
#include <optional>
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "sim/cloud/region.h"
#include "sim/swarm/drawn_tier.h"

namespace rr::sim {

struct DrawnCall {
  std::string what;  // for people
  Command command;
};

/// None where what was drawn has nothing that it could be about. Most are accepted, some must be refused.
std::optional<DrawnCall> draw_call(Rng& rng, Time now, const DrawnTier& tier, const RegionState& state);

/// How whoever is told of an instance that waits for a hook answers, and after how long; none: never, so that the
/// hook's own time-out decides. When `well_meant` always, soon, and with CONTINUE.
struct DrawnAnswer {
  Duration after{};
  Command command;
};
std::optional<DrawnAnswer> draw_answer(Rng& rng, const Instance& instance, const std::string& hook, bool well_meant);

/// What is to be called so that a tier can come to rest by itself: nothing is suspended, protected, in standby, outside
/// or away from its load balancer any more, and nothing changes the desired capacity. To be made again until it is
/// empty, because some of it has to wait for other things.
std::vector<Command> calls_to_tidy(const RegionState& state, const GroupSettings& settings);

}  // namespace rr::sim
