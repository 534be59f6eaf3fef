#include "lb/proxy/exchange.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "lb/base/check.h"
#include "lb/http/framing.h"
#include "lb/http/head_writer.h"
#include "lb/http/trailers.h"
#include "lb/policy/redirect.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/load_balancer.h"
#include "lb/proxy/served_group.h"
#include "lb/proxy/trace_id.h"
#include "lb/proxy/worker.h"

namespace rr {
namespace {

/// More addresses in X-Forwarded-For than that: 463.
constexpr std::size_t kMaximumForwardedAddresses = 30;

std::size_t forwarded_addresses(const RequestView& view) {
  std::size_t count = 0;
  if (!view.names.has(FieldName::kXForwardedFor)) return count;
  for (const HeaderView& header : view.headers) {
    if (field_name(header.name) != FieldName::kXForwardedFor) continue;
    count += 1 + static_cast<std::size_t>(std::count(header.value.begin(), header.value.end(), ','));
  }
  return count;
}

/// The value of a header in a head that we built ourselves.
std::string_view built_header(std::string_view head, std::string_view line_start) {
  const std::size_t at = head.find(line_start);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + line_start.size();
  return head.substr(from, head.find('\r', from) - from);
}

ForwardedFor forwarded_for_of(XffMode mode) {
  switch (mode) {
    case XffMode::kAppend:
      return ForwardedFor::kAppend;
    case XffMode::kPreserve:
      return ForwardedFor::kPreserve;
    case XffMode::kRemove:
      return ForwardedFor::kRemove;
  }
  return ForwardedFor::kAppend;
}

const char* describe_connect_failure(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kRefused:
      return "connection refused";
    case ConnectFailure::kUnreachable:
      return "unreachable";
    case ConnectFailure::kTimedOut:
      return "timed out";
    case ConnectFailure::kLimit:
      return "no descriptor or port left";
    case ConnectFailure::kOther:
      return "connection failed";
  }
  return "";
}

ExchangeEventKind connect_event(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kTimedOut:
      return ExchangeEventKind::kConnectTimedOut;
    case ConnectFailure::kLimit:
      return ExchangeEventKind::kConnectLimit;
    case ConnectFailure::kRefused:
    case ConnectFailure::kUnreachable:
    case ConnectFailure::kOther:
      return ExchangeEventKind::kConnectFailed;
  }
  return ExchangeEventKind::kConnectFailed;
}

}  // namespace

// ---------------------------------------------------------------------------------------------- the request comes

void Exchange::start(FrontStream& front, Listener& listener) {
  RR_CHECK(worker_.back_out.empty() && worker_.front_out.empty(), "another exchange's bytes are still collected");
  front_ = &front;
  listener_ = &listener;
  group_ = nullptr;
  pool_ = nullptr;
  back_ = nullptr;
  fixed_ = nullptr;
  may_switch_ = doubtful_ = false;
  sticky_.clear();
  desync_ = {};
  request_framing_ = Framing::kNone;
  head_request_ = request_collected_ = request_paused_ = response_paused_ = false;
  minor_ = 1;
  rule_priority_ = -1;
  redirect_url_.clear();
  if (transformed_.status != TransformStatus::kNone) transformed_ = {};
  for (std::string* text :
       {&method_, &target_, &host_, &user_agent_, &trace_id_, &protocols_, &request_hop_names_, &response_hop_names_}) {
    text->clear();
  }
}

void Exchange::refuse(FrontStream& front, Listener& listener, int status, const char* detail) {
  start(front, listener);
  rules_ = ExchangeRules(worker_.loop.now(), false, false);
  ExchangeEvent refused = event(ExchangeEventKind::kRefused, detail);
  refused.status = status;
  finish_on(refused);
}

