#pragma once
// The settings of the tier itself, of the program behind the balancer, and of the region with its zones.
#include <vector>

#include "sim/scenario/setting_field.h"

namespace rr::sim {

std::vector<SettingField> tier_fields();    // listen, ground, speed, load, seed
std::vector<SettingField> app_fields();     // app.
std::vector<SettingField> region_fields();  // region. and zones

}  // namespace rr::sim
