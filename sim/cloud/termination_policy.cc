#include "sim/cloud/termination_policy.h"

#include <algorithm>
#include <set>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

using Candidates = std::vector<const Instance*>;

/// Keeps those for which `key` is least.
template <class Key>
void keep_least(Candidates& candidates, Key key) {
  auto least = key(*candidates.front());
  for (const Instance* instance : candidates) least = std::min(least, key(*instance));
  std::erase_if(candidates, [&](const Instance* instance) { return key(*instance) != least; });
}

void keep_oldest_template(Candidates& candidates, const CurrentTemplate& current) {
  const auto is_other = [&](const Instance* instance) { return instance->template_name != current.name; };
  if (std::any_of(candidates.begin(), candidates.end(), is_other)) {
    std::erase_if(candidates, [&](const Instance* instance) { return !is_other(instance); });
    return;  // versions of different templates say nothing about their age
  }
  keep_least(candidates, [](const Instance& instance) { return instance.template_version; });
}

void keep_closest_to_hour(Candidates& candidates, Time now, Duration hour) {
  keep_least(candidates, [&](const Instance& instance) { return hour - (now - instance.launched) % hour; });
}

void filter(Candidates& candidates, TerminationPolicy policy, const CurrentTemplate& current, Time now, Duration hour) {
  switch (policy) {
    case TerminationPolicy::kDefault:
      keep_oldest_template(candidates, current);
      keep_closest_to_hour(candidates, now, hour);
      return;
    case TerminationPolicy::kOldestInstance:
      keep_least(candidates, [](const Instance& instance) { return instance.launched.time_since_epoch(); });
      return;
    case TerminationPolicy::kNewestInstance:
      keep_least(candidates, [](const Instance& instance) { return -instance.launched.time_since_epoch(); });
      return;
    case TerminationPolicy::kOldestLaunchTemplate:
      keep_oldest_template(candidates, current);
      return;
    case TerminationPolicy::kClosestToNextInstanceHour:
      keep_closest_to_hour(candidates, now, hour);
      return;
    case TerminationPolicy::kOldestLaunchConfiguration:
    case TerminationPolicy::kAllocationStrategy:
      return;
  }
}

}  // namespace

std::vector<const Instance*> in_fullest_zones(const std::vector<const Instance*>& candidates,
                                              const std::vector<ZoneLoad>& zones) {
  std::set<ZoneName> eligible;
  for (const Instance* instance : candidates) eligible.insert(instance->zone);
  const std::set<ZoneName> fullest = fullest_zones(zones, eligible);
  std::vector<const Instance*> chosen;
  for (const Instance* instance : candidates) {
    if (fullest.contains(instance->zone)) chosen.push_back(instance);
  }
  return chosen;
}

const Instance& choose_victim(std::vector<const Instance*> candidates, const std::vector<TerminationPolicy>& policies,
                              const CurrentTemplate& current, Time now, Duration hour, Rng& rng) {
  RR_CHECK(!candidates.empty(), "a victim needs candidates");
  for (const TerminationPolicy policy : policies) filter(candidates, policy, current, now, hour);
  // Chance is drawn only where there is a choice, so that a group without ties does not disturb later draws.
  return *candidates[candidates.size() == 1 ? 0 : rng.below(candidates.size())];
}

}  // namespace rr::sim
