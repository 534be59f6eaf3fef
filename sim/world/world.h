#pragma once
// The port between the control plane and whatever makes things happen: real processes, or a simulation in memory.
#include <functional>
#include <string>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "sim/cloud/region.h"
#include "sim/world/fault.h"

namespace rr::sim {

/// A launch in a zone that stands still is given up after this, divided by the speed.
constexpr Duration kLaunchHangs = std::chrono::seconds(60);

/// Makes things happen, and reports what happened. An action never reports from inside perform(): what follows from it
/// comes as an event later.
class World {
 public:
  virtual ~World() = default;

  virtual void perform(Time now, const Action& action) = 0;

  /// Does a fault to the world. The error says what does not exist, or what this world's ground cannot do.
  virtual Status inject(Time now, const Fault& fault) = 0;
  /// Ends every fault on the target. The error says that there is none.
  virtual Status heal(Time now, const FaultTarget& target) = 0;
  virtual std::vector<FaultStatus> faults() const = 0;
};

}  // namespace rr::sim
