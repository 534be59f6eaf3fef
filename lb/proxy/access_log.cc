#include "lb/proxy/access_log.h"

#include <array>
#include <cstdlib>
#include <optional>

#include "lb/base/hex.h"
#include "lb/http/appender.h"
#include "lb/http/characters.h"

namespace rr {
namespace {

constexpr std::size_t kMaximumUserAgent = 8 * 1024;

/// What is printed as \xHH inside quotes: the quote itself and whatever is not printable. A space stays.
void append_escaped(Appender& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (true) {
    const char* const special = find_escaped_in_quotes(text.data(), text.data() + text.size());
    const auto plain = static_cast<std::size_t>(special - text.data());
    out += text.substr(0, plain);
    if (plain == text.size()) return;
    const auto byte = static_cast<unsigned char>(text[plain]);
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
    text.remove_prefix(plain + 1);
  }
}

/// With a space before it: most of a line is these, and most of them are empty.
void append_quoted(Appender& out, std::string_view text) {
  if (text.empty()) {
    out += " \"-\"";
    return;
  }
  out += " \"";
  append_escaped(out, text);
  out += '"';
}

/// The same for a word of this program's own, which has nothing to escape.
void append_own(Appender& out, std::string_view word) {
  out += " \"";
  out += word.empty() ? std::string_view("-") : word;
  out += '"';
}

void append_or_dash(Appender& out, std::string_view text) { out += text.empty() ? std::string_view("-") : text; }

void append_hex(Appender& out, std::uint64_t number) {
  std::array<char, 16> digits;
  write_hex(digits.data(), static_cast<std::uint32_t>(number >> 32));
  write_hex(digits.data() + 8, static_cast<std::uint32_t>(number));
  out += std::string_view(digits.data(), digits.size());
}

void append_three_digits(Appender& out, unsigned number) {
  const auto digit = [](unsigned value) { return static_cast<char>('0' + value); };
  const std::array<char, 3> digits{digit(number / 100), digit(number / 10 % 10), digit(number % 10)};
  out += std::string_view(digits.data(), digits.size());
}

/// "2026-11-22T20:45:42.318744Z". Each line has two times, and thousands of lines are of one second: what is before the
/// fraction is kept until the next. To make it anew took 170 instructions of the 3,450 that a line costs.
void append_time(Appender& out, Time time) {
  static thread_local Time known = Time::min();
  static thread_local std::array<char, 27> text;
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (second != known) {
    text = iso8601_microseconds(second);
    known = second;
  }
  const auto fraction = static_cast<unsigned>((time - second) / std::chrono::microseconds(1));
  out += std::string_view(text.data(), std::string_view("2026-11-22T20:45:42.").size());
  append_three_digits(out, fraction / 1000);
  append_three_digits(out, fraction % 1000);
  out += 'Z';
}

void append_seconds(Appender& out, const std::optional<Duration>& span) {
  if (!span) {
    out += "-1";
    return;
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
  if (milliseconds < 0) out += '-';  // a clock that went back
  const auto positive = static_cast<std::uint64_t>(std::abs(milliseconds));
  out.append_number(positive / 1000);
  out += '.';
  append_three_digits(out, static_cast<unsigned>(positive % 1000));
}

void append_status(Appender& out, int status) {
  if (status == 0) {
    out += '-';
  } else {
    out.append_number(static_cast<std::uint64_t>(status));
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
    out.append_number(entry.listener_port);
    out += "- -\"";
    return;
  }
  std::string_view scheme, host = entry.host, rest = entry.request_target;
  const std::size_t scheme_end = rest.starts_with('/') ? std::string_view::npos : rest.find("://");
  if (scheme_end != std::string_view::npos) {
    scheme = rest.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    host = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(host.size());
  }
  append_escaped(out, entry.request_line_method);
  if (scheme_end == std::string_view::npos) {
    out += " http://";
  } else {
    out += ' ';
    append_escaped(out, scheme);
    out += "://";
  }
  append_escaped(out, host);
  if (!has_port(host)) {
    out += ':';
    out.append_number(entry.listener_port);
  }
  append_escaped(out, rest);
  out += " HTTP/1.";
  out.append_number(static_cast<std::uint64_t>(entry.minor));
  out += '"';
}

}  // namespace

void append_access_log_line(std::string& into, const AccessLogEntry& e) {
  const ExchangeRecord& record = *e.record;
  const ProcessingTimes times = record.times();
  Appender out(into);
  out += e.type;
  out += ' ';
  append_time(out, record.ended);
  out += ' ';
  append_or_dash(out, e.load_balancer);
  const bool v6 = e.client_ip.find(':') != std::string_view::npos;
  out += v6 ? " [" : " ";
  out += e.client_ip;
  out += v6 ? "]:" : ":";
  out.append_number(e.client_port);
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
    out.append_number(bytes);
  }
  out += ' ';
  append_request_line(out, e);
  append_quoted(out, e.user_agent.substr(0, kMaximumUserAgent));
  out += " - - ";
  append_or_dash(out, e.target_group);
  append_quoted(out, e.trace_id);
  out += " \"-\" \"-\" ";
  if (e.rule_priority < 0) {
    out += '-';
  } else {
    out.append_number(static_cast<std::uint64_t>(e.rule_priority));
  }
  out += ' ';
  append_time(out, std::chrono::floor<std::chrono::milliseconds>(record.created));  // request_creation_time
  append_own(out, e.actions);
  append_quoted(out, e.redirect_url);
  append_own(out, e.error_reason);
  append_own(out, e.target);
  out += " \"";
  append_status(out, record.target_status);
  out += '"';
  append_own(out, e.classification);
  append_own(out, e.classification_reason);
  out += " TID_";
  append_hex(out, e.connection_high);
  append_hex(out, e.connection_low);
  append_quoted(out, e.transformed_host);
  append_quoted(out, e.transformed_uri);
  append_own(out, e.transform_status);
  out += ' ';
  append_or_dash(out, e.node_ip);
}

}  // namespace rr
