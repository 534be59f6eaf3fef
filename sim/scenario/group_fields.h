#pragma once
// The settings of the Auto Scaling group.
#include <vector>

#include "sim/scenario/setting_field.h"

namespace rr::sim {

std::vector<SettingField> group_fields();  // auto_scaling_group.

}  // namespace rr::sim
