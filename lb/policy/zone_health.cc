#include "lb/policy/zone_health.h"

#include <algorithm>
#include <array>

namespace rr {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kReasons{"healthy", "no_zone_is_healthy", "too_few_healthy_targets",
                                                   "zonal_shift"};

DnsVerdict verdict(const std::string& zone, std::span<const GroupHealth> groups,
                   const std::optional<std::string>& shifted) {
  if (shifted == zone) return {zone, false, DnsReason::kZonalShift};
  for (const GroupHealth& group : groups) {
    const ZoneCount count = counted_for(group, zone, shifted);
    if (count.registered == 0 || !is_below(group.minimum, count.healthy, count.registered)) continue;
    return {zone, false, DnsReason::kTooFewHealthy, group.target_group};
  }
  return {zone, true, DnsReason::kHealthy};
}

}  // namespace

bool in_every_zone(std::string_view zone) { return zone.empty() || zone == "all"; }

bool is_below(const MinimumHealthyTargets& minimum, std::size_t healthy, std::size_t registered) {
  if (minimum.count && healthy < static_cast<std::size_t>(*minimum.count)) return true;
  return minimum.percentage && 100 * healthy < static_cast<std::size_t>(*minimum.percentage) * registered;
}

ZoneCount counted_for(const GroupHealth& group, const std::string& zone, const std::optional<std::string>& shifted) {
  const bool elsewhere = std::any_of(group.zones.begin(), group.zones.end(), [&](const ZoneCount& one) {
    return one.registered > 0 && shifted && one.zone != *shifted;
  });
  ZoneCount sum{zone};
  for (const ZoneCount& one : group.zones) {
    const bool counts =
        group.cross_zone ? !(elsewhere && one.zone == *shifted) : one.zone == zone || in_every_zone(one.zone);
    if (!counts) continue;
    sum.registered += one.registered;
    sum.healthy += one.healthy;
  }
  return sum;
}

std::vector<ZoneStates> zone_states(const GroupHealth& group, const MinimumHealthyTargets& routing,
                                    std::span<const std::string> zones, const std::optional<std::string>& shifted) {
  std::vector<ZoneStates> states;
  for (const std::string& zone : zones) {
    const ZoneCount count = counted_for(group, zone, shifted);
    if (count.registered == 0) continue;
    states.push_back({zone, !is_below(group.minimum, count.healthy, count.registered),
                      !is_below(routing, count.healthy, count.registered)});
  }
  return states;
}

std::string_view to_string(DnsReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

std::vector<DnsVerdict> zones_in_dns(std::span<const std::string> zones, std::span<const GroupHealth> groups,
                                     const std::optional<std::string>& shifted) {
  std::vector<DnsVerdict> all;
  for (const std::string& zone : zones) all.push_back(verdict(zone, groups, shifted));
  if (std::any_of(all.begin(), all.end(), [](const DnsVerdict& one) { return one.in_dns; })) return all;
  for (DnsVerdict& one : all) one = {one.zone, true, DnsReason::kNoZoneIsHealthy};
  return all;
}

}  // namespace rr
