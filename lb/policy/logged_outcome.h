#pragma once
// Why a request that an ALB's access log has with a 5xx ended so, from its line alone: status, target and which of the
// three processing times are -1.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/policy/logged_request.h"

namespace rr {

enum class LoggedOutcome : std::uint8_t {
  kFromTarget,       // the target's own response
  kFixedResponse,    // a rule's
  kNamedByAws,       // error_reason says it
  kNoTargets,        // 503, nobody to ask
  kConnectFailed,    // 502, no connection
  kConnectTimedOut,  // 504, no connection
  kNoAnswer,         // 504, sent and never answered
  kTargetClosed,     // 502, sent, and the target ended the connection or answered with nonsense
  kKeepAliveRace,    // likewise, at once
  kBadResponse,      // the target had answered with another status
  kByStatus,         // what the status alone says: 500, 501, 505, 507, 561
  kUnknown,          // a 5xx whose fields are no row of the table
};
constexpr std::size_t kLoggedOutcomes = 12;

/// A target that ends a connection within that time after a request was sent has most likely not seen the request: it
/// ended the idle connection while the request was on its way. A round trip between two zones takes 1 to 2 ms and a
/// target at work on a request seldom crashes so soon. The log does not say whether the connection was a kept one.
constexpr Duration kLongestRace = 10 * kMillisecond;

constexpr bool is_5xx(const LoggedRequest& request) { return request.status >= 500 && request.status < 600; }

/// Of a request with is_5xx.
LoggedOutcome classify(const LoggedRequest& request);
std::string_view to_string(LoggedOutcome outcome);  // "keep_alive_race"

/// One sentence for a person: what happened and what to look at. Only the log's own characters and ASCII.
std::string explain(const LoggedRequest& request, LoggedOutcome outcome);

}  // namespace rr
