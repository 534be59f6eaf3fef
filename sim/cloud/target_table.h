#pragma once
// Which targets are in which target group: a value that its copies share until one of them changes.
#include <map>
#include <memory>
#include <string>

#include "lb/policy/target_group.h"

namespace rr::sim {

/// A node is given the whole table, and a table of ten thousand targets must not be copied for each node and each
/// change of one of them. Copying costs a count a group; a change costs log n while nobody else holds that group, and a
/// copy of it once when somebody does.
class TargetTable {
 public:
  using Group = std::map<std::string, TargetSpec>;  // by id

  /// The targets of a group; none of a group that is not known.
  const Group& of(const std::string& group) const { return *share(group); }
  /// The same, kept: as long as it is the very same object, nothing of the group has changed.
  std::shared_ptr<const Group> share(const std::string& group) const;

  void add_group(const std::string& group) { own(group); }
  void put(const std::string& group, TargetSpec target);
  void erase(const std::string& group, const std::string& id);

  bool operator==(const TargetTable& other) const;

 private:
  Group& own(const std::string& group);
  std::map<std::string, std::shared_ptr<Group>> groups_;  // by name
};

}  // namespace rr::sim
