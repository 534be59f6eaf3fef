#include "sim/console/log_view.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace rr::sim {

std::string short_name(std::string_view name) {
  constexpr std::size_t kShown = 10;
  return std::string(name.substr(0, 2) == "i-" ? name.substr(0, kShown) : name);
}

int utc_offset_seconds(Time time) {
  const auto seconds =
      static_cast<std::time_t>(std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return static_cast<int>(local.tm_gmtoff);
}

namespace {

constexpr std::string_view kChecker = "ELB-HealthChecker";

// The request of a line that a program has logged as JSON; none when it is something else.
struct LoggedRequest {
  std::string method, target, status;
};
std::optional<LoggedRequest> read_logged_request(std::string_view text) {
  if (text.empty() || text.front() != '{') return std::nullopt;
  const auto line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object() || !line.contains("method") || !line.contains("status")) return std::nullopt;
  const auto text_of = [&](const char* key) {
    const auto at = line.find(key);
    if (at == line.end()) return std::string();
    return at->is_string() ? at->get<std::string>() : at->dump();
  };
  const std::string target = text_of("target");
  return LoggedRequest{text_of("method"), target.empty() ? text_of("path") : target, text_of("status")};
}

// A node's access-log line, as "GET http://127.0.0.1:8080/ HTTP/1.1 -> 172.31.16.10:8080 200"; nothing for another
// line.
std::string access_in_short(std::string_view text) {
  constexpr std::size_t kTarget = 4;
  constexpr std::size_t kStatus = 8;
  if (text.rfind("http ", 0) != 0) return "";
  std::vector<std::string_view> fields;
  std::string_view rest = text;
  while (fields.size() <= kStatus && !rest.empty()) {
    const auto end = rest.find(' ');
    fields.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  const auto quote = text.find('"');
  if (fields.size() <= kStatus || quote == std::string_view::npos) return "";
  std::string_view request = text.substr(quote + 1, text.find('"', quote + 1) - quote - 1);
  const std::string_view method = request.substr(0, request.find(' '));
  request = request.substr(0, request.rfind(" HTTP/"));
  const auto authority = request.find("://");
  const auto path = authority == std::string_view::npos ? authority : request.find('/', authority + 3);
  const std::string_view target = path == std::string_view::npos ? request : request.substr(path);
  return printable(fmt::format("{} {} -> {} {}", method, target, fields[kTarget], fields[kStatus]));
}

}  // namespace

void LogView::show(Time now, std::string_view prefix, Ink ink, std::string_view text) {
  const Palette& palette = screen_.palette();
  const std::string who = fmt::format("{:<14}", prefix);
  screen_.line(palette.paint(Ink::kFaint, format_clock(now, utc_offset_seconds(now))) + " " + palette.paint(ink, who) +
               palette.paint(Ink::kFaint, " | ") + std::string(text));
}

void LogView::process_line(Time now, std::string_view name, std::string_view zone, std::string_view text) {
  if (detail_ == Detail::kEvents) return;
  if (detail_ != Detail::kAll && text.find(kChecker) != std::string_view::npos) return;
  const std::string suffix = zone.empty() ? "" : fmt::format(" {}", zone.back());
  const std::string prefix = name.substr(0, 2) == "i-" ? short_name(name) + suffix : std::string(name);
  const Ink ink = screen_.palette().of_name(name);
  if (const std::string access = access_in_short(text); !access.empty()) return show(now, prefix, ink, access);
  const auto request = read_logged_request(text);
  if (!request) return show(now, prefix, ink, printable(text));
  if (detail_ != Detail::kAll && request->target == health_path_) return;
  show(now, prefix, ink, printable(fmt::format("{} {} {}", request->method, request->target, request->status)));
}

void LogView::journal_line(const JournalLine& line) {
  const bool fault = line.event.rfind("FAULT", 0) == 0;
  const bool healed = line.event.rfind("HEALED", 0) == 0;
  const Ink ink = fault ? Ink::kRed : healed ? Ink::kGreen : Ink::kBold;
  show(line.time, short_name(line.entity), ink, screen_.palette().paint(ink, printable(line.event)));
}

}  // namespace rr::sim