void Exchange::begin(FrontStream& front, Listener& listener, const RequestHead& head, bool may_keep_front) {
  start(front, listener);
  request_framing_ = head.framing;
  if (head.framing == Framing::kChunked) request_hop_names_ = named_by_connection(head.view.headers);
  minor_ = head.view.minor;
  head_request_ = head.view.method == "HEAD";
  rules_ = ExchangeRules(worker_.loop.now(), head.keep_alive && may_keep_front, head.framing != Framing::kNone);
  note_request(head);
  if (mitigate(head)) return;
  if (head.upgrade) note_upgrade(head);
  if (refuse_by_head(head)) return;

  const RuleChoice choice = listener.rules().match({head.view, front.peer().address});
  rule_priority_ = choice.priority;
  listener.load_balancer().counters().rule_evaluations += choice.evaluated;
  if (const auto* fixed = std::get_if<FixedResponseAction>(choice.action)) {
    fixed_ = fixed;
    ++listener.load_balancer().counters().fixed_responses;
    answer_by_rule(head, fixed->status);
    return;
  }
  if (const auto* action = std::get_if<RedirectAction>(choice.action)) {
    redirect(head, *action);
    return;
  }
  if (choice.transforms != nullptr && !transform(head, choice)) return;
  LoadBalancer& balancer = listener.load_balancer();
  const std::size_t group = choice.sticky
                                ? sticky_.choose_group(listener.rules(), choice, head.view, balancer.cookie_seal(),
                                                       worker_.loop.now(), worker_.random)
                                : *listener.rules().draw(choice, worker_.random);
  forward(head, balancer.group(group));
}

/// What the client sends before the answer may be in the new protocol, and must not be read as a request when there is
/// no tunnel after all: so the connection is not kept then, whoever answers.
void Exchange::note_upgrade(const RequestHead& head) {
  may_switch_ = !doubtful_ && may_open_tunnel(head);
  if (!may_switch_) return;
  rules_.close_front();
  for (const HeaderView& field : head.view.headers) {
    if (equals_ignoring_case(field.name, "upgrade")) protocols_.append(field.value).push_back(',');
  }
}

/// With what the rule says: fixed_ or redirect_url_.
void Exchange::answer_by_rule(const RequestHead& head, int status) {
  if (worker_.access_log) note_trace_id(head);
  ExchangeEvent answered = event(ExchangeEventKind::kFixedResponse);
  answered.status = status;
  answered.reusable = true;
  finish_on(answered);
}

void Exchange::redirect(const RequestHead& head, const RedirectAction& action) {
  const RequestParts parts = split_request(head.view);
  const std::string_view host =
      parts.host.empty() ? without_port(listener_->default_host()) : std::string_view(parts.host);
  auto location = redirect_location(action, {"http", host, listener_->port_text(), parts.path, parts.query});
  LoadBalancerCounters& counters = listener_->load_balancer().counters();
  if (location) {
    ++counters.redirects;
    redirect_url_ = std::move(*location);
    answer_by_rule(head, action.status);
    return;
  }
  ++counters.redirects_too_long;
  refuse_for_rule(head, 507, "the redirect's URL is longer than 8 K");
}

/// False: the request is over, because what came out is none that a target could be sent.
bool Exchange::transform(const RequestHead& head, const RuleChoice& choice) {
  transformed_ = choice.transforms->apply(split_request(head.view));
  if (!failed(transformed_.status)) return true;
  refuse_for_rule(head, 500, "a transform of the rule made no valid host or URL");
  return false;
}

void Exchange::refuse_for_rule(const RequestHead& head, int status, const char* detail) {
  note_trace_id(head);
  ExchangeEvent refused = event(ExchangeEventKind::kRefused, detail);
  refused.status = status;
  refused.reusable = true;
  finish_on(refused);
}

