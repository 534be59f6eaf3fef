// A line of the access log with any text where clients and targets choose it: always one line, always the same number
// of fields for a reader who knows quotes and no more.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/check.h"
#include "lb/proxy/access_log.h"

namespace {

/// The next piece of the input, up to a NUL.
std::string_view take(std::string_view& rest) {
  const std::string_view piece = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
  return piece;
}

/// How many fields a line has: words, or texts in quotes, with one space between each two. 0: it is no such line.
std::size_t count_fields(std::string_view line) {
  std::size_t count = 0;
  while (true) {
    std::size_t end = 0;
    if (line.starts_with('"')) {
      end = line.find('"', 1);
      if (end == std::string_view::npos) return 0;
      ++end;
    } else {
      end = std::min(line.find(' '), line.size());
      if (end == 0 || line.substr(0, end).find('"') != std::string_view::npos) return 0;
    }
    ++count;
    if (end == line.size()) return count;
    if (line[end] != ' ') return 0;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const char kind = rest.front();
  rest.remove_prefix(1);
  static const rr::ExchangeRecord kRecord{};
  static const std::size_t kFields = [] {
    std::string line;
    rr::AccessLogEntry plain;
    plain.record = &kRecord;
    plain.client_ip = "127.0.0.1";
    plain.host = "h";
    rr::append_access_log_line(line, plain);
    return count_fields(line);
  }();
  RR_CHECK(kFields >= 29, "the fields of the ALB's format");

  rr::AccessLogEntry entry;
  entry.record = &kRecord;
  entry.load_balancer = "app/a/0123456789abcdef";
  entry.client_ip = (kind & 1) != 0 ? "::1" : "127.0.0.1";
  entry.client_port = 1;
  entry.target = (kind & 2) != 0 ? "127.0.0.1:80" : "";
  // A method is a token and a host is checked before; what a log line must stand is more than that.
  entry.request_line_method = take(rest);
  entry.request_target = take(rest);
  entry.user_agent = take(rest);
  entry.trace_id = take(rest);
  entry.redirect_url = take(rest);
  if (!entry.request_line_method.empty()) entry.host = take(rest);
  std::string line;
  rr::append_access_log_line(line, entry);
  for (const char c : line) {
    RR_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "no control byte: it is one line");
  }
  RR_CHECK(count_fields(line) == kFields, "the fields of every line");
  return 0;
}
