#include "lb/policy/explanation.h"

#include <fmt/format.h>

namespace rr {
namespace {

constexpr std::string_view kRaiseKeepAlive = "raise the target's keep-alive above it";

std::string connection_text(const ExchangeRecord& r) {
  if (!r.reused) return "the connection was new";
  return fmt::format("the connection had been idle for {}", span_text(r.idle_before));
}

std::string_view ending_of(const ExchangeRecord& r) {
  return r.cause == ExchangeCause::kTargetReset ? "reset" : "closed";
}

/// The target had closed before the request was sent, and the news came later.
std::string closed_before_text(const ExchangeRecord& r, std::string_view target, const ExplainedSettings& settings) {
  return fmt::format(
      "target {} {} an idle connection {} before this request was sent on it; it had been idle for {}; the load "
      "balancer's idle timeout is {}: {}",
      target, ending_of(r), span_text(*r.closed_before), span_text(r.idle_before - *r.closed_before),
      span_text(settings.idle_timeout), kRaiseKeepAlive);
}

std::string target_closed_text(const ExchangeRecord& r, std::string_view target, const ExplainedSettings& settings) {
  if (r.closed_before) return closed_before_text(r, target, settings);
  const std::string after = span_text(r.ended - r.sent);
  if (r.target_status != 0) {
    return fmt::format("target {} {} the connection in the middle of its response, {} after the request was sent",
                       target, ending_of(r), after);
  }
  const bool race = r.reused && r.ended - r.sent < kKeepAliveRace;
  const std::string text =
      fmt::format("target {} {} the connection without a response, {} after this request was sent on it; {}", target,
                  ending_of(r), after, connection_text(r));
  if (race) {
    return fmt::format("{}; the load balancer's idle timeout is {}: {}", text, span_text(settings.idle_timeout),
                       kRaiseKeepAlive);
  }
  return text + ": the target gave the request up (it crashed, was stopped, or has a time limit of its own)";
}

}  // namespace

std::string span_text(Duration span) {
  const auto whole = [&](Duration unit) { return span % unit == Duration::zero(); };
  if (span >= 10 * kSecond && whole(kSecond)) return fmt::format("{} s", span / kSecond);
  if (span >= kSecond) return fmt::format("{:.1f} s", to_seconds(span));
  if (span >= 10 * kMillisecond) return fmt::format("{} ms", span / kMillisecond);
  const double milliseconds = to_seconds(span) * 1000;
  if (whole(kMillisecond)) return fmt::format("{} ms", span / kMillisecond);
  return fmt::format("{:.1f} ms", milliseconds);
}

bool may_be_told(ExplainTo who, const Address& peer) {
  switch (who) {
    case ExplainTo::kNobody:
      return false;
    case ExplainTo::kLoopback:
      return peer.is_loopback();
    case ExplainTo::kEveryone:
      return true;
  }
  return false;
}

std::string explain(const ExchangeRecord& r, std::string_view target, const ExplainedSettings& settings) {
  switch (r.cause) {
    case ExchangeCause::kInProgress:
    case ExchangeCause::kCompleted:
    case ExchangeCause::kFixedResponse:
      return "";
    case ExchangeCause::kRefused:
      return fmt::format("the request was refused: {}", r.detail);
    case ExchangeCause::kNoTarget:
      return "the target group has no registered target that may be used: register one, or end a deregistration";
    case ExchangeCause::kConnectFailed:
      return fmt::format("target {} could not be connected to: {}: it does not listen, or was stopped", target,
                         r.detail);
    case ExchangeCause::kConnectTimedOut:
      return fmt::format(
          "target {} did not accept a connection within {}: it is not reachable, or its queue of connections is full",
          target, span_text(settings.connect_timeout));
    case ExchangeCause::kConnectLimit:
      return fmt::format(
          "target {} could not be connected to: the load balancer's process has no descriptor or port left", target);
    case ExchangeCause::kRequestMalformed:
      return fmt::format("the request's body is malformed: {}", r.detail);
    case ExchangeCause::kClientClosed:
      return fmt::format("the client closed its connection before the {} was complete",
                         r.request_complete ? "response" : "request");
    case ExchangeCause::kClientReset:
      return fmt::format("the client reset its connection before the {} was complete",
                         r.request_complete ? "response" : "request");
    case ExchangeCause::kClientSilent:
      return fmt::format("the client neither sent nor took anything for the idle timeout of {}",
                         span_text(settings.idle_timeout));
    case ExchangeCause::kTargetClosed:
    case ExchangeCause::kTargetReset:
      return target_closed_text(r, target, settings);
    case ExchangeCause::kTargetSilent:
      return fmt::format("target {} was silent for the idle timeout of {}; {}", target,
                         span_text(settings.idle_timeout), connection_text(r));
    case ExchangeCause::kResponseMalformed:
      return fmt::format("target {} sent something that is no acceptable response: {}", target, r.detail);
    case ExchangeCause::kTooManyInterim:
      return fmt::format("target {} sent more than {} interim responses", target, kMaximumInterimResponses);
    case ExchangeCause::kDrainEnded:
      return fmt::format(
          "the deregistration delay of target {} ended while the request was in progress: it must be longer than the "
          "longest request",
          target);
    case ExchangeCause::kStopped:
      return "the load balancer was stopped while the request was in progress";
  }
  return "";
}

}  // namespace rr