bool Exchange::mitigate(const RequestHead& head) {
  desync_ = classify(head.view, head.clean);
  LoadBalancer& balancer = listener_->load_balancer();
  if (desync_.tier != DesyncTier::kCompliant) ++balancer.counters().desync_non_compliant;
  const DesyncVerdict verdict = desync_verdict(balancer.settings().desync_mitigation_mode, desync_);
  if (!head.unsafe && verdict != DesyncVerdict::kBlock) {
    doubtful_ = verdict == DesyncVerdict::kPassAndClose;
    if (doubtful_) rules_.close_front();
    return false;
  }
  const char* reason = to_string(desync_.reason).data();
  ExchangeEvent refused = event(ExchangeEventKind::kRefused, head.unsafe ? to_string(*head.unsafe).data() : reason);
  refused.status = head.unsafe ? balancer.refusal_status(*head.unsafe) : 400;
  finish_on(refused);
  return true;
}

bool Exchange::refuse_by_head(const RequestHead& head) {
  ExchangeEvent refused = event(ExchangeEventKind::kRefused);
  refused.reusable = true;
  if (head.view.method == "TRACE") {
    refused.status = 405;
    refused.detail = "TRACE is not allowed";
  } else if (head.view.method == "CONNECT") {
    refused.status = 400;
    refused.detail = "CONNECT is not allowed";
    refused.reusable = false;
  } else if (forwarded_addresses(head.view) > kMaximumForwardedAddresses) {
    refused.status = 463;
    refused.detail = "more than 30 addresses in X-Forwarded-For";
  } else if (listener_->retired()) {
    refused.status = 503;
    refused.detail = "the listener was removed";
    refused.reusable = false;
  } else {
    return false;
  }
  note_trace_id(head);
  finish_on(refused);
  return true;
}

void Exchange::forward(const RequestHead& head, ServedGroup& group) {
  group_ = &group;
  const Time now = worker_.loop.now();
  const auto target = sticky_.active() ? choose_sticky_target(head) : group.group().pick(now, worker_.random);
  if (!target) {
    note_trace_id(head);
    finish_on(event(ExchangeEventKind::kNoTarget));
    return;
  }
  pool_ = &group.back_pool().pool(*target);
  group.started(*pool_);
  build_head(head);
  back_ = pool_->take_idle();
  ExchangeEvent assigned =
      event(back_ != nullptr ? ExchangeEventKind::kAssignedReused : ExchangeEventKind::kAssignedFresh);
  assigned.target = target->value;
  if (back_ != nullptr) {
    assigned.idle = now - back_->idle_since;
    if (const auto closed_at = back_->closed_at()) assigned.closed_before = now - *closed_at;
  }
  const ExchangeStep step = rules_.on(assigned);
  if (head.expect_continue && minor_ >= 1) front_->send_continue();
  if (step.act == ExchangeAct::kSend) {
    back_->attach(*this);
    back_->begin_request(request_framing_, head_request_, may_switch_);
    request_collected_ = true;
    return;
  }
  held_head_.assign(worker_.back_out);
  worker_.back_out.clear();
  back_ = pool_->connect(listener_->load_balancer().settings().connect_timeout, *this);
}

std::optional<TargetId> Exchange::choose_sticky_target(const RequestHead& head) {
  LoadBalancer& balancer = listener_->load_balancer();
  const auto target =
      sticky_.choose_target(group_->group(), head.view, balancer.cookie_seal(), worker_.loop.now(), worker_.random);
  if (sticky_.outcome() == StickyOutcome::kChosen) {
    ++balancer.counters().non_sticky;
    if (sticky_.brought_application_cookie()) ++balancer.counters().app_cookie_non_sticky;
  }
  return target;
}

/// Valid until the next call.
std::string_view Exchange::own_response_fields(const ResponseHead& head) {
  if (!sticky_.active()) return {};
  worker_.own_fields.clear();
  sticky_.append_fields(worker_.own_fields, head.view, listener_->load_balancer().cookie_seal(), worker_.loop.now());
  return worker_.own_fields;
}

