#include "sim/cloud/api_errors.h"

#include <fmt/format.h>

#include <utility>

namespace rr::sim {

ApiError validation_error(std::string message) { return {"ValidationError", std::move(message)}; }

ApiError no_such_group(const std::string& name) {
  return validation_error(fmt::format("AutoScalingGroup name not found - no such group: {}", name));
}

ApiError no_such_instance(const InstanceId& id) {
  return validation_error(
      fmt::format("Instance Id not found - No managed instance found for instance ID: {}", id.value));
}

ApiError above_max(int desired, int max) {
  return validation_error(
      fmt::format("New SetDesiredCapacity value {} is above max value {} for the AutoScalingGroup.", desired, max));
}

ApiError below_min(int desired, int min) {
  return validation_error(
      fmt::format("New SetDesiredCapacity value {} is below min value {} for the AutoScalingGroup.", desired, min));
}

/// (AWS's own text is not known.)
ApiError in_cooldown(const std::string& group) {
  return {"ScalingActivityInProgress",
          fmt::format("The AutoScalingGroup {} is in its cooldown period, which blocks this action.", group)};
}

ApiError release_in_progress(const std::string& group) {
  return {"ScalingActivityInProgress",
          fmt::format("A release is in progress for the AutoScalingGroup {}: wait until it has ended.", group)};
}

}  // namespace rr::sim
