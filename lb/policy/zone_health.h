#pragma once
// Whether there are enough healthy targets, and which zones' nodes are in DNS.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/target_group_settings.h"

namespace rr {

/// A target of the zone "" or "all" stands in no zone of its own and counts in each.
bool in_every_zone(std::string_view zone);

/// Fewer healthy targets than the count or the percentage demands, of so many registered ones.
bool is_below(const MinimumHealthyTargets& minimum, std::size_t healthy, std::size_t registered);

/// The targets of a group that stand in one zone, without those that drain or are not in use.
struct ZoneCount {
  std::string zone;
  std::size_t registered = 0;
  std::size_t healthy = 0;
  bool operator==(const ZoneCount&) const = default;
};

/// A target group as DNS looks at it.
struct GroupHealth {
  std::string target_group;
  bool cross_zone = true;
  MinimumHealthyTargets minimum{};  // dns_failover
  std::vector<ZoneCount> zones{};   // each zone once
};

/// What a group counts for a zone, as zones_in_dns() says: every zone's targets where cross-zone is on, but for the
/// shifted zone's when there are others; else the zone's own.
ZoneCount counted_for(const GroupHealth& group, const std::string& zone, const std::optional<std::string>& shifted);

/// Whether a zone has enough healthy targets of a group: HealthyStateDNS and HealthyStateRouting of CloudWatch.
struct ZoneStates {
  std::string zone;
  bool healthy_dns = true;
  bool healthy_routing = true;
  bool operator==(const ZoneStates&) const = default;
};
/// One for each of `zones` for which the group counts targets at all. `routing`: unhealthy_state_routing.
std::vector<ZoneStates> zone_states(const GroupHealth& group, const MinimumHealthyTargets& routing,
                                    std::span<const std::string> zones, const std::optional<std::string>& shifted);

/// Why a zone's node is in DNS or not.
enum class DnsReason : std::uint8_t {
  kHealthy,          // in
  kNoZoneIsHealthy,  // in: no zone is better
  kTooFewHealthy,    // out: too few healthy targets in one of the groups
  kZonalShift,       // out
};
std::string_view to_string(DnsReason reason);  // "zonal_shift"

struct DnsVerdict {
  std::string zone;
  bool in_dns = true;
  DnsReason reason = DnsReason::kHealthy;
  std::string target_group{};  // with kTooFewHealthy: the first one of them
  bool operator==(const DnsVerdict&) const = default;
};

/// One verdict for each of `zones`. `groups` are those that a listener uses. A group counts the targets of all zones
/// where cross-zone is on (but for the shifted zone's, when there are others) and those of the zone where it is off;
/// one that has no targets there has no opinion: such a node answers 503 and stays. One bad group takes the zone out
/// for the whole load balancer. When every zone is bad or shifted, all are in.
///
/// AWS's example: two zones of 10 targets, both thresholds 50 %, 6 targets of b fail. Without cross-zone b has 4 of 10:
/// out. With it all zones have 14 of 20, 70 %: nothing happens.
std::vector<DnsVerdict> zones_in_dns(std::span<const std::string> zones, std::span<const GroupHealth> groups,
                                     const std::optional<std::string>& shifted);

}  // namespace rr
