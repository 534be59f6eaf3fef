#pragma once
#include <map>
#include <string>

#include "sim/cloud/model.h"
#include "sim/scenario/settings.h"

namespace rr::sim {

/// What UpdateAutoScalingGroup makes of a group: `changes` are keys of the settings file's section auto_scaling_group
/// and launch_template_version, with their values as they are written there; what is not named stays. The error names
/// the key, the value and what would be right; whether the whole fits together is for the control plane to say.
Result<GroupSettings> changed_group(const GroupSettings& group, const std::map<std::string, std::string>& changes);

}  // namespace rr::sim
