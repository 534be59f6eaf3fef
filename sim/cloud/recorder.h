#pragma once
// Who writes down what the region accepts, so that the same calls made again give the same state.
#include "sim/cloud/region.h"

namespace rr::sim {

/// Called by Region for every command it accepted, every event, every wake that had something to do, and every
/// recovery, in the order in which they changed the state.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(Time now, const Command& command) = 0;
  virtual void record(Time now, const Event& event) = 0;
  virtual void record_wake(Time now) = 0;
  virtual void record_recovery(Time now, const std::set<std::string>& still_running) = 0;
  /// Returns when everything recorded so far cannot be lost any more. `state` is what the records have led to: a
  /// recorder may write it down in their place.
  virtual void sync(const RegionState& state) = 0;
};

}  // namespace rr::sim
