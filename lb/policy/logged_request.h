#pragma once
// A line of an ALB's access log, read again.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
#include <optional>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr {

/// What tells how a request ended. Texts are views of the line, as escaped there; "" where the line has "-".
struct LoggedRequest {
  std::string_view time;
  std::string_view target;  // ip:port
  // The three processing times; none where the line has -1.
  std::optional<Duration> request_time;   // until it was sent to the target
  std::optional<Duration> target_time;    // until the response's head
  std::optional<Duration> response_time;  // until the head was sent on
  int status = 0;                         // elb_status_code; 0: none
  int target_status = 0;                  // 0: none
  std::string_view request;
  std::string_view actions;  // "waf,forward"
  std::string_view error_reason;
};

/// The fields up to error_reason, which every line since 2018 has; whatever follows is not looked at, because AWS adds
/// fields. The error says what is no field of such a line.
Result<LoggedRequest> read_access_log_line(std::string_view line);

}  // namespace rr