void Exchange::build_head(const RequestHead& head) {
  const Time now = worker_.loop.now();
  const TraceId root("Root", now, worker_.random);
  std::optional<TraceId> self;  // only where a Root came in
  if (head.view.header(FieldName::kXAmznTraceId)) self.emplace("Self", now, worker_.random);
  const LoadBalancerSettings& settings = listener_->load_balancer().settings();
  const FrontPeer peer = front_->peer();
  char port[6];
  ForwardContext context;
  context.client_ip = peer.ip;
  if (settings.xff_client_port) {
    const auto end = std::to_chars(port, port + sizeof port, peer.address.port);
    context.client_port = std::string_view(port, static_cast<std::size_t>(end.ptr - port));
  }
  context.forwarded_for = forwarded_for_of(settings.xff_header_processing);
  context.preserve_host = settings.preserve_host_header;
  context.replace_proto = settings.replace_forwarded_proto;
  context.upgrade = may_switch_;
  context.drop_invalid = settings.drop_invalid_header_fields;
  context.scheme = "http";
  context.port = listener_->port_text();
  context.trace_root = root.text();
  context.trace_self = self ? self->text() : std::string_view();
  context.default_host = listener_->default_host();
  if (transformed_.target && !failed(transformed_.status)) context.rewritten_target = *transformed_.target;
  if (transformed_.host && !failed(transformed_.status)) context.rewritten_host = *transformed_.host;
  const InvalidFields invalid = append_forwarded_request(worker_.back_out, head, context);
  if (pool_ != nullptr && invalid.dropped) ++listener_->load_balancer().counters().dropped_invalid_header;
  if (pool_ != nullptr && invalid.forwarded) ++listener_->load_balancer().counters().forwarded_invalid_header;
  if (self) {
    trace_id_ = built_header(worker_.back_out, "\r\nX-Amzn-Trace-Id: ");
  } else {
    trace_id_ = root.text();
  }
}

/// For the log, or the error, of a request that goes to nobody: the id that it would have gone with.
void Exchange::note_trace_id(const RequestHead& head) {
  build_head(head);
  worker_.back_out.clear();
}

/// An error is reported with its request, and nobody knows yet whether this becomes one: short copies into memory that
/// is kept.
void Exchange::note_request(const RequestHead& head) {
  method_ = head.view.method;
  target_ = worker_.access_log ? head.view.target : head.view.target.substr(0, kMaximumErrorText);
  if (!worker_.access_log) return;
  host_ = head.view.header(FieldName::kHost).value_or(listener_->default_host());
  user_agent_ = head.view.header("user-agent").value_or("");
}

void Exchange::on_request_body(std::string_view bytes) {
  request_collected_ = true;
  back_->send_body(worker_.back_out, bytes);
  if (back_->queued() > 0 && !request_paused_) {
    request_paused_ = true;
    front_->pause_request();
  }
}

void Exchange::on_request_end(std::span<const HeaderView> trailers) {
  if (request_framing_ == Framing::kNone) return;
  const bool drop_invalid = listener_->load_balancer().settings().drop_invalid_header_fields;
  back_->send_end(worker_.back_out, trailers, {request_hop_names_, {}, drop_invalid});
  request_collected_ = true;
  rules_.on(event(ExchangeEventKind::kRequestComplete));
}

void Exchange::on_client_bytes(std::string_view bytes) {
  if (back_->write(bytes, {}) == 0 || request_paused_) return;
  request_paused_ = true;
  front_->pause_request();
}

void Exchange::flush_request() {
  if (!request_collected_) return;
  request_collected_ = false;
  if (worker_.back_out.empty()) return;
  const std::size_t queued = back_->write(worker_.back_out, {});
  worker_.back_out.clear();
  if (queued > 0 && !request_paused_) {
    request_paused_ = true;
    front_->pause_request();
  }
}

void Exchange::on_request_malformed(const char* detail) {
  finish_on(event(ExchangeEventKind::kRequestMalformed, detail));
}

