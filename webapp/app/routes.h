#pragma once
// What is answered to what. Values in, a value out: whoever serves it owns sockets, clocks and time-outs.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "webapp/app/faults.h"
#include "webapp/app/identity.h"

namespace rr::webapp {

constexpr Duration kMostDelay = std::chrono::hours(1);     // of /delay
constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // of /bytes

/// Spans of the caller's.
struct Request {
  std::string_view method;
  std::string_view target;        // as sent: "/delay?ms=50" or "http://host/delay?ms=50"
  std::string_view content_type;  // empty when there was none
  std::string_view body;
};

/// What an answer depends on beside the request.
struct Situation {
  Identity identity;
  Duration uptime{};
  bool stopping = false;        // SIGTERM has come: /healthz turns 503
  bool faults_allowed = false;  // --faults on
  Faults faults;
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;              // for HEAD too; whoever writes it leaves it out
  Duration delay{};              // to be waited before it is written
  bool hang = false;             // not to be answered at all while the fault lasts
  std::optional<Faults> faults;  // in force from now on
};

/// Never fails: what cannot be served has an answer too (400, 404, 405 with Allow). The chance is drawn only while the
/// fault `error` is in force.
Answer answer(const Request& request, const Situation& situation, Rng& chance);

}  // namespace rr::webapp
