#pragma once
// What a seed means: a tier, its clients, and what is done to it.
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "sim/cloud/region.h"
#include "sim/virtual/clients.h"
#include "sim/virtual/virtual_world.h"

namespace rr::sim {

struct DrawnTier {
  RegionSettings region;
  VirtualWorldSettings world;
  GroupSettings group;
  int desired = 2;
  std::vector<LifecycleHook> hooks;
  std::vector<AlarmSettings> alarms;
  std::vector<ScalingPolicy> policies;
  RefreshPreferences refresh;  // of refreshes that are begun
  ClientSettings clients;
  bool calm = false;  // no faults: one refresh, which must keep what it promises
  int troubles = 0;

  std::string describe() const;
};

DrawnTier draw_tier(Rng& rng);

/// Of the name "hook"; its heartbeat is short enough for a run to see its end.
LifecycleHook draw_hook(Rng& rng);

/// A fault on something that exists in `world` now, with an end.
Fault draw_fault(Rng& rng, const DrawnTier& tier, const VirtualWorld& world);

}  // namespace rr::sim
