#include "lb/proxy/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace rr {
namespace {

constexpr std::size_t kMaximumUserAgent = 8 * 1024;
/// What is printed as \xHH inside quotes: the quote itself and whatever is not printable. A space stays.
void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  if (text.empty()) out.push_back('-');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      out += "\\x";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_or_dash(std::string& out, std::string_view text) { out += text.empty() ? std::string_view("-") : text; }

void append_seconds(std::string& out, const std::optional<Duration>& span) {
  if (!span) {
    out += "-1";
    return;
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
  fmt::format_to(std::back_inserter(out), "{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

void append_status(std::string& out, int status) {
  if (status == 0) {
    out.push_back('-');
  } else {
    fmt::format_to(std::back_inserter(out), "{}", status);
  }
}

bool has_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
}

void append_request_line(std::string& out, const AccessLogEntry& entry) {
  if (entry.request_line_method.empty()) {
    out += fmt::format("\"- http://{}:{}- -\"", entry.host, entry.listener_port);
    return;
  }
  std::string line(entry.request_line_method);
  std::string_view scheme = "http", host = entry.host, rest = entry.request_target;
  const std::size_t scheme_end = rest.find("://");
  if (!rest.starts_with('/') && scheme_end != std::string_view::npos) {
    scheme = rest.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    host = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(host.size());
  }
  line += fmt::format(" {}://{}", scheme, host);
  if (!has_port(host)) line += fmt::format(":{}", entry.listener_port);
  line += rest;
  line += fmt::format(" HTTP/1.{}", entry.minor);
  append_quoted(out, line);
}

}  // namespace

void append_access_log_line(std::string& out, const AccessLogEntry& e) {
  const ExchangeRecord& record = *e.record;
  const ProcessingTimes times = record.times();
  const auto to = std::back_inserter(out);
  out += e.type;
  out.push_back(' ');
  out += format_iso8601(record.ended);
  out.push_back(' ');
  append_or_dash(out, e.load_balancer);
  const bool v6 = e.client_ip.find(':') != std::string_view::npos;
  fmt::format_to(to, " {}{}{}:{} ", v6 ? "[" : "", e.client_ip, v6 ? "]" : "", e.client_port);
  append_or_dash(out, e.target);
  for (const auto& span : {times.request, times.target, times.response}) {
    out.push_back(' ');
    append_seconds(out, span);
  }
  out.push_back(' ');
  append_status(out, record.status);
  out.push_back(' ');
  append_status(out, record.target_status);
  fmt::format_to(to, " {} {} ", e.received_bytes, e.sent_bytes);
  append_request_line(out, e);
  out.push_back(' ');
  append_quoted(out, e.user_agent.substr(0, kMaximumUserAgent));
  out += " - - ";
  append_or_dash(out, e.target_group);
  out.push_back(' ');
  append_quoted(out, e.trace_id);
  out += " \"-\" \"-\" ";
  if (e.rule_priority < 0) {
    out.push_back('-');
  } else {
    fmt::format_to(to, "{}", e.rule_priority);
  }
  // request_creation_time has milliseconds, printed with six digits.
  out.push_back(' ');
  out += format_iso8601(record.created, 3);
  out.insert(out.size() - 1, "000");
  out.push_back(' ');
  append_quoted(out, e.actions);
  out.push_back(' ');
  append_quoted(out, e.redirect_url);
  out.push_back(' ');
  append_quoted(out, e.error_reason);
  out.push_back(' ');
  append_quoted(out, e.target);
  out.push_back(' ');
  append_quoted(out, record.target_status == 0 ? std::string() : std::to_string(record.target_status));
  out.push_back(' ');
  append_quoted(out, e.classification);
  out.push_back(' ');
  append_quoted(out, e.classification_reason);
  fmt::format_to(to, " TID_{:016x}{:016x} ", e.connection_high, e.connection_low);
  for (const std::string_view text : {e.transformed_host, e.transformed_uri, e.transform_status}) {
    append_quoted(out, text);
    out.push_back(' ');
  }
  append_or_dash(out, e.node_ip);
}

}  // namespace rr
