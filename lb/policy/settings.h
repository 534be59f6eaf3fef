#pragma once
// Every setting of load balancers, listeners, rules and target groups, and the one validate(), which the command line,
// the YAML file, the admin API and the simulated control plane all call. Names are those of the ELBv2 API.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "lb/base/result.h"
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
/// AWS's quota is 1,000 a target group and can be raised.
constexpr int kMaximumTargets = 10'000;
constexpr std::size_t kMaximumName = 32;
constexpr std::size_t kMaximumForwardTargets = 5;
constexpr int kMaximumWeight = 999;
constexpr std::size_t kMaximumFixedResponseBody = 1024;
constexpr std::size_t kMaximumListeners = 50;
constexpr std::size_t kMaximumTargetGroups = 100;
constexpr Duration kMinimumIdleTimeout = std::chrono::seconds(1);
constexpr Duration kMaximumIdleTimeout = std::chrono::seconds(4000);
constexpr Duration kMinimumClientKeepAlive = std::chrono::seconds(60);
constexpr Duration kMaximumClientKeepAlive = std::chrono::seconds(604'800);
constexpr Duration kMaximumConnectTimeout = std::chrono::seconds(60);

struct TargetGroupSettings {
  std::string name = "targets";  // up to 32 letters, digits and hyphens
  HealthCheck health_check{};
  Duration deregistration_delay = std::chrono::seconds(300);  // deregistration_delay.timeout_seconds, 0 to 3600 s
  Algorithm algorithm = Algorithm::kRoundRobin;               // load_balancing.algorithm.type
  /// target_group_health.unhealthy_state_routing.minimum_healthy_targets.count, 1 to kMaximumTargets
  int minimum_healthy_targets = 1;
  bool operator==(const TargetGroupSettings&) const = default;
};

struct ForwardTarget {
  std::string target_group{};
  int weight = 1;  // 0 to 999
  bool operator==(const ForwardTarget&) const = default;
};
struct ForwardAction {
  std::vector<ForwardTarget> target_groups{};
  bool operator==(const ForwardAction&) const = default;
};
struct FixedResponseAction {
  int status = 503;
  std::string content_type = "text/plain";
  std::string body{};
  bool operator==(const FixedResponseAction&) const = default;
};
using RuleAction = std::variant<ForwardAction, FixedResponseAction>;

/// A listener: its default action. (Rules with conditions are a list before it, by priority.)
struct ListenerSettings {
  std::string name = "http";
  std::uint16_t port = 80;  // logical port: X-Forwarded-Port and logs show it
  RuleAction default_action{};
  bool operator==(const ListenerSettings&) const = default;
};

struct LoadBalancerSettings {
  std::string name = "app";
  Duration idle_timeout = std::chrono::seconds(60);         // idle_timeout.timeout_seconds, 1 to 4000 s
  Duration client_keep_alive = std::chrono::seconds(3600);  // client_keep_alive.seconds, 60 to 604800 s
  /// Fixed at 10 s on AWS; here 10 ms to 60 s.
  Duration connect_timeout = std::chrono::seconds(10);
  /// Permits idle_timeout and client_keep_alive below AWS's minimum, down to 10 ms, for tests and time-lapse runs.
  bool unrestricted = false;
  std::vector<ListenerSettings> listeners{};
  std::vector<TargetGroupSettings> target_groups{};
  bool operator==(const LoadBalancerSettings&) const = default;
};

/// A broken setting: which one, and the whole sentence about it.
struct SettingError {
  std::string field;    // "health_check.interval"
  std::string message;  // "health_check.interval: 2s is out of range: 5s to 300s (or unrestricted: true)"
  bool operator==(const SettingError&) const = default;
};

/// All errors at once, in the order of the fields; empty when everything is in order. Fields are named from the struct
/// that is validated: "health_check.interval" of a HealthCheck or a TargetGroupSettings,
/// "target_groups[web].health_check.interval" of a LoadBalancerSettings.
///
/// Two rules are not plain ranges:
/// - health_check.timeout must be smaller than health_check.interval, as AWS's API demands ("Health check timeout '10'
///   must be smaller than the interval '10'"). With `unrestricted` it may be longer, because a time-lapse run divides
///   the interval but cannot divide what a real process needs to answer; probes of one target then overlap.
/// - `algorithm` may be round_robin or weighted_random; least_outstanding_requests is refused.
std::vector<SettingError> validate(const HealthCheck& settings);
std::vector<SettingError> validate(const TargetGroupSettings& settings);
std::vector<SettingError> validate(const LoadBalancerSettings& settings);

}  // namespace rr
