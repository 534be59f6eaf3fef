#pragma once
// AWS's words for what is refused in more than one place.
#include <string>

#include "lb/base/ids.h"
#include "sim/cloud/region.h"

namespace rr::sim {

ApiError validation_error(std::string message);
ApiError no_such_group(const std::string& name);
ApiError no_such_instance(const InstanceId& id);
ApiError above_max(int desired, int max);
ApiError below_min(int desired, int min);
ApiError in_cooldown(const std::string& group);
ApiError release_in_progress(const std::string& group);

}  // namespace rr::sim
