#include "lb/policy/logged_outcome.h"

#include <fmt/format.h>

#include "lb/policy/explanation.h"

namespace rr {
namespace {

bool was_sent(const LoggedRequest& r) { return r.request_time.has_value(); }
bool has_no_times(const LoggedRequest& r) { return !r.request_time && !r.target_time && !r.response_time; }

/// The action that answered is the last one.
bool ends_with_fixed_response(std::string_view actions) {
  return actions.substr(actions.rfind(',') + 1) == "fixed-response";
}

LoggedOutcome classify_502(const LoggedRequest& r) {
  if (r.target.empty() || r.response_time) return LoggedOutcome::kUnknown;
  if (has_no_times(r)) return LoggedOutcome::kConnectFailed;
  if (!was_sent(r)) return LoggedOutcome::kUnknown;
  if (r.target_time && *r.target_time <= kLongestRace) return LoggedOutcome::kKeepAliveRace;
  return LoggedOutcome::kTargetClosed;
}

LoggedOutcome classify_504(const LoggedRequest& r) {
  if (r.target.empty() || r.response_time) return LoggedOutcome::kUnknown;
  if (has_no_times(r)) return LoggedOutcome::kConnectTimedOut;
  return was_sent(r) ? LoggedOutcome::kNoAnswer : LoggedOutcome::kUnknown;
}

/// What a status means that a balancer gives for few reasons; "" for others.
std::string_view meaning(int status) {
  switch (status) {
    case 500:
      return "the load balancer failed within itself: AWS WAF, the identity provider, or a rewrite of the rule that "
             "made no URL";
    case 501:
      return "the request's Transfer-Encoding is not one that the load balancer knows: it takes chunked and identity";
    case 505:
      return "the request's HTTP version is not one that the listener speaks";
    case 507:
      return "the Location of the redirect would be too long: shorten what the rule puts into it";
    case 561:
      return "the identity provider answered with an error when the user was to be authenticated";
    default:
      return "";
  }
}

std::string target_closed_text(const LoggedRequest& r) {
  const std::string after = r.target_time ? ", " + span_text(*r.target_time) + " after the request was sent" : "";
  return fmt::format(
      "target {} ended the connection without a response that could be passed on{}: it crashed, was stopped, has a "
      "time "
      "limit of its own, sent a malformed head, or its deregistration delay ended",
      r.target, after);
}

}  // namespace

LoggedOutcome classify(const LoggedRequest& r) {
  if (!r.error_reason.empty()) return LoggedOutcome::kNamedByAws;
  if (r.target_status == r.status) return LoggedOutcome::kFromTarget;
  if (r.target_status != 0) return LoggedOutcome::kBadResponse;
  if (ends_with_fixed_response(r.actions)) return LoggedOutcome::kFixedResponse;
  if (r.status == 502) return classify_502(r);
  if (r.status == 504) return classify_504(r);
  if (r.status == 503 && r.target.empty() && has_no_times(r)) return LoggedOutcome::kNoTargets;
  return meaning(r.status).empty() ? LoggedOutcome::kUnknown : LoggedOutcome::kByStatus;
}

std::string_view to_string(LoggedOutcome outcome) {
  switch (outcome) {
    case LoggedOutcome::kFromTarget:
      return "from_target";
    case LoggedOutcome::kFixedResponse:
      return "fixed_response";
    case LoggedOutcome::kNamedByAws:
      return "named_by_aws";
    case LoggedOutcome::kNoTargets:
      return "no_targets";
    case LoggedOutcome::kConnectFailed:
      return "connect_failed";
    case LoggedOutcome::kConnectTimedOut:
      return "connect_timed_out";
    case LoggedOutcome::kNoAnswer:
      return "no_answer";
    case LoggedOutcome::kTargetClosed:
      return "target_closed";
    case LoggedOutcome::kKeepAliveRace:
      return "keep_alive_race";
    case LoggedOutcome::kBadResponse:
      return "bad_response";
    case LoggedOutcome::kByStatus:
      return "by_status";
    case LoggedOutcome::kUnknown:
      return "unknown";
  }
  return "";
}

std::string explain(const LoggedRequest& r, LoggedOutcome outcome) {
  switch (outcome) {
    case LoggedOutcome::kFromTarget:
      return fmt::format("target {} answered {} itself: its own log says why", r.target, r.status);
    case LoggedOutcome::kFixedResponse:
      return "a fixed-response action of a rule answered: nothing failed";
    case LoggedOutcome::kNamedByAws:
      return fmt::format("the load balancer gives the reason {}: AWS's page on access logs explains it",
                         r.error_reason);
    case LoggedOutcome::kNoTargets:
      return "the target group has no registered target that may be used (or none in this zone, with cross-zone load "
             "balancing off): register one";
    case LoggedOutcome::kConnectFailed:
      return fmt::format(
          "target {} could not be connected to: it does not listen there, was stopped, or failed the TLS handshake",
          r.target);
    case LoggedOutcome::kConnectTimedOut:
      return fmt::format(
          "target {} did not accept a connection in time (10 s at AWS): a security group or network ACL drops it, or "
          "its "
          "queue of connections is full",
          r.target);
    case LoggedOutcome::kNoAnswer:
      return fmt::format(
          "target {} took the request and sent no response within the idle timeout (60 s unless changed): it is too "
          "slow, "
          "or the request's Content-Length is larger than its body",
          r.target);
    case LoggedOutcome::kTargetClosed:
      return target_closed_text(r);
    case LoggedOutcome::kKeepAliveRace:
      return fmt::format(
          "target {} ended the connection {} after the request was sent on it, most likely an idle connection: raise "
          "the "
          "target's keep-alive above the load balancer's idle timeout (60 s unless changed)",
          r.target, span_text(*r.target_time));
    case LoggedOutcome::kBadResponse:
      return fmt::format("target {} answered {}, and the load balancer could not pass that response on", r.target,
                         r.target_status);
    case LoggedOutcome::kByStatus:
      return std::string(meaning(r.status));
    case LoggedOutcome::kUnknown:
      return "no known outcome has these fields";
  }
  return "";
}

}  // namespace rr
