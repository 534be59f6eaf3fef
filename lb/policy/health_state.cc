#include "lb/policy/health_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace rr {
namespace {

// Both in the order of their enumeration.
constexpr std::array<std::string_view, 6> kStates{"initial", "healthy",  "unhealthy",
                                                  "unused",  "draining", "unavailable"};
constexpr std::array<std::string_view, 14> kReasons{"",
                                                    "Elb.RegistrationInProgress",
                                                    "Elb.InitialHealthChecking",
                                                    "Elb.InternalError",
                                                    "Target.ResponseCodeMismatch",
                                                    "Target.Timeout",
                                                    "Target.FailedHealthChecks",
                                                    "Target.NotRegistered",
                                                    "Target.NotInUse",
                                                    "Target.InvalidState",
                                                    "Target.IpUnusable",
                                                    "Target.DeregistrationInProgress",
                                                    "Target.HealthCheckDisabled",
                                                    "Target.NotInUse"};

constexpr std::array<std::string_view, 6> kProbeReasons{
    "-", "TimedOut", "ConnectionReset", "ResponseCodeMismatch", "TargetError", "InternalError"};

constexpr int kLowestCode = 200;
constexpr int kHighestCode = 499;

/// Three digits and nothing else.
std::optional<int> parse_code(std::string_view text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (text.size() != 3 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (code < kLowestCode || code > kHighestCode) return std::nullopt;
  return code;
}

TargetReason failure_reason(ProbeOutcome::Kind kind) {
  switch (kind) {
    case ProbeOutcome::Kind::kAnswered:
      return TargetReason::kResponseCodeMismatch;
    case ProbeOutcome::Kind::kTimedOut:
      return TargetReason::kTimeout;
    case ProbeOutcome::Kind::kConnectFailed:
    case ProbeOutcome::Kind::kMalformed:
      return TargetReason::kFailedHealthChecks;
  }
  return TargetReason::kInternalError;
}

/// A count that stays at its end: at 10 ms a probe an int would overflow after 248 days.
void count_up(int& count) {
  if (count < std::numeric_limits<int>::max()) ++count;
}

}  // namespace

std::string_view to_string(TargetState state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view to_string(ProbeReason reason) { return kProbeReasons[static_cast<std::size_t>(reason)]; }
std::string_view to_string(TargetReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

std::optional<TargetState> parse_target_state(std::string_view text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<TargetState>(found - kStates.begin());
}

std::optional<TargetReason> parse_target_reason(std::string_view text) {
  const auto found = std::find(kReasons.begin(), kReasons.end(), text);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<TargetReason>(found - kReasons.begin());
}

Result<Matcher> Matcher::parse(std::string_view text) {
  Matcher matcher;
  matcher.text_ = text;
  matcher.ranges_.clear();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view item = text.substr(begin, comma - begin);
    const std::size_t dash = std::min(item.find('-'), item.size());
    const auto from = parse_code(item.substr(0, dash));
    const auto to = dash == item.size() ? from : parse_code(item.substr(dash + 1));
    if (!from || !to || *from > *to) {
      return Error{
          fmt::format("'{}': '{}' is not a status code or a range of them: write 200, 200,202 or 200-299, each "
                      "within {} to {}",
                      text, item, kLowestCode, kHighestCode)};
    }
    matcher.ranges_.push_back({*from, *to});
    begin = comma + 1;
  }
  return matcher;
}

bool Matcher::matches(int status) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [status](const Range& range) { return range.from <= status && status <= range.to; });
}

ProbeReason probe_reason(const ProbeOutcome& outcome, const Matcher& matcher) {
  switch (outcome.kind) {
    case ProbeOutcome::Kind::kAnswered:
      if (matcher.matches(outcome.status)) return ProbeReason::kPassed;
      return outcome.status >= 500 ? ProbeReason::kTargetError : ProbeReason::kResponseCodeMismatch;
    case ProbeOutcome::Kind::kTimedOut:
      return ProbeReason::kTimedOut;
    case ProbeOutcome::Kind::kConnectFailed:
    case ProbeOutcome::Kind::kMalformed:
      return ProbeReason::kConnectionReset;
  }
  return ProbeReason::kInternalError;
}

// The texts are AWS's own, as DescribeTargetHealth gives them: other programs read them.
std::string describe(const Health& health) {
  switch (health.reason) {
    case TargetReason::kNone:
      return "";
    case TargetReason::kRegistrationInProgress:
      return "Target registration is in progress";
    case TargetReason::kInitialHealthChecking:
      return "Initial health checks in progress";
    case TargetReason::kInternalError:
      return "Health checks failed due to an internal error";
    case TargetReason::kResponseCodeMismatch:
      return fmt::format("Health checks failed with these codes: [{}]", health.last_status);
    case TargetReason::kTimeout:
      return "Request timed out";
    case TargetReason::kFailedHealthChecks:
      return "Health checks failed";
    case TargetReason::kNotRegistered:
      return "Target is not registered to the target group";
    case TargetReason::kNotInUse:
      return "Target group is not configured to receive traffic from the load balancer";
    case TargetReason::kInvalidState:
      return "Target is in an invalid state";
    case TargetReason::kIpUnusable:
      return "Target IP address is in use by a load balancer";
    case TargetReason::kDeregistrationInProgress:
      return "Target deregistration is in progress";
    case TargetReason::kHealthCheckDisabled:
      return "Health checks are disabled";
    case TargetReason::kZoneNotEnabled:
      return "Target is in an Availability Zone that is not enabled for the load balancer";
  }
  return "";
}

std::optional<Transition> HealthState::observe(const ProbeOutcome& outcome, const HealthCheck& check) {
  const bool answered = outcome.kind == ProbeOutcome::Kind::kAnswered;
  const bool succeeded = answered && check.matcher.matches(outcome.status);
  count_up(succeeded ? successes_ : failures_);
  (succeeded ? failures_ : successes_) = 0;

  const Health before = health_;
  if (answered) health_.last_status = outcome.status;
  if (succeeded) {
    const int needed = before.state == TargetState::kInitial ? 1 : check.healthy_threshold;
    if (before.state == TargetState::kHealthy || successes_ < needed) return std::nullopt;
    health_.state = TargetState::kHealthy;
    health_.reason = TargetReason::kNone;
    return Transition{before, health_};
  }
  const int needed = before.state == TargetState::kInitial
                         ? check.initial_unhealthy_threshold.value_or(check.unhealthy_threshold)
                         : check.unhealthy_threshold;
  if (before.state != TargetState::kUnhealthy && failures_ < needed) return std::nullopt;
  health_.state = TargetState::kUnhealthy;
  health_.reason = failure_reason(outcome.kind);
  if (before.state == health_.state && before.reason == health_.reason) return std::nullopt;
  return Transition{before, health_};
}

}  // namespace rr
