#pragma once
// Every setting of load balancers, listeners, rules and target groups, and the one validate(), which the command line,
// the YAML file, the admin API and the simulated control plane all call. Names are those of the ELBv2 API.
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/policy/balancer.h"
#include "lb/policy/health_state.h"

namespace rr {

struct TargetGroupSettings {
  std::string name = "targets";  // up to 32 letters, digits and hyphens
  HealthCheck health_check;
  Duration deregistration_delay = std::chrono::seconds(300);   // deregistration_delay.timeout_seconds, 0 to 3600 s
  Algorithm algorithm = Algorithm::kRoundRobin;                // load_balancing.algorithm.type
  int minimum_healthy_targets = 1;  // target_group_health.unhealthy_state_routing.minimum_healthy_targets.count
  bool operator==(const TargetGroupSettings&) const = default;
};

struct ForwardTarget {
  std::string target_group;
  int weight = 1;  // 0 to 999
  bool operator==(const ForwardTarget&) const = default;
};
struct ForwardAction {
  std::vector<ForwardTarget> target_groups;
  bool operator==(const ForwardAction&) const = default;
};
struct FixedResponseAction {
  int status = 503;
  std::string content_type = "text/plain";
  std::string body;
  bool operator==(const FixedResponseAction&) const = default;
};
using RuleAction = std::variant<ForwardAction, FixedResponseAction>;

/// A listener: its default action. (Rules with conditions are a list before it, by priority.)
struct ListenerSettings {
  std::string name = "http";
  std::uint16_t port = 80;  // logical port: X-Forwarded-Port and logs show it
  RuleAction default_action;
  bool operator==(const ListenerSettings&) const = default;
};

struct LoadBalancerSettings {
  std::string name = "app";
  Duration idle_timeout = std::chrono::seconds(60);           // idle_timeout.timeout_seconds, 1 to 4000 s
  Duration client_keep_alive = std::chrono::seconds(3600);    // client_keep_alive.seconds, 60 to 604800 s
  /// Fixed at 10 s on AWS.
  Duration connect_timeout = std::chrono::seconds(10);
  std::vector<ListenerSettings> listeners;
  std::vector<TargetGroupSettings> target_groups;
  bool operator==(const LoadBalancerSettings&) const = default;
};

/// A broken setting: which one, and the whole sentence about it.
struct SettingError {
  std::string field;    // "health_check.interval"
  std::string message;  // "health_check.interval: 2s is out of range: 5s to 300s (or unrestricted: true)"
  bool operator==(const SettingError&) const = default;
};

/// All errors at once; empty when everything is in order.
std::vector<SettingError> validate(const HealthCheck& settings);
std::vector<SettingError> validate(const TargetGroupSettings& settings);
std::vector<SettingError> validate(const LoadBalancerSettings& settings);

}  // namespace rr
