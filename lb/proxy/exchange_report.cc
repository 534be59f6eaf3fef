// What an exchange leaves behind: counters, the list of errors, a line of the access log, and no large memory.
#include <algorithm>

#include "lb/policy/explanation.h"
#include "lb/proxy/access_log.h"
#include "lb/proxy/exchange.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/load_balancer.h"
#include "lb/proxy/served_group.h"
#include "lb/proxy/worker.h"

namespace rr {

/// What the client is told about it: nothing, unless it may be.
std::string Exchange::explanation() const {
  const LoadBalancerSettings& settings = listener_->load_balancer().settings();
  if (settings.explain == ExplainTo::kNobody || !may_be_told(settings.explain, front_->peer().address)) return {};
  const std::string_view target = pool_ == nullptr ? std::string_view() : pool_->text();
  return explain(rules_.record(), target, {settings.idle_timeout, settings.connect_timeout});
}

void Exchange::note_error() const {
  LoadBalancer& balancer = listener_->load_balancer();
  ErrorEntry& entry = balancer.errors().add();
  entry.record = rules_.record();
  entry.settings = {balancer.settings().idle_timeout, balancer.settings().connect_timeout};
  if (pool_ != nullptr) ErrorLog::set(entry.target, pool_->text());
  if (group_ != nullptr) ErrorLog::set(entry.target_group, group_->name());
  ErrorLog::set(entry.listener, listener_->name());
  ErrorLog::set(entry.client, front_->peer().ip);
  ErrorLog::set(entry.trace_id, trace_id_);
  ErrorLog::set(entry.request_line, method_);
  if (!method_.empty()) ErrorLog::set(entry.request_line, method_ + " " + target_);
}

void Exchange::count() const {
  const ExchangeRecord& record = rules_.record();
  LoadBalancerCounters& counters = listener_->load_balancer().counters();
  ++counters.requests;
  counters.received_bytes += front_->received_bytes();
  counters.sent_bytes += front_->sent_bytes();
  if (record.sent_to_target) count_latencies(record);
  if (is_error_of_our_own(record.cause)) note_error();
  if (record.target_status != 0) {
    const auto status_class = static_cast<std::size_t>(std::clamp(record.target_status / 100, 1, 5) - 1);
    ++pool_->counters.status_class[status_class];
    if (record.cause != ExchangeCause::kCompleted) ++counters.truncated;
  } else if (record.status > 0 && record.status < 600) {
    ++counters.own_status[static_cast<std::size_t>(record.status)];
  }
}

void Exchange::count_latencies(const ExchangeRecord& record) const {
  GroupLatencies& latencies = group_->latencies();
  if (!record.reused) latencies.connect.observe(record.sent - record.created);
  if (record.target_status != 0) latencies.first_byte.observe(record.head - record.sent);
  if (record.target_status != 101) latencies.total.observe(record.ended - record.created);
}

void Exchange::write_log() const {
  AccessLogEntry entry;
  const FrontPeer peer = front_->peer();
  const bool readable = !method_.empty();
  entry.load_balancer = listener_->load_balancer().log_name();
  if (rules_.record().target_status == 101) entry.type = "ws";
  entry.client_ip = peer.ip;
  entry.client_port = peer.address.port;
  if (pool_ != nullptr) entry.target = pool_->text();
  entry.record = &rules_.record();
  entry.received_bytes = readable ? front_->received_bytes() : 0;
  entry.sent_bytes = front_->sent_bytes();
  entry.request_line_method = method_;
  entry.request_target = target_;
  entry.host = readable ? std::string_view(host_) : listener_->default_host();
  entry.listener_port = listener_->port();
  entry.minor = minor_;
  entry.user_agent = user_agent_;
  if (group_ != nullptr) entry.target_group = group_->log_name();
  entry.trace_id = trace_id_;
  if (desync_.tier != DesyncTier::kCompliant) {
    entry.classification = to_string(desync_.tier);
    entry.classification_reason = to_string(desync_.reason);
  }
  entry.actions = group_ != nullptr ? "forward" : fixed_ != nullptr ? "fixed-response" : "";
  if (!redirect_url_.empty()) entry.actions = "redirect";
  entry.redirect_url = redirect_url_;
  if (sticky_.group_cookie_invalid()) entry.error_reason = "AWSALBTGCookieInvalid";
  if (transformed_.host && !failed(transformed_.status)) entry.transformed_host = *transformed_.host;
  if (transformed_.target && !failed(transformed_.status)) entry.transformed_uri = *transformed_.target;
  entry.transform_status = to_string(transformed_.status);
  entry.rule_priority = rule_priority_;
  entry.connection_high = peer.connection_high;
  entry.connection_low = peer.connection_low;
  entry.node_ip = peer.local_ip;
  worker_.access_log->write([&](std::string& out) { append_access_log_line(out, entry); });
}

/// Exchanges are kept for the next request, and what one unusual head made large must not be kept with all of them.
void Exchange::forget_large_texts() {
  constexpr std::size_t kKept = 2048;
  const auto forget = [](auto&... texts) {
    // Of nearly every request none is large. Asked one by one that took 60 instructions more.
    if (((texts.capacity() <= kKept) & ...)) [[likely]]
      return;
    const auto forget_large = [](std::string& text) {
      if (text.capacity() > kKept) std::string().swap(text);
    };
    (forget_large(texts), ...);
  };
  forget(held_head_, redirect_url_, method_, target_, host_, user_agent_, trace_id_, protocols_, request_hop_names_,
         response_hop_names_);
}

}  // namespace rr
