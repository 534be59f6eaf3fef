#pragma once
// The settings of the load balancer and of its target group.
#include <vector>

#include "sim/scenario/setting_field.h"

namespace rr::sim {

std::vector<SettingField> balancer_fields();      // load_balancer.
std::vector<SettingField> target_group_fields();  // target_group.

}  // namespace rr::sim
