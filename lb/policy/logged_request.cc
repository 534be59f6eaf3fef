#include "lb/policy/logged_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace rr {
namespace {

// Places of the fields, counted from 0.
constexpr std::size_t kType = 0, kTime = 1, kTarget = 4, kRequestTime = 5, kTargetTime = 6, kResponseTime = 7,
                      kStatus = 8, kTargetStatus = 9, kRequest = 12, kActions = 22, kErrorReason = 24, kFields = 25;
/// Beyond that a number of seconds is no processing time: a connection lives for 3600 s, or 4000 s of silence.
constexpr double kLongest = 1e9;
constexpr std::size_t kShownOfAField = 40;

using Fields = std::array<std::string_view, kFields>;

Error complaint(const char* field, std::string_view text, const char* right) {
  return Error{fmt::format("{}: '{}' is not {}", field, text.substr(0, kShownOfAField), right)};
}

/// Takes the next field off the line; none at its end, or when a quote has no second one.
std::optional<std::string_view> take_field(std::string_view& line) {
  if (line.empty()) return std::nullopt;
  const bool quoted = line.front() == '"';
  if (quoted) line.remove_prefix(1);
  const std::size_t end = line.find(quoted ? '"' : ' ');
  if (quoted && end == std::string_view::npos) return std::nullopt;
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(line.size(), field.size() + (quoted ? 1 : 0)));
  if (line.starts_with(' ')) line.remove_prefix(1);
  return field;
}

Result<Fields> split(std::string_view line) {
  Fields fields;
  for (std::size_t at = 0; at < kFields; ++at) {
    const auto field = take_field(line);
    if (!field) return Error{fmt::format("{} fields: a line of an ALB's access log has at least {}", at, kFields)};
    fields[at] = *field;
  }
  return fields;
}

std::string_view unless_dash(std::string_view text) { return text == "-" ? std::string_view() : text; }

template <class Number>
bool read_whole(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

Status read_span(const char* field, std::string_view text, std::optional<Duration>& out) {
  double seconds = 0;
  // Written so that what is no number (nan) is refused too.
  if (!read_whole(text, seconds) || !(seconds == -1 || (seconds >= 0 && seconds < kLongest))) {
    return complaint(field, text, "a number of seconds or -1");
  }
  if (seconds >= 0) out = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return Ok{};
}

Status read_status(const char* field, std::string_view text, int& out) {
  if (text == "-") return Ok{};
  if (!read_whole(text, out) || out < 100 || out > 999) return complaint(field, text, "a status code or -");
  return Ok{};
}

}  // namespace

Result<LoggedRequest> read_access_log_line(std::string_view line) {
  const auto fields = split(line);
  if (!fields) return fields.error();
  const Fields& f = *fields;
  static constexpr std::string_view kTypes[] = {"http", "https", "h2", "grpcs", "ws", "wss"};
  if (std::find(std::begin(kTypes), std::end(kTypes), f[kType]) == std::end(kTypes)) {
    return complaint("type", f[kType], "http, https, h2, grpcs, ws or wss");
  }
  LoggedRequest read;
  for (const Status& status : {read_span("request_processing_time", f[kRequestTime], read.request_time),
                               read_span("target_processing_time", f[kTargetTime], read.target_time),
                               read_span("response_processing_time", f[kResponseTime], read.response_time),
                               read_status("elb_status_code", f[kStatus], read.status),
                               read_status("target_status_code", f[kTargetStatus], read.target_status)}) {
    if (!status) return status.error();
  }
  read.time = f[kTime];
  read.target = unless_dash(f[kTarget]);
  read.request = f[kRequest];
  read.actions = unless_dash(f[kActions]);
  read.error_reason = unless_dash(f[kErrorReason]);
  return read;
}

}  // namespace rr
