#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr::webapp {

/// One answered (or refused) request, for the log.
struct LoggedRequest {
  Time time;                // when its first byte came
  std::string_view method;  // empty when it could not be read
  std::string_view path;    // the target as sent
  int status = 0;           // 0: the client went before there was an answer
  std::size_t bytes = 0;    // sent, head included
  Duration duration{};
  std::string_view peer;
  std::string_view instance;
  std::string_view trace_id;  // X-Amzn-Trace-Id, empty when there was none
};

enum class Level : std::uint8_t { kInfo, kError };

/// What a request is logged as where lines have a level: an error when this program failed it (5xx).
Level level_of(int status);

/// A message as one line of JSON with its line end: time, level, message.
std::string message_line(Time time, Level level, std::string_view message);

/// One line of JSON with its line end: time, method, path, status, bytes, duration (seconds), peer, instance, trace_id.
/// Null where nothing is known. With a level, that comes after the time.
std::string log_line(const LoggedRequest& request, std::optional<Level> level = std::nullopt);

}  // namespace rr::webapp
