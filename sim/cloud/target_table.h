#pragma once
// Which targets are in which target group: a value that its copies share until one of them changes.
#include <map>
#include <memory>
#include <string>

#include "lb/policy/target_group.h"

namespace rr::sim {

/// A node is given the whole table, and a table of ten thousand targets must not be copied for each node and each
/// change of one of them. Copying costs a count; a change costs log n while nobody else holds the table, and a copy of
/// it once when somebody does.
class TargetTable {
 public:
  using Group = std::map<std::string, TargetSpec>;  // by id
  using Groups = std::map<std::string, Group>;      // by name

  const Groups& groups() const { return *groups_; }
  /// The targets of a group; none of a group that is not known.
  const Group& of(const std::string& group) const;

  void add_group(const std::string& group) { own()[group]; }
  void put(const std::string& group, TargetSpec target);
  void erase(const std::string& group, const std::string& id);

  bool operator==(const TargetTable& other) const { return *groups_ == *other.groups_; }

 private:
  Groups& own();
  std::shared_ptr<Groups> groups_ = std::make_shared<Groups>();
};

}  // namespace rr::sim
