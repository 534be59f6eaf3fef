#include "lb/policy/exchange_rules.h"

#include "lb/base/check.h"

namespace rr {
namespace {

/// What a cell of the table says.
enum class Deed : std::uint8_t {
  kNever,   // cannot happen
  kRefuse,  // answer with the event's own status
  k400,     // answers of our own
  k408,
  k500,
  k502,
  k503,
  k504,
  kOpen,     // a connection is made
  kReuse,    // a kept one takes the request
  kSend,     //
  kWhole,    // the request is complete
  kInterim,  //
  kHead,     //
  kDone,     //
  kCut,      // the response has begun: no status can be sent any more, unless nothing of it has left
  kLeave,    // the client has gone
  kSwitch,   // to a tunnel
  kShut,     // the tunnel ends: both connections close in order
};

using enum Deed;

/// Rows: events. Columns: states. Every cell is answered.
constexpr Deed kTable[kExchangeEventKinds][kExchangeStates] = {
    // clang-format off
    //                        new      connecting uploading awaiting  both_ways relaying  tunnel   ended
    /* refused            */ {kRefuse, kNever,    kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* fixed_response     */ {kRefuse, kNever,    kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* no_target          */ {k503,    kNever,    kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* assigned_fresh     */ {kOpen,   kNever,    kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* assigned_reused    */ {kReuse,  kNever,    kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* connected          */ {kNever,  kSend,     kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* connect_failed     */ {kNever,  k502,      kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* connect_timed_out  */ {kNever,  k504,      kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* connect_limit      */ {kNever,  k500,      kNever,   kNever,   kNever,   kNever,   kNever,  kNever},
    /* request_complete   */ {kNever,  kWhole,    kWhole,   kNever,   kWhole,   kNever,   kNever,  kNever},
    /* request_malformed  */ {kNever,  k400,      k400,     kNever,   kCut,     kNever,   kNever,  kNever},
    /* client_closed      */ {kLeave,  kLeave,    kLeave,   kLeave,   kLeave,   kLeave,   kShut,   kNever},
    /* client_reset       */ {kLeave,  kLeave,    kLeave,   kLeave,   kLeave,   kLeave,   kLeave,  kNever},
    /* client_silent      */ {kNever,  kNever,    k408,     kNever,   kCut,     kCut,     kNever,  kNever},
    /* interim_head       */ {kNever,  kNever,    kInterim, kInterim, kNever,   kNever,   kNever,  kNever},
    /* response_head      */ {kNever,  kNever,    kHead,    kHead,    kNever,   kNever,   kNever,  kNever},
    /* response_complete  */ {kNever,  kNever,    kNever,   kNever,   kDone,    kDone,    kNever,  kNever},
    /* target_closed      */ {kNever,  kNever,    k502,     k502,     kCut,     kCut,     kShut,   kNever},
    /* target_reset       */ {kNever,  kNever,    k502,     k502,     kCut,     kCut,     kCut,    kNever},
    /* target_silent      */ {kNever,  kNever,    k504,     k504,     kCut,     kCut,     kNever,  kNever},
    /* response_malformed */ {kNever,  kNever,    k502,     k502,     kCut,     kCut,     kNever,  kNever},
    /* drain_ended        */ {kNever,  k502,      k502,     k502,     kCut,     kCut,     kShut,   kNever},
    /* stopped            */ {k503,    k503,      k503,     k503,     kCut,     kCut,     kShut,   kNever},
    /* switched           */ {kNever,  kNever,    kNever,   kSwitch,  kNever,   kNever,   kNever,  kNever},
    /* tunnel_silent      */ {kNever,  kNever,    kNever,   kNever,   kNever,   kNever,   kShut,   kNever},
    // clang-format on
};

constexpr Deed cell(ExchangeState state, ExchangeEventKind kind) {
  return kTable[static_cast<std::size_t>(kind)][static_cast<std::size_t>(state)];
}

ExchangeCause cause_of(ExchangeEventKind kind) {
  switch (kind) {
    case ExchangeEventKind::kRefused:
      return ExchangeCause::kRefused;
    case ExchangeEventKind::kFixedResponse:
      return ExchangeCause::kFixedResponse;
    case ExchangeEventKind::kNoTarget:
      return ExchangeCause::kNoTarget;
    case ExchangeEventKind::kConnectFailed:
      return ExchangeCause::kConnectFailed;
    case ExchangeEventKind::kConnectTimedOut:
      return ExchangeCause::kConnectTimedOut;
    case ExchangeEventKind::kConnectLimit:
      return ExchangeCause::kConnectLimit;
    case ExchangeEventKind::kRequestMalformed:
      return ExchangeCause::kRequestMalformed;
    case ExchangeEventKind::kClientClosed:
      return ExchangeCause::kClientClosed;
    case ExchangeEventKind::kClientReset:
      return ExchangeCause::kClientReset;
    case ExchangeEventKind::kClientSilent:
      return ExchangeCause::kClientSilent;
    case ExchangeEventKind::kInterimHead:
      return ExchangeCause::kTooManyInterim;
    case ExchangeEventKind::kResponseComplete:
      return ExchangeCause::kCompleted;
    case ExchangeEventKind::kTargetClosed:
      return ExchangeCause::kTargetClosed;
    case ExchangeEventKind::kTargetReset:
      return ExchangeCause::kTargetReset;
    case ExchangeEventKind::kTargetSilent:
      return ExchangeCause::kTargetSilent;
    case ExchangeEventKind::kResponseMalformed:
      return ExchangeCause::kResponseMalformed;
    case ExchangeEventKind::kDrainEnded:
      return ExchangeCause::kDrainEnded;
    case ExchangeEventKind::kStopped:
      return ExchangeCause::kStopped;
    case ExchangeEventKind::kAssignedFresh:
    case ExchangeEventKind::kAssignedReused:
    case ExchangeEventKind::kConnected:
    case ExchangeEventKind::kRequestComplete:
    case ExchangeEventKind::kResponseHead:
    case ExchangeEventKind::kSwitched:
    case ExchangeEventKind::kTunnelSilent:
      return ExchangeCause::kInProgress;
  }
  return ExchangeCause::kInProgress;
}

}  // namespace

std::string_view to_string(ExchangeState state) {
  constexpr std::array<std::string_view, kExchangeStates> kNames{"new",       "connecting", "uploading", "awaiting",
                                                                 "both_ways", "relaying",   "tunnel",    "ended"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view to_string(ExchangeEventKind kind) {
  constexpr std::array<std::string_view, kExchangeEventKinds> kNames{
      "refused",          "fixed_response",    "no_target",
      "assigned_fresh",   "assigned_reused",   "connected",
      "connect_failed",   "connect_timed_out", "connect_limit",
      "request_complete", "request_malformed", "client_closed",
      "client_reset",     "client_silent",     "interim_head",
      "response_head",    "response_complete", "target_closed",
      "target_reset",     "target_silent",     "response_malformed",
      "drain_ended",      "stopped",           "switched",
      "tunnel_silent"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view to_string(ExchangeCause cause) {
  constexpr std::array<std::string_view, 19> kNames{"in_progress",
                                                    "completed",
                                                    "refused",
                                                    "fixed_response",
                                                    "no_target",
                                                    "connect_failed",
                                                    "connect_timed_out",
                                                    "connect_limit",
                                                    "request_malformed",
                                                    "client_closed",
                                                    "client_reset",
                                                    "client_silent",
                                                    "target_closed",
                                                    "target_reset",
                                                    "target_silent",
                                                    "response_malformed",
                                                    "too_many_interim",
                                                    "drain_ended",
                                                    "stopped"};
  return kNames[static_cast<std::size_t>(cause)];
}

bool is_error_of_our_own(ExchangeCause cause) {
  return cause != ExchangeCause::kInProgress && cause != ExchangeCause::kCompleted &&
         cause != ExchangeCause::kFixedResponse;
}

bool ExchangeRules::legal(ExchangeState state, ExchangeEventKind kind) { return cell(state, kind) != kNever; }

ExchangeRules::ExchangeRules(Time created, bool client_keeps_alive, bool has_body)
    : state_(ExchangeState::kNew), client_keeps_alive_(client_keeps_alive) {
  record_.created = created;
  record_.request_complete = !has_body;
}

ExchangeStep ExchangeRules::on(const ExchangeEvent& event) {
  switch (cell(state_, event.kind)) {
    case kNever:
      break;
    case kRefuse:
      return answer(event, event.status, event.reusable);
    case k400:
      return answer(event, 400, false);
    case k408:
      return answer(event, 408, false);
    case k500:
      return answer(event, 500, true);
    case k502:
      return answer(event, 502, true);
    case k503:
      return answer(event, 503, event.kind == ExchangeEventKind::kNoTarget);
    case k504:
      return answer(event, 504, true);
    case kOpen:
      return assign(event, false);
    case kReuse:
      return assign(event, true);
    case kSend:
      return send(event);
    case kWhole:
      return request_complete();
    case kInterim:
      return interim(event);
    case kHead:
      return relay_head(event);
    case kDone:
      return end(event, {ExchangeAct::kFinish, 0, announced_keep_ && record_.request_complete,
                         event.reusable && record_.request_complete});
    case kCut:
      return cut(event);
    case kLeave:
      return leave(event);
    case kSwitch:
      return open_tunnel(event);
    case kShut:
      return close_tunnel(event);
  }
  check_failed(to_string(event.kind).data(), "an exchange got an event that its state does not know", __FILE__,
               __LINE__);
}

ExchangeStep ExchangeRules::answer(const ExchangeEvent& event, int status, bool may_keep) {
  record_.status = status;
  return end(event, {ExchangeAct::kAnswer, status, may_keep && client_keeps_alive_ && record_.request_complete, false});
}

/// What no client has seen anything of is answered as if its head had been broken.
ExchangeStep ExchangeRules::cut(const ExchangeEvent& event) {
  if (!event.taken_back) return end(event, {ExchangeAct::kTruncate, 0, false, false});
  record_.target_status = 0;
  return answer(event, 502, true);
}

ExchangeStep ExchangeRules::end(const ExchangeEvent& event, ExchangeStep step) {
  record_.cause = cause_of(event.kind);
  record_.ended = event.at;
  if (*event.detail != '\0') record_.detail = event.detail;
  state_ = ExchangeState::kEnded;
  return step;
}

ExchangeStep ExchangeRules::assign(const ExchangeEvent& event, bool reused) {
  record_.assigned = true;
  record_.target = event.target;
  record_.reused = reused;
  record_.idle_before = event.idle;
  record_.closed_before = event.closed_before;
  if (reused) return send(event);
  state_ = ExchangeState::kConnecting;
  return {ExchangeAct::kConnect};
}

ExchangeStep ExchangeRules::send(const ExchangeEvent& event) {
  record_.sent = event.at;
  record_.sent_to_target = true;
  state_ = record_.request_complete ? ExchangeState::kAwaiting : ExchangeState::kUploading;
  return {ExchangeAct::kSend};
}

ExchangeStep ExchangeRules::request_complete() {
  record_.request_complete = true;
  if (state_ == ExchangeState::kUploading) state_ = ExchangeState::kAwaiting;
  if (state_ == ExchangeState::kBothWays) state_ = ExchangeState::kRelaying;
  return {};
}

ExchangeStep ExchangeRules::interim(const ExchangeEvent& event) {
  if (++record_.interim_responses > kMaximumInterimResponses) {
    ExchangeEvent flood = event;
    flood.detail = "too many interim responses";
    return answer(flood, 502, true);
  }
  // 100 answers an Expect that the load balancer has answered itself.
  return {event.status == 100 ? ExchangeAct::kSkipInterim : ExchangeAct::kRelayInterim};
}

ExchangeStep ExchangeRules::relay_head(const ExchangeEvent& event) {
  record_.head = event.at;
  record_.target_status = event.status;
  record_.status = event.status;
  state_ = record_.request_complete ? ExchangeState::kRelaying : ExchangeState::kBothWays;
  // A response that comes before the end of the request announces the close: what the client still sends may be cut.
  announced_keep_ = client_keeps_alive_ && record_.request_complete && event.delimited;
  return {ExchangeAct::kRelayHead, 0, announced_keep_};
}

ExchangeStep ExchangeRules::open_tunnel(const ExchangeEvent& event) {
  record_.head = event.at;
  record_.target_status = record_.status = event.status;
  state_ = ExchangeState::kTunnel;
  announced_keep_ = false;
  return {ExchangeAct::kRelayHead};
}

/// A side that closes has said all it had to say, and a tunnel that nobody uses is over: neither is an error.
ExchangeStep ExchangeRules::close_tunnel(const ExchangeEvent& event) {
  const ExchangeStep step = end(event, {ExchangeAct::kFinish});
  if (event.kind != ExchangeEventKind::kDrainEnded && event.kind != ExchangeEventKind::kStopped) {
    record_.cause = ExchangeCause::kCompleted;
  }
  return step;
}

ExchangeStep ExchangeRules::leave(const ExchangeEvent& event) {
  if (!response_begun()) record_.status = record_.request_complete ? 460 : 400;
  return end(event, {ExchangeAct::kAbandon});
}

ProcessingTimes ExchangeRecord::times() const {
  const bool client_left = status == 460;
  if (!sent_to_target || client_left) return {};
  ProcessingTimes spans{sent - created, std::nullopt, std::nullopt};
  if (target_status != 0) {
    spans.target = head - sent;
    spans.response = Duration::zero();
  } else if (cause != ExchangeCause::kTargetSilent && cause != ExchangeCause::kClientSilent &&
             cause != ExchangeCause::kClientClosed && cause != ExchangeCause::kClientReset) {
    spans.target = ended - sent;
  }
  return spans;
}

}  // namespace rr
