#pragma once
// Lines in the format of the ALB's connection log: one a connection, also one that never brings a request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr {

struct ConnectionLogEntry {
  Time accepted{};
  std::string_view client_ip;
  std::uint16_t client_port = 0;
  std::uint16_t listener_port = 0;
  std::uint64_t connection_high = 0, connection_low = 0;  // conn_trace_id, as in the access log
  std::string_view load_balancer;                         // app/name/id
  std::string_view node_ip;
};

/// The line without its line end. What belongs to TLS is "-".
void append_connection_log_line(std::string& out, const ConnectionLogEntry& entry);

}  // namespace rr
