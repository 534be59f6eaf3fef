#pragma once
// Which targets are in which target group: a value that its copies share until one of them changes.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/target_group.h"

namespace rr::sim {

/// A node is given the whole table, and a table of ten thousand targets must not be copied for each node and each
/// change of one of them. Copying costs a count a group; a change moves a pointer for each target that comes after,
/// and copies one for each when somebody else holds that group.
class TargetTable {
 public:
  /// By id. What is in two lists unchanged is the same object in both, so that they are compared without a look at it.
  using Group = std::vector<std::shared_ptr<const TargetSpec>>;

  /// The targets of a group; none of a group that is not known.
  const Group& of(const std::string& group) const { return *share(group); }
  /// The same, kept: as long as it is the very same object, nothing of the group has changed.
  std::shared_ptr<const Group> share(const std::string& group) const;

  /// nullptr when there is none.
  static const TargetSpec* find(const Group& group, std::string_view id);

  void add_group(const std::string& group) { own(group); }
  void put(const std::string& group, TargetSpec target);
  void erase(const std::string& group, const std::string& id);

  bool operator==(const TargetTable& other) const;

 private:
  Group& own(const std::string& group);
  std::map<std::string, std::shared_ptr<Group>> groups_;  // by name
};

}  // namespace rr::sim
