#pragma once
// Lines in the format of the ALB's access log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/time.h"
#include "lb/policy/exchange_rules.h"

namespace rr {

/// Everything one line tells. Empty text prints as "-". Of what clients chose any byte may be in it; `target`,
/// `classification` and its reason, `actions`, `error_reason` and `transform_status` are words of our own and are
/// printed as they are.
struct AccessLogEntry {
  std::string_view type = "http";  // or "ws", of a connection that became a tunnel
  std::string_view load_balancer;  // app/name/id
  std::string_view client_ip;
  std::uint16_t client_port = 0;
  std::string_view target;  // ip:port
  const ExchangeRecord* record = nullptr;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::string_view request_line_method;  // empty: the request could not be read
  std::string_view request_target;       // as sent
  std::string_view host;
  std::uint16_t listener_port = 0;
  int minor = 1;
  std::string_view user_agent;
  std::string_view target_group;
  std::string_view trace_id;
  std::string_view classification;         // "Ambiguous"
  std::string_view classification_reason;  // "BothTeClPresent"
  std::string_view actions;                // "forward", "redirect", "fixed-response"
  std::string_view redirect_url;           // the Location that was sent
  std::string_view error_reason;           // "AWSALBTGCookieInvalid"
  std::string_view transformed_host;       // after the rule's rewrites, where they changed something
  std::string_view transformed_uri;
  std::string_view transform_status;                      // "TransformSuccess"; AWS does not tell the values
  int rule_priority = -1;                                 // below 0: none matched
  std::uint64_t connection_high = 0, connection_low = 0;  // conn_trace_id
  std::string_view node_ip;
};

/// The line without its line end: 34 fields. AWS's lines of autumn 2026 have two more, both "-" and undocumented;
/// readers must expect fields that they do not know, and lines without those two.
void append_access_log_line(std::string& out, const AccessLogEntry& entry);

}  // namespace rr
