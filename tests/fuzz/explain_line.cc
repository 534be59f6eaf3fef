// Lines of an access log as `rr-lb explain` reads them: any bytes are read or refused by name, a 5xx has one outcome
// and one sentence, fields that AWS may add change nothing; and a line that rr-lb wrote, whatever clients put into it,
// is read as what was written.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/check.h"
#include "lb/policy/logged_outcome.h"
#include "lb/proxy/access_log.h"

namespace {

/// What is read lies in the line, so it may be shown as long as the line is there.
bool lies_in(std::string_view part, std::string_view line) {
  return part.empty() || (part.data() >= line.data() && part.data() + part.size() <= line.data() + line.size());
}

std::string told(const rr::LoggedRequest& read) {
  if (!rr::is_5xx(read)) return {};
  const rr::LoggedOutcome outcome = rr::classify(read);
  RR_CHECK(static_cast<std::size_t>(outcome) < rr::kLoggedOutcomes, "an outcome of the table");
  const std::string text = rr::explain(read, outcome);
  RR_CHECK(!text.empty() && text.find('\n') == std::string::npos, "one sentence");
  return fmt::format("{}: {}", rr::to_string(outcome), text);
}

void check_line(std::string_view line) {
  const auto read = rr::read_access_log_line(line);
  if (!read) {
    RR_CHECK(!read.error().message.empty(), "what is wrong is told");
    return;
  }
  for (const std::string_view part : {read->time, read->target, read->request, read->actions, read->error_reason}) {
    RR_CHECK(lies_in(part, line), "a part of the line");
  }
  RR_CHECK(read->status == 0 || (read->status >= 100 && read->status <= 999), "a status");
  for (const auto& time : {read->request_time, read->target_time, read->response_time}) {
    RR_CHECK(!time || *time >= rr::Duration::zero(), "no time is negative");
  }
  const std::string longer = std::string(line) + " \"-\" something new";
  const auto again = rr::read_access_log_line(longer);
  RR_CHECK(again.ok(), "further fields are let pass");
  RR_CHECK(told(*again) == told(*read), "and change nothing");
}

/// The next piece of the input, up to a NUL.
std::string_view take(std::string_view& rest) {
  const std::string_view piece = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
  return piece;
}

void check_own_line(std::uint8_t kind, std::string_view rest) {
  constexpr std::array<int, 4> kStatuses{200, 502, 503, 504};
  rr::ExchangeRecord record;
  record.status = kStatuses[kind % kStatuses.size()];
  record.assigned = record.sent_to_target = (kind & 4) != 0;
  if ((kind & 8) != 0) record.target_status = record.status;
  rr::AccessLogEntry entry;
  entry.record = &record;
  entry.load_balancer = "app/a/0123456789abcdef";
  entry.client_ip = "::1";
  entry.host = "h";
  if (record.assigned) entry.target = "127.0.0.1:80";
  entry.request_line_method = take(rest);
  entry.request_target = take(rest);
  entry.user_agent = take(rest);
  entry.trace_id = take(rest);
  entry.transformed_uri = take(rest);
  entry.redirect_url = take(rest);
  std::string line;
  rr::append_access_log_line(line, entry);
  const auto read = rr::read_access_log_line(line);
  RR_CHECK(read.ok(), "our own line can be read");
  RR_CHECK(read->status == record.status && read->target_status == record.target_status, "the statuses");
  RR_CHECK(read->target == entry.target, "the target");
  check_line(line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 0x80) != 0) {
    check_own_line(data[0], text);
  } else {
    check_line(text.substr(0, text.find('\n')));
  }
  return 0;
}
