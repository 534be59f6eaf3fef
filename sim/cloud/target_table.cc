#include "sim/cloud/target_table.h"

#include <algorithm>
#include <utility>

namespace rr::sim {
namespace {

/// Where it is, or would be.
auto place_of(auto& group, std::string_view id) {
  return std::lower_bound(group.begin(), group.end(), id,
                          [](const auto& one, std::string_view wanted) { return std::string_view(one->id) < wanted; });
}

bool is_at(const auto& group, const auto& place, std::string_view id) {
  return place != group.end() && (*place)->id == id;
}

bool same_targets(const TargetTable::Group& a, const TargetTable::Group& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& one, const auto& other) { return one == other || *one == *other; });
}

}  // namespace

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

const TargetSpec* TargetTable::find(const Group& group, std::string_view id) {
  const auto place = place_of(group, id);
  return is_at(group, place, id) ? place->get() : nullptr;
}

void TargetTable::put(const std::string& group, TargetSpec target) {
  Group& all = own(group);
  const auto place = place_of(all, target.id);
  const bool known = is_at(all, place, target.id);
  auto made = std::make_shared<const TargetSpec>(std::move(target));
  if (known) {
    *place = std::move(made);
  } else {
    all.insert(place, std::move(made));
  }
}

void TargetTable::erase(const std::string& group, const std::string& id) {
  Group& all = own(group);
  const auto place = place_of(all, id);
  if (is_at(all, place, id)) all.erase(place);
}

bool TargetTable::operator==(const TargetTable& other) const {
  return std::equal(groups_.begin(), groups_.end(), other.groups_.begin(), other.groups_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && (a.second == b.second || same_targets(*a.second, *b.second));
                    });
}

}  // namespace rr::sim
