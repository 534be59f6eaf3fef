#pragma once
// A change of a group's capacity at a time, once or again and again.
#include <optional>
#include <string>

#include "lb/base/time.h"

namespace rr::sim {

struct ScheduledAction {
  std::string name;
  std::string group;
  std::optional<Time> start_time = {};  // of the first; without a recurrence of the only one
  std::optional<Time> end_time = {};    // none after it
  std::string recurrence = {};          // cron, in UTC; empty: once
  std::optional<int> min_size = {};
  std::optional<int> max_size = {};
  std::optional<int> desired_capacity = {};
  std::optional<Time> next = {};  // when it is due; set by the region
  bool operator==(const ScheduledAction&) const = default;
};

}  // namespace rr::sim