void Exchange::on_client_end(StreamEnd how) {
  finish_on(event(how == StreamEnd::kClosed ? ExchangeEventKind::kClientClosed : ExchangeEventKind::kClientReset));
}

void Exchange::on_front_drained() {
  if (!response_paused_) return;
  response_paused_ = false;
  back_->resume();
}

void Exchange::on_stopped() { finish_on(event(ExchangeEventKind::kStopped)); }

// --------------------------------------------------------------------------------------------- the target's side

void Exchange::on_back_connected() {
  rules_.on(event(ExchangeEventKind::kConnected));
  back_->begin_request(request_framing_, head_request_, may_switch_);
  if (back_->write(held_head_, {}) > 0 && !request_paused_) {
    request_paused_ = true;
    front_->pause_request();
    return;
  }
  if (request_framing_ != Framing::kNone) front_->resume_request();
}

void Exchange::on_back_connect_failed(ConnectFailure failure) {
  ++pool_->counters.connection_errors;
  finish_on(event(connect_event(failure), describe_connect_failure(failure)));
}

void Exchange::on_interim_head(const ResponseHead& head) {
  ExchangeEvent interim = event(ExchangeEventKind::kInterimHead);
  interim.status = head.view.status;
  const ExchangeStep step = rules_.on(interim);
  if (step.act == ExchangeAct::kRelayInterim) front_->send_interim(head);
  if (ends(step.act)) end(step);
}

void Exchange::on_response_head(const ResponseHead& head) {
  ExchangeEvent responded = event(ExchangeEventKind::kResponseHead);
  responded.status = head.view.status;
  responded.delimited = front_->delimits(head);
  if (head.framing == Framing::kChunked) response_hop_names_ = named_by_connection(head.view.headers);
  const ExchangeStep step = rules_.on(responded);
  front_->send_head(head, step.keep_front, own_response_fields(head));
}

void Exchange::on_switched(const ResponseHead& head, std::string_view protocol) {
  if (!list_contains(protocols_, protocol)) {
    on_response_malformed("101 Switching Protocols to a protocol that was not asked for");
    return;
  }
  ExchangeEvent switched = event(ExchangeEventKind::kSwitched);
  switched.status = head.view.status;
  rules_.on(switched);
  front_->open_tunnel(head, own_response_fields(head));
}

void Exchange::on_tunnel_bytes(std::string_view bytes) {
  front_->send_tunnel(bytes);
  pause_back_if_front_is_slow();
}

void Exchange::on_response_body(std::string_view bytes) {
  front_->send_body(bytes);
  pause_back_if_front_is_slow();
}

void Exchange::on_response_pause() {
  front_->flush();
  pause_back_if_front_is_slow();
}

void Exchange::pause_back_if_front_is_slow() {
  if (response_paused_ || front_->queued() == 0) return;
  response_paused_ = true;
  back_->pause();
}

void Exchange::on_response_end(bool reusable, std::span<const HeaderView> trailers) {
  ExchangeEvent complete = event(ExchangeEventKind::kResponseComplete);
  complete.reusable = reusable && !doubtful_ && !request_paused_ && !request_collected_;
  front_->send_end(trailers, response_hop_names_);
  finish_on(complete);
}

void Exchange::on_response_malformed(const char* detail) {
  ExchangeEvent malformed = event(ExchangeEventKind::kResponseMalformed, detail);
  malformed.taken_back = rules_.response_begun() && front_->take_back_response();
  finish_on(malformed);
}

void Exchange::on_back_end(StreamEnd how) {
  finish_on(event(how == StreamEnd::kClosed ? ExchangeEventKind::kTargetClosed : ExchangeEventKind::kTargetReset));
}

void Exchange::on_back_drained() {
  if (!request_paused_) return;
  request_paused_ = false;
  front_->resume_request();
}

