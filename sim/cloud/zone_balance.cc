#include "sim/cloud/zone_balance.h"

#include <algorithm>

namespace rr::sim {
namespace {

int most_instances(const std::vector<ZoneLoad>& zones) {
  int most = 0;
  for (const ZoneLoad& zone : zones) most = std::max(most, zone.instances);
  return most;
}

bool holds_disabled(const std::vector<ZoneLoad>& zones) {
  return std::any_of(zones.begin(), zones.end(), [](const ZoneLoad& z) { return !z.enabled && z.instances > 0; });
}

const ZoneLoad* emptiest(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& refusing) {
  const ZoneLoad* best = nullptr;
  for (const ZoneLoad& zone : zones) {
    if (!zone.enabled || refusing.contains(zone.zone)) continue;
    if (best == nullptr || zone.instances < best->instances) best = &zone;
  }
  return best;
}

}  // namespace

std::optional<ZoneName> emptiest_zone(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& refusing) {
  const ZoneLoad* zone = emptiest(zones, refusing);
  if (zone == nullptr) return std::nullopt;
  return zone->zone;
}

std::set<ZoneName> fullest_zones(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& eligible) {
  std::set<ZoneName> disabled;
  std::set<ZoneName> fullest;
  int most = 0;
  for (const ZoneLoad& zone : zones) {
    if (!eligible.contains(zone.zone)) continue;
    if (!zone.enabled && zone.instances > 0) disabled.insert(zone.zone);
    if (zone.instances > most) fullest.clear();
    most = std::max(most, zone.instances);
    if (zone.instances == most) fullest.insert(zone.zone);
  }
  return disabled.empty() ? fullest : disabled;
}

std::optional<ZoneName> zone_to_fill(const std::vector<ZoneLoad>& zones, const std::set<ZoneName>& refusing) {
  const ZoneLoad* zone = emptiest(zones, refusing);
  if (zone == nullptr) return std::nullopt;
  if (!holds_disabled(zones) && most_instances(zones) - zone->instances < 2) return std::nullopt;
  return zone->zone;
}

int moves_to_balance(const std::vector<ZoneLoad>& zones) {
  int total = 0;
  std::vector<int> enabled;
  int moves = 0;
  for (const ZoneLoad& zone : zones) {
    total += zone.instances;
    if (zone.enabled) {
      enabled.push_back(zone.instances);
    } else {
      moves += zone.instances;
    }
  }
  if (enabled.empty()) return 0;
  // 7 over 3 zones: shares 3, 2, 2, the larger shares for the zones that are fuller already.
  std::sort(enabled.rbegin(), enabled.rend());
  const int zones_count = static_cast<int>(enabled.size());
  for (int i = 0; i < zones_count; ++i) {
    const int share = total / zones_count + (i < total % zones_count ? 1 : 0);
    moves += std::max(0, enabled[static_cast<std::size_t>(i)] - share);
  }
  return moves;
}

}  // namespace rr::sim
