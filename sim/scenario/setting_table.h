#pragma once
// Every setting of a tier, in the order in which the settings file shows them.
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/setting_field.h"

namespace rr::sim {

const std::vector<SettingField>& setting_fields();

/// Null where no setting has that key.
const SettingField* find_field(std::string_view key);

/// Whether there are keys below it: "target_group.health_check".
bool is_section(const std::string& key);

/// The keys that may stand where `prefix` ends, for "a key that is known there": "name, port" after "target_group.".
std::string known_keys(const std::string& prefix);

}  // namespace rr::sim
