#include "sim/scenario/group_change.h"

#include <fmt/format.h>

#include "sim/scenario/setting_table.h"

namespace rr::sim {

Result<GroupSettings> changed_group(const GroupSettings& group, const std::map<std::string, std::string>& changes) {
  TierSettings whole;
  whole.group = group;
  for (const auto& [key, value] : changes) {
    if (key == "launch_template_version") {
      whole.group.launch_template.version = value;
      continue;
    }
    const SettingField* field = find_field("auto_scaling_group." + key);
    if (key == "desired_capacity") return Error{"desired_capacity: is set with rr-sim scale"};
    if (field == nullptr || key == "name") {
      return Error{
          fmt::format("{}: cannot be changed; there are launch_template_version and, but for name and "
                      "desired_capacity: {}",
                      key, known_keys("auto_scaling_group."))};
    }
    if (Wrong wrong = field->read(whole, value)) return Error{fmt::format("{}={}: {}", key, value, *wrong)};
  }
  return whole.group;
}

}  // namespace rr::sim
