#include "sim/cloud/termination_policy.h"

#include <algorithm>
#include <iterator>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

/// Another template than the current one first: versions of different templates say nothing about their age.
std::int64_t by_template(const Instance& instance, const CurrentTemplate& current) {
  return instance.template_name == current.name ? instance.template_version : -1;
}

std::int64_t by_hour(const Instance& instance, Time now, Duration hour) {
  return (hour - (now - instance.launched) % hour).count();
}

void add_rank(std::vector<std::int64_t>& rank, TerminationPolicy policy, const Instance& instance,
              const CurrentTemplate& current, Time now, Duration hour) {
  switch (policy) {
    case TerminationPolicy::kDefault:
      rank.push_back(by_template(instance, current));
      rank.push_back(by_hour(instance, now, hour));
      return;
    case TerminationPolicy::kOldestInstance:
      return rank.push_back(instance.launched.time_since_epoch().count());
    case TerminationPolicy::kNewestInstance:
      return rank.push_back(-instance.launched.time_since_epoch().count());
    case TerminationPolicy::kOldestLaunchTemplate:
      return rank.push_back(by_template(instance, current));
    case TerminationPolicy::kClosestToNextInstanceHour:
      return rank.push_back(by_hour(instance, now, hour));
    case TerminationPolicy::kOldestLaunchConfiguration:
    case TerminationPolicy::kAllocationStrategy:
      return;
  }
}

}  // namespace

Victims::Victims(const std::vector<const Instance*>& candidates, const std::vector<TerminationPolicy>& policies,
                 const CurrentTemplate& current, Time now, Duration hour) {
  for (std::size_t number = 0; number < candidates.size(); ++number) {
    const Instance& instance = *candidates[number];
    Rank rank;
    for (const TerminationPolicy policy : policies) add_rank(rank, policy, instance, current, now, hour);
    zones_[instance.zone][std::move(rank)].push_back({number, &instance});
  }
}

/// Of the fullest zones those whom the policies put first, in the order of the candidates.
Victims::Equals Victims::first_of(const std::set<ZoneName>& fullest) const {
  const Rank* least = nullptr;
  for (const ZoneName& zone : fullest) {
    const Rank& rank = zones_.at(zone).begin()->first;
    if (least == nullptr || rank < *least) least = &rank;
  }
  Equals equals;
  for (const ZoneName& zone : fullest) {
    const auto& [rank, here] = *zones_.at(zone).begin();
    if (rank != *least) continue;
    Equals both;
    std::merge(equals.begin(), equals.end(), here.begin(), here.end(), std::back_inserter(both), is_before);
    equals.swap(both);
  }
  return equals;
}

const Instance& Victims::take(const std::vector<ZoneLoad>& zones, Rng& rng) {
  RR_CHECK(!empty(), "a victim needs candidates");
  std::set<ZoneName> eligible;
  for (const auto& [zone, ranks] : zones_) eligible.insert(zone);
  const Equals equals = first_of(fullest_zones(zones, eligible));
  // Chance is drawn only where there is a choice, so that a group without ties does not disturb later draws.
  const Candidate& chosen = equals[equals.size() == 1 ? 0 : rng.below(equals.size())];
  const auto zone = zones_.find(chosen.instance->zone);
  const auto rank = zone->second.begin();
  rank->second.erase(std::lower_bound(rank->second.begin(), rank->second.end(), chosen, is_before));
  if (rank->second.empty()) zone->second.erase(rank);
  if (zone->second.empty()) zones_.erase(zone);
  return *chosen.instance;
}

}  // namespace rr::sim
