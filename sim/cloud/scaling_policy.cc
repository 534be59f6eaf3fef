#include "sim/cloud/scaling_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rr::sim {
namespace {

constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostSteps = 20;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double lower_of(const StepAdjustment& step) { return step.lower.value_or(-kInfinity); }
double upper_of(const StepAdjustment& step) { return step.upper.value_or(kInfinity); }

/// Above the threshold the lower bound belongs to the band, below it the upper one.
bool holds(const StepAdjustment& step, double difference) {
  if (difference >= 0) return lower_of(step) <= difference && difference < upper_of(step);
  return lower_of(step) < difference && difference <= upper_of(step);
}

std::optional<std::string> wrong_steps(const std::vector<StepAdjustment>& steps) {
  if (steps.empty() || steps.size() > kMostSteps) {
    return fmt::format("StepAdjustments: {} are given, 1 to {} are right", steps.size(), kMostSteps);
  }
  for (const StepAdjustment& step : steps) {
    if (lower_of(step) >= upper_of(step)) return "StepAdjustments: a lower bound below the upper one is right";
    for (const StepAdjustment& other : steps) {
      const bool apart = &other == &step || upper_of(step) <= lower_of(other) || upper_of(other) <= lower_of(step);
      if (!apart) return "StepAdjustments: bands that do not overlap are right";
    }
  }
  return std::nullopt;
}

/// Of a percentage: what is between 0 and 1 becomes 1, what is more is rounded towards 0.
int change_of(int capacity, int percentage) {
  const int change = capacity * percentage / 100;
  if (change != 0 || percentage == 0 || capacity == 0) return change;
  return percentage > 0 ? 1 : -1;
}

int adjusted(const ScalingPolicy& policy, int capacity, int adjustment) {
  switch (policy.adjustment_type) {
    case AdjustmentType::kChangeInCapacity:
      return capacity + adjustment;
    case AdjustmentType::kExactCapacity:
      return adjustment;
    case AdjustmentType::kPercentChangeInCapacity: {
      int change = change_of(capacity, adjustment);
      const int least = policy.min_adjustment_magnitude.value_or(0);
      if (change > 0) change = std::max(change, least);
      if (change < 0) change = std::min(change, -least);
      return capacity + change;
    }
  }
  return capacity;
}

std::optional<int> tracked(const ScalingPolicy& policy, const ScalingView& view) {
  const double exact = static_cast<double>(view.ready) * view.value / policy.target_value;
  const int wanted = static_cast<int>(std::ceil(std::min(exact, 1e6)));
  if (!view.low) return wanted > view.desired ? std::optional(wanted) : std::nullopt;
  if (policy.disable_scale_in || view.ready < view.desired) return std::nullopt;
  // Gradually: at most a tenth, and at least one, at a time.
  return std::max(wanted, view.desired - std::max(1, view.desired / 10));
}

std::optional<int> stepped(const ScalingPolicy& policy, const ScalingView& view, int adjustment) {
  const int up = adjusted(policy, view.ready, adjustment);
  if (up > view.desired) return up;
  if (view.ready < view.desired) return std::nullopt;
  return adjusted(policy, view.desired, adjustment);
}

}  // namespace

std::string_view to_string(PolicyType type) {
  switch (type) {
    case PolicyType::kTargetTrackingScaling:
      return "TargetTrackingScaling";
    case PolicyType::kStepScaling:
      return "StepScaling";
    case PolicyType::kSimpleScaling:
      return "SimpleScaling";
  }
  return "";
}

std::string_view to_string(AdjustmentType type) {
  switch (type) {
    case AdjustmentType::kChangeInCapacity:
      return "ChangeInCapacity";
    case AdjustmentType::kExactCapacity:
      return "ExactCapacity";
    case AdjustmentType::kPercentChangeInCapacity:
      return "PercentChangeInCapacity";
  }
  return "";
}

std::optional<AdjustmentType> parse_adjustment_type(std::string_view text) {
  using A = AdjustmentType;
  for (const A type : {A::kChangeInCapacity, A::kExactCapacity, A::kPercentChangeInCapacity}) {
    if (text == to_string(type)) return type;
  }
  return std::nullopt;
}

std::optional<std::string> wrong_policy(const ScalingPolicy& policy) {
  if (policy.name.empty() || policy.name.size() > kMostName) {
    return fmt::format("PolicyName '{}': 1 to {} characters are right", policy.name, kMostName);
  }
  if (policy.min_adjustment_magnitude &&
      (*policy.min_adjustment_magnitude < 1 || policy.adjustment_type != AdjustmentType::kPercentChangeInCapacity)) {
    return "MinAdjustmentMagnitude: 1 or more, with PercentChangeInCapacity, is right";
  }
  switch (policy.type) {
    case PolicyType::kTargetTrackingScaling:
      if (!(policy.target_value > 0)) return fmt::format("TargetValue {}: above 0 is right", policy.target_value);
      if (policy.metric != Metric::kRequestCountPerTarget) {
        return fmt::format(
            "PredefinedMetricType {}: ALBRequestCountPerTarget is right: it falls as instances are added",
            to_string(policy.metric));
      }
      return std::nullopt;
    case PolicyType::kStepScaling:
      return wrong_steps(policy.step_adjustments);
    case PolicyType::kSimpleScaling:
      if (policy.cooldown && *policy.cooldown < Duration::zero()) return "Cooldown: 0 seconds or more is right";
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int> next_capacity(const ScalingPolicy& policy, const ScalingView& view) {
  std::optional<int> next;
  switch (policy.type) {
    case PolicyType::kTargetTrackingScaling:
      next = tracked(policy, view);
      break;
    case PolicyType::kStepScaling:
      for (const StepAdjustment& step : policy.step_adjustments) {
        if (holds(step, view.value - view.threshold)) next = stepped(policy, view, step.scaling_adjustment);
      }
      break;
    case PolicyType::kSimpleScaling:
      next = adjusted(policy, view.desired, policy.scaling_adjustment);
      break;
  }
  if (!next) return std::nullopt;
  const int within = std::clamp(*next, view.min_size, view.max_size);
  return within == view.desired ? std::nullopt : std::optional(within);
}

namespace {

AlarmSettings tracking_alarm(const ScalingPolicy& policy, const std::string& uuid, std::string_view which) {
  AlarmSettings alarm;
  alarm.name = fmt::format("TargetTracking-{}-Alarm{}-{}", policy.group, which, uuid);
  alarm.group = policy.group;
  alarm.metric = policy.metric;
  return alarm;
}

}  // namespace

AlarmSettings high_alarm(const ScalingPolicy& policy, const std::string& uuid) {
  AlarmSettings alarm = tracking_alarm(policy, uuid, "High");
  alarm.comparison = ComparisonOperator::kGreaterThanThreshold;
  alarm.threshold = policy.target_value;
  alarm.evaluation_periods = 3;
  return alarm;
}

AlarmSettings low_alarm(const ScalingPolicy& policy, const std::string& uuid) {
  AlarmSettings alarm = tracking_alarm(policy, uuid, "Low");
  alarm.comparison = ComparisonOperator::kLessThanThreshold;
  alarm.threshold = policy.target_value * 0.9;
  alarm.evaluation_periods = 15;
  return alarm;
}

}  // namespace rr::sim
