#include "sim/scenario/setting_table.h"

#include <algorithm>
#include <set>

#include "sim/scenario/balancer_fields.h"
#include "sim/scenario/group_fields.h"
#include "sim/scenario/tier_fields.h"

namespace rr::sim {

const std::vector<SettingField>& setting_fields() {
  static const std::vector<SettingField> all = [] {
    std::vector<SettingField> list;
    for (const auto& part :
         {tier_fields(), app_fields(), region_fields(), balancer_fields(), target_group_fields(), group_fields()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

const SettingField* find_field(std::string_view key) {
  for (const SettingField& field : setting_fields()) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

bool is_section(const std::string& key) {
  return std::any_of(setting_fields().begin(), setting_fields().end(),
                     [&](const SettingField& f) { return f.key.rfind(key + ".", 0) == 0; });
}

std::string known_keys(const std::string& prefix) {
  std::set<std::string> seen;
  std::string out;
  for (const SettingField& field : setting_fields()) {
    if (field.key.rfind(prefix, 0) != 0) continue;
    const std::string rest = field.key.substr(prefix.size());
    const std::string part = rest.substr(0, rest.find('.'));
    if (seen.insert(part).second) out += (out.empty() ? "" : ", ") + part;
  }
  return out;
}

}  // namespace rr::sim
