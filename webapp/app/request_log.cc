#include "webapp/app/request_log.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace rr::webapp {
namespace {

nlohmann::ordered_json text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return std::string(text);
}

/// Microseconds are as fine as anybody can measure over a socket.
double rounded_seconds(Duration span) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(span).count()) / 1e6;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kInfo:
      return "info";
    case Level::kError:
      return "error";
  }
  return "";
}

std::string written(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

Level level_of(int status) { return status >= 500 ? Level::kError : Level::kInfo; }

std::string message_line(Time time, Level level, std::string_view message) {
  return written({{"time", format_iso8601(time)}, {"level", name_of(level)}, {"message", message}});
}

std::string log_line(const LoggedRequest& request, std::optional<Level> level) {
  nlohmann::ordered_json line;
  line["time"] = format_iso8601(request.time);
  if (level) line["level"] = name_of(*level);
  line["method"] = text_or_null(request.method);
  line["path"] = text_or_null(request.path);
  line["status"] = request.status;
  line["bytes"] = request.bytes;
  line["duration"] = rounded_seconds(request.duration);
  line["peer"] = text_or_null(request.peer);
  line["instance"] = text_or_null(request.instance);
  line["trace_id"] = text_or_null(request.trace_id);
  return written(line);
}

}  // namespace rr::webapp
