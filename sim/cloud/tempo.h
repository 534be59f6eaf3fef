#pragma once
// How fast the control plane goes: which of AWS's durations are divided by the speed, and which keep their length.
#include "lb/base/time.h"
#include "lb/policy/settings.h"
#include "sim/cloud/region.h"

namespace rr::sim {

/// A check's time-out races against a real process; below this a busy one would fail it.
constexpr Duration kLeastCheckTimeout = std::chrono::milliseconds(250);
/// Nodes need not be asked for their targets' health more often than this, however fast the control plane goes.
constexpr Duration kLeastReportInterval = std::chrono::milliseconds(500);

class Tempo {
 public:
  Tempo(double speed, bool own_program) : speed_(speed), own_program_(own_program) {}
  explicit Tempo(const RegionSettings& settings) : Tempo(settings.speed, settings.own_program) {}

  /// What the control plane waits for: divided, at least a millisecond unless zero.
  Duration waits(Duration aws) const;
  /// What races against the program on the instances (grace period, deregistration delay): divided, but left alone with
  /// the user's own program.
  Duration races(Duration aws) const;
  /// A check's time-out: like races(), but never below kLeastCheckTimeout.
  Duration check_timeout(Duration aws) const;
  /// How far apart a node's reports about a target group may be.
  Duration report_interval(const TargetGroupSettings& target_group) const;
  /// What a node is given: intervals, time-outs and delays as they are to be used.
  LoadBalancerSettings at_speed(LoadBalancerSettings settings) const;

 private:
  double speed_;
  bool own_program_;
};

}  // namespace rr::sim
