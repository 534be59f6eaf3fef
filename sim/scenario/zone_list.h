#pragma once
// The availability zones and their subnets as the settings have them.
#include "sim/scenario/setting_field.h"

namespace rr::sim {

/// The setting "zones": "eu-west-1a: 172.31.16.0/20, eu-west-1b: 172.31.32.0/20", or a map of the same.
SettingField zones_field();

}  // namespace rr::sim
