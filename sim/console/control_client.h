#pragma once
// One question to a running tier over its control socket.
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::sim {

struct ControlAnswer {
  int status = 0;
  std::string body;  // JSON
};

/// Asks and waits for the answer. The error tells that nobody answers there, or why not.
Result<ControlAnswer> ask_tier(const std::string& socket, const std::string& method, const std::string& target,
                               const std::string& body = "", Duration timeout = std::chrono::seconds(30));

/// Text as a part of a query: everything but letters, digits, - . _ ~ and / as %XX.
std::string query_escaped(std::string_view text);

}  // namespace rr::sim
