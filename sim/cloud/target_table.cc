#include "sim/cloud/target_table.h"

#include <algorithm>
#include <utility>

namespace rr::sim {

std::shared_ptr<const TargetTable::Group> TargetTable::share(const std::string& group) const {
  static const auto kNone = std::make_shared<const Group>();
  const auto found = groups_.find(group);
  return found == groups_.end() ? kNone : found->second;
}

TargetTable::Group& TargetTable::own(const std::string& group) {
  std::shared_ptr<Group>& held = groups_[group];
  if (held == nullptr) held = std::make_shared<Group>();
  if (held.use_count() > 1) held = std::make_shared<Group>(*held);
  return *held;
}

void TargetTable::put(const std::string& group, TargetSpec target) {
  std::string id = target.id;
  own(group).insert_or_assign(std::move(id), std::move(target));
}

void TargetTable::erase(const std::string& group, const std::string& id) { own(group).erase(id); }

bool TargetTable::operator==(const TargetTable& other) const {
  return std::equal(groups_.begin(), groups_.end(), other.groups_.begin(), other.groups_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && (a.second == b.second || *a.second == *b.second);
                    });
}

}  // namespace rr::sim
