#pragma once
// What a scaling policy makes of a metric: the next desired capacity.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html and as-scaling-simple-step.html
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/time.h"
#include "sim/cloud/alarm.h"

namespace rr::sim {

enum class PolicyType : std::uint8_t { kTargetTrackingScaling, kStepScaling, kSimpleScaling };
std::string_view to_string(PolicyType type);

enum class AdjustmentType : std::uint8_t { kChangeInCapacity, kExactCapacity, kPercentChangeInCapacity };
std::string_view to_string(AdjustmentType type);
std::optional<AdjustmentType> parse_adjustment_type(std::string_view text);

/// A band of the metric, its bounds relative to the alarm's threshold; an absent one is infinite.
struct StepAdjustment {
  std::optional<double> lower;  // MetricIntervalLowerBound
  std::optional<double> upper;  // MetricIntervalUpperBound
  int scaling_adjustment = 0;
  bool operator==(const StepAdjustment&) const = default;
};

struct ScalingPolicy {
  std::string name;
  std::string group;
  PolicyType type = PolicyType::kTargetTrackingScaling;
  bool enabled = true;
  // Target tracking:
  Metric metric = Metric::kRequestCountPerTarget;
  double target_value = 0;
  bool disable_scale_in = false;
  // Step and simple:
  std::string alarm = {};  // that triggers it; with target tracking the two that it makes itself
  AdjustmentType adjustment_type = AdjustmentType::kChangeInCapacity;
  std::vector<StepAdjustment> step_adjustments = {};
  int scaling_adjustment = 0;                        // simple
  std::optional<int> min_adjustment_magnitude = {};  // with PercentChangeInCapacity
  std::optional<Duration> cooldown = {};             // simple; else the group's
  bool operator==(const ScalingPolicy&) const = default;
};

/// What is out of range, in one line with what would be right; none when all is well.
std::optional<std::string> wrong_policy(const ScalingPolicy& policy);

/// What a policy looks at.
struct ScalingView {
  int desired = 0;
  int ready = 0;  // in service, through the first health check, warm: those that the metric is about
  int min_size = 0;
  int max_size = 0;
  double value = 0;      // of the metric
  double threshold = 0;  // of the alarm
  bool low = false;      // target tracking: the alarm for scaling in
};

/// The next desired capacity, or none when it stays. Instances that are not ready yet count as desired, but not as what
/// has given the metric: while they warm up, only what goes beyond them is added, and nothing is taken away. Worked:
/// target 100, 2 ready, metric 160: 2 x 160 / 100 = 3.2, so 4; 4 desired while the metric still says 160: no more.
std::optional<int> next_capacity(const ScalingPolicy& policy, const ScalingView& view);

/// The alarms of a target tracking policy. High: 3 periods above the target; low: 15 periods below 90 % of it. (AWS
/// does not document these numbers; they are widely seen.)
AlarmSettings high_alarm(const ScalingPolicy& policy, const std::string& uuid);
AlarmSettings low_alarm(const ScalingPolicy& policy, const std::string& uuid);

}  // namespace rr::sim
