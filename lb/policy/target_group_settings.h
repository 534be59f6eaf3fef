#pragma once
// Every setting of a target group, under the names of the ELBv2 API.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"
#include "lb/policy/balancer.h"
#include "lb/policy/health_state.h"

namespace rr {

/// Limits of AWS's API (times in seconds), and where there are two, the lower one that `unrestricted` permits.
constexpr Duration kMinimumHealthInterval = std::chrono::seconds(5);
constexpr Duration kMaximumHealthInterval = std::chrono::seconds(300);
constexpr Duration kMinimumHealthTimeout = std::chrono::seconds(2);
constexpr Duration kMaximumHealthTimeout = std::chrono::seconds(120);
constexpr Duration kMinimumUnrestricted = std::chrono::milliseconds(10);
constexpr int kMinimumThreshold = 2;
constexpr int kMaximumThreshold = 10;
constexpr std::size_t kMaximumHealthPath = 1024;
constexpr Duration kMaximumDeregistrationDelay = std::chrono::seconds(3600);
constexpr Duration kMinimumSlowStart = std::chrono::seconds(30);
constexpr Duration kMaximumSlowStart = std::chrono::seconds(900);
constexpr Duration kMinimumStickiness = std::chrono::seconds(1);
constexpr Duration kMaximumStickiness = std::chrono::seconds(604'800);
/// AWS's quota is 1,000 a target group and can be raised.
constexpr int kMaximumTargets = 10'000;

enum class StickinessType : std::uint8_t { kLbCookie, kAppCookie };
std::string_view to_string(StickinessType type);  // "lb_cookie"
std::optional<StickinessType> parse_stickiness_type(std::string_view text);

/// stickiness.*: a client's requests stay with the target that answered its first one.
struct Stickiness {
  bool enabled = false;
  StickinessType type = StickinessType::kLbCookie;
  Duration lb_cookie_duration = std::chrono::seconds(86'400);   // 1 to 604800 s
  Duration app_cookie_duration = std::chrono::seconds(86'400);  // 1 to 604800 s
  /// The application's cookie, with app_cookie; must not begin with AWSALB.
  std::string app_cookie_name{};
  bool operator==(const Stickiness&) const = default;
};

/// minimum_healthy_targets.{count,percentage}; nothing is "off". With fewer healthy targets than either one demands
/// the zone is unhealthy.
struct MinimumHealthyTargets {
  std::optional<int> count = 1;        // 1 to kMaximumTargets
  std::optional<int> percentage = {};  // 1 to 100, of the registered targets in scope
  bool operator==(const MinimumHealthyTargets&) const = default;
};

struct TargetGroupSettings {
  std::string name = "targets";  // up to 32 letters, digits and hyphens
  HealthCheck health_check{};
  Duration deregistration_delay = std::chrono::seconds(300);  // deregistration_delay.timeout_seconds, 0 to 3600 s
  Algorithm algorithm = Algorithm::kRoundRobin;               // load_balancing.algorithm.type
  bool anomaly_mitigation = false;  // load_balancing.algorithm.anomaly_mitigation, with weighted_random only
  /// load_balancing.cross_zone.enabled; nothing is use_load_balancer_configuration, which is always true for an ALB.
  std::optional<bool> cross_zone{};
  Duration slow_start = Duration::zero();  // slow_start.duration_seconds: 0 is off, or 30 to 900 s
  /// Not AWS's, which does not say where slow start begins: the least share of a target in it, 1 to 100.
  int slow_start_floor_percent = 1;
  Stickiness stickiness{};
  /// target_group_health.dns_failover: the node of a zone below it leaves DNS.
  MinimumHealthyTargets dns_failover{};
  /// target_group_health.unhealthy_state_routing (its count cannot be off): below it a node uses all targets.
  MinimumHealthyTargets unhealthy_state_routing{};
  /// Not AWS's: permits slow_start below AWS's minimum, for time-lapse runs. (The health check has its own.)
  bool unrestricted = false;
  bool operator==(const TargetGroupSettings&) const = default;
};

/// Whether a node spreads over the targets of all zones.
constexpr bool crosses_zones(const TargetGroupSettings& settings) { return settings.cross_zone.value_or(true); }

}  // namespace rr
