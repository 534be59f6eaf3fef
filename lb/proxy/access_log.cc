#include "lb/proxy/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "lb/http/appender.h"

namespace rr {
namespace {

constexpr std::size_t kMaximumUserAgent = 8 * 1024;

constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = true;
  for (const unsigned char byte : {0x7f, int{'"'}, int{'\\'}}) table[byte] = true;
  return table;
}();

/// What is printed as \xHH inside quotes: the quote itself and whatever is not printable. A space stays.
void append_escaped(Appender& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    const auto special =
        std::find_if(text.begin(), text.end(), [](char c) { return kEscaped[static_cast<unsigned char>(c)]; });
    const auto plain = static_cast<std::size_t>(special - text.begin());
    out += text.substr(0, plain);
    if (plain == text.size()) return;
    const auto byte = static_cast<unsigned char>(text[plain]);
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
    text.remove_prefix(plain + 1);
  }
}

void append_quoted(Appender& out, std::string_view text) {
  out += '"';
  append_escaped(out, text.empty() ? std::string_view("-") : text);
  out += '"';
}

void append_or_dash(Appender& out, std::string_view text) { out += text.empty() ? std::string_view("-") : text; }

void append_number(Appender& out, std::uint64_t number) {
  const fmt::format_int digits(number);
  out += std::string_view(digits.data(), digits.size());
}

void append_hex(Appender& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[number >> shift & 15];
}

void append_iso8601(Appender& out, Time time) {
  const auto text = iso8601_microseconds(time);
  out += std::string_view(text.data(), text.size());
}

void append_seconds(Appender& out, const std::optional<Duration>& span) {
  if (!span) {
    out += "-1";
    return;
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
  if (milliseconds < 0) out += '-';  // a clock that went back
  const auto positive = static_cast<std::uint64_t>(std::abs(milliseconds));
  append_number(out, positive / 1000);
  out += '.';
  for (const std::uint64_t unit : {100U, 10U, 1U}) out += static_cast<char>('0' + positive / unit % 10);
}

void append_status(Appender& out, int status) {
  if (status == 0) {
    out += '-';
  } else {
    append_number(out, static_cast<std::uint64_t>(status));
  }
}

bool has_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
}

void append_request_line(Appender& out, const AccessLogEntry& entry) {
  out += '"';
  if (entry.request_line_method.empty()) {
    out += "- http://";
    out += entry.host;
    out += ':';
    append_number(out, entry.listener_port);
    out += "- -\"";
    return;
  }
  std::string_view scheme = "http", host = entry.host, rest = entry.request_target;
  const std::size_t scheme_end = rest.starts_with('/') ? std::string_view::npos : rest.find("://");
  if (scheme_end != std::string_view::npos) {
    scheme = rest.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    host = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(host.size());
  }
  append_escaped(out, entry.request_line_method);
  out += ' ';
  append_escaped(out, scheme);
  out += "://";
  append_escaped(out, host);
  if (!has_port(host)) {
    out += ':';
    append_number(out, entry.listener_port);
  }
  append_escaped(out, rest);
  out += " HTTP/1.";
  append_number(out, static_cast<std::uint64_t>(entry.minor));
  out += '"';
}

}  // namespace

void append_access_log_line(std::string& into, const AccessLogEntry& e) {
  const ExchangeRecord& record = *e.record;
  const ProcessingTimes times = record.times();
  Appender out(into);
  out += e.type;
  out += ' ';
  append_iso8601(out, record.ended);
  out += ' ';
  append_or_dash(out, e.load_balancer);
  const bool v6 = e.client_ip.find(':') != std::string_view::npos;
  out += v6 ? " [" : " ";
  out += e.client_ip;
  out += v6 ? "]:" : ":";
  append_number(out, e.client_port);
  out += ' ';
  append_or_dash(out, e.target);
  for (const auto& span : {times.request, times.target, times.response}) {
    out += ' ';
    append_seconds(out, span);
  }
  for (const int status : {record.status, record.target_status}) {
    out += ' ';
    append_status(out, status);
  }
  for (const std::uint64_t bytes : {e.received_bytes, e.sent_bytes}) {
    out += ' ';
    append_number(out, bytes);
  }
  out += ' ';
  append_request_line(out, e);
  out += ' ';
  append_quoted(out, e.user_agent.substr(0, kMaximumUserAgent));
  out += " - - ";
  append_or_dash(out, e.target_group);
  out += ' ';
  append_quoted(out, e.trace_id);
  out += " \"-\" \"-\" ";
  if (e.rule_priority < 0) {
    out += '-';
  } else {
    append_number(out, static_cast<std::uint64_t>(e.rule_priority));
  }
  // request_creation_time has milliseconds, printed with six digits.
  out += ' ';
  append_iso8601(out, std::chrono::floor<std::chrono::milliseconds>(record.created));
  for (const std::string_view text : {e.actions, e.redirect_url, e.error_reason, e.target}) {
    out += ' ';
    append_quoted(out, text);
  }
  out += " \"";
  append_status(out, record.target_status);
  out += '"';
  for (const std::string_view text : {e.classification, e.classification_reason}) {
    out += ' ';
    append_quoted(out, text);
  }
  out += " TID_";
  append_hex(out, e.connection_high);
  append_hex(out, e.connection_low);
  out += ' ';
  for (const std::string_view text : {e.transformed_host, e.transformed_uri, e.transform_status}) {
    append_quoted(out, text);
    out += ' ';
  }
  append_or_dash(out, e.node_ip);
}

}  // namespace rr
