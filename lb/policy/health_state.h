#pragma once
// The health of one target as one load-balancer node sees it: probe results in, rare transitions out.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr {

/// The states of a target as DescribeTargetHealth names them.
enum class TargetState : std::uint8_t { kInitial, kHealthy, kUnhealthy, kUnused, kDraining, kUnavailable };

/// Why a target is in its state; kNone goes with kHealthy only.
enum class TargetReason : std::uint8_t {
  kNone,
  kRegistrationInProgress,    // Elb.RegistrationInProgress
  kInitialHealthChecking,     // Elb.InitialHealthChecking
  kInternalError,             // Elb.InternalError
  kResponseCodeMismatch,      // Target.ResponseCodeMismatch
  kTimeout,                   // Target.Timeout
  kFailedHealthChecks,        // Target.FailedHealthChecks
  kNotRegistered,             // Target.NotRegistered
  kNotInUse,                  // Target.NotInUse
  kInvalidState,              // Target.InvalidState
  kIpUnusable,                // Target.IpUnusable
  kDeregistrationInProgress,  // Target.DeregistrationInProgress
  kHealthCheckDisabled,       // Target.HealthCheckDisabled
  kZoneNotEnabled,            // Target.NotInUse too, with a description of its own; not parsed
};

std::string_view to_string(TargetState state);    // "healthy"
std::string_view to_string(TargetReason reason);  // "Target.Timeout", "" for kNone
std::optional<TargetState> parse_target_state(std::string_view text);
std::optional<TargetReason> parse_target_reason(std::string_view text);

/// The status codes that count as success: "200", "200,202", "200-299", "200-299,404". Each within 200 to 499.
class Matcher {
 public:
  Matcher() = default;  // 200
  static Result<Matcher> parse(std::string_view text);
  bool matches(int status) const;
  const std::string& text() const { return text_; }
  bool operator==(const Matcher&) const = default;

 private:
  struct Range {
    int from, to;
    bool operator==(const Range&) const = default;
  };
  std::string text_ = "200";
  std::vector<Range> ranges_{{200, 200}};
};

/// The health check of a target group, under the names of the ELBv2 API.
struct HealthCheck {
  std::string path = "/";
  std::optional<std::uint16_t> port{};  // none: traffic-port
  Duration interval = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(5);
  int healthy_threshold = 5;
  int unhealthy_threshold = 2;
  /// Failures that make a new target unhealthy, 1 to 10; none: unhealthy_threshold. AWS only says "the minimum number
  /// of checks".
  std::optional<int> initial_unhealthy_threshold{};
  Matcher matcher{};
  /// Permits intervals and timeouts below AWS's minimum, and a timeout above the interval, for time-lapse runs.
  bool unrestricted = false;
  bool operator==(const HealthCheck&) const = default;
};

/// What one health check found.
struct ProbeOutcome {
  enum class Kind : std::uint8_t {
    kAnswered,       // a complete, well-formed answer within the timeout; see status
    kTimedOut,       // no complete answer within the timeout
    kConnectFailed,  // refused, reset or unreachable
    kMalformed,      // closed before a complete answer, or not HTTP
  };
  Kind kind = Kind::kAnswered;
  int status = 0;
  bool operator==(const ProbeOutcome&) const = default;
};

/// What one health check came to, as the health-check log names it. AWS's log knows no malformed answer: as with a
/// connection that ends too early, nothing valid came.
enum class ProbeReason : std::uint8_t {
  kPassed,
  kTimedOut,
  kConnectionReset,  // not connected, or closed or reset before a valid answer
  kResponseCodeMismatch,
  kTargetError,    // 5xx
  kInternalError,  // the load balancer could not make the check
};
std::string_view to_string(ProbeReason reason);  // "TimedOut", "-" for kPassed
ProbeReason probe_reason(const ProbeOutcome& outcome, const Matcher& matcher);

struct Health {
  TargetState state = TargetState::kInitial;
  TargetReason reason = TargetReason::kInitialHealthChecking;
  int last_status = 0;  // of the last answered probe, 0 before one; part of the description of kResponseCodeMismatch
  bool operator==(const Health&) const = default;
};

/// The text DescribeTargetHealth shows for it: "Health checks failed with these codes: [503]". Empty when healthy.
std::string describe(const Health& health);

struct Transition {
  Health from;
  Health to;
  bool operator==(const Transition&) const = default;
};

/// The consecutive counts behind a target's health. With healthy_threshold 3 and unhealthy_threshold 2 (o: success,
/// x: failure):
///
///     check     o        x        x          o          o          o        x        o        x        x
///     state     healthy  healthy  unhealthy  unhealthy  unhealthy  healthy  healthy  healthy  healthy  unhealthy
///
/// The first success is enough for a new target, whatever the threshold; a target that was unhealthy has to earn it. A
/// single failure of a healthy target is forgotten at the next success. A new target that only fails stays initial
/// until unhealthy_threshold failures (or initial_unhealthy_threshold, where it is set).
///
/// kInitial, kHealthy and kUnhealthy only; draining and the rest are
/// the target group's business.
class HealthState {
 public:
  /// Takes one result; returns the transition it caused, if it caused one. A change of the reason alone (unhealthy by
  /// time-out, then by a wrong code) is a transition too; another wrong code alone is not. `check` must be the same
  /// from call to call but for a deliberate change: the counts are kept and judged by the new thresholds.
  std::optional<Transition> observe(const ProbeOutcome& outcome, const HealthCheck& check);

  const Health& health() const { return health_; }
  int consecutive_successes() const { return successes_; }
  int consecutive_failures() const { return failures_; }
  bool operator==(const HealthState&) const = default;

 private:
  Health health_;
  int successes_ = 0;
  int failures_ = 0;
};

}  // namespace rr
