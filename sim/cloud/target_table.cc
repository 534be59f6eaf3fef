#include "sim/cloud/target_table.h"

#include <utility>

namespace rr::sim {

const TargetTable::Group& TargetTable::of(const std::string& group) const {
  static const Group kNone;
  const auto found = groups_->find(group);
  return found == groups_->end() ? kNone : found->second;
}

TargetTable::Groups& TargetTable::own() {
  if (groups_.use_count() > 1) groups_ = std::make_shared<Groups>(*groups_);
  return *groups_;
}

void TargetTable::put(const std::string& group, TargetSpec target) {
  std::string id = target.id;
  own()[group].insert_or_assign(std::move(id), std::move(target));
}

void TargetTable::erase(const std::string& group, const std::string& id) { own()[group].erase(id); }

}  // namespace rr::sim