void Exchange::on_drain_ended() { finish_on(event(ExchangeEventKind::kDrainEnded)); }

void Exchange::check_deadline(Time now) {
  const Duration idle_timeout = listener_->load_balancer().settings().idle_timeout;
  const auto silent = [&](Time last) { return now - last >= idle_timeout; };
  switch (rules_.state()) {
    case ExchangeState::kUploading:
      // A target that does not take what it is sent is silent; otherwise it is the client's turn.
      if (request_paused_ ? silent(back_->last_activity()) : silent(front_->last_activity())) {
        finish_on(event(request_paused_ ? ExchangeEventKind::kTargetSilent : ExchangeEventKind::kClientSilent));
      }
      return;
    case ExchangeState::kAwaiting:
      if (silent(back_->last_activity())) finish_on(event(ExchangeEventKind::kTargetSilent));
      return;
    case ExchangeState::kBothWays:
    case ExchangeState::kRelaying:
      if (response_paused_ ? silent(front_->last_activity()) : silent(back_->last_activity())) {
        finish_on(event(response_paused_ ? ExchangeEventKind::kClientSilent : ExchangeEventKind::kTargetSilent));
      }
      return;
    case ExchangeState::kTunnel:
      if (silent(std::max(front_->last_activity(), back_->last_activity()))) {
        finish_on(event(ExchangeEventKind::kTunnelSilent));
      }
      return;
    case ExchangeState::kNew:
    case ExchangeState::kConnecting:  // the connector has its own deadline
    case ExchangeState::kEnded:
      return;
  }
}

// ------------------------------------------------------------------------------------------------------- the end

ExchangeEvent Exchange::event(ExchangeEventKind kind, const char* detail) const {
  ExchangeEvent made;
  made.kind = kind;
  made.at = worker_.loop.now();
  made.detail = detail;
  return made;
}

void Exchange::finish_on(const ExchangeEvent& event) {
  const ExchangeStep step = rules_.on(event);
  RR_CHECK(ends(step.act), "this event ends an exchange");
  end(step);
}

void Exchange::end(const ExchangeStep& step) {
  if (request_collected_) worker_.back_out.clear();
  request_collected_ = false;
  FrontEnd how = FrontEnd::kAbandon;
  switch (step.act) {
    case ExchangeAct::kAnswer:
      if (!redirect_url_.empty()) {
        front_->send_redirect(step.status, redirect_url_, step.keep_front);
      } else if (fixed_ != nullptr) {
        front_->send_fixed_response(*fixed_, step.keep_front);
      } else {
        front_->send_error(step.status, step.keep_front, explanation());
      }
      how = step.keep_front ? FrontEnd::kKeep : FrontEnd::kClose;
      break;
    case ExchangeAct::kFinish:
      how = step.keep_front ? FrontEnd::kKeep : FrontEnd::kClose;
      break;
    case ExchangeAct::kTruncate:
      how = FrontEnd::kTruncate;
      break;
    case ExchangeAct::kAbandon:
      how = FrontEnd::kAbandon;
      break;
    case ExchangeAct::kNothing:
    case ExchangeAct::kConnect:
    case ExchangeAct::kSend:
    case ExchangeAct::kRelayInterim:
    case ExchangeAct::kSkipInterim:
    case ExchangeAct::kRelayHead:
      check_failed("act", "no end", __FILE__, __LINE__);
  }
  front_->flush();
  release_back(step.keep_back);
  count();
  if (worker_.access_log) write_log();
  forget_large_texts();
  if (group_ != nullptr && pool_ != nullptr) group_->finished(*pool_, target_result(rules_.record()));
  front_->finished(how);  // this exchange may be another's after it
}

void Exchange::release_back(bool keep) {
  BackConn* back = std::exchange(back_, nullptr);
  if (back == nullptr) return;
  if (response_paused_) back->resume();
  back->detach();
  pool_->release(*back, keep);
}

}  // namespace rr
