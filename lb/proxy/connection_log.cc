#include "lb/proxy/connection_log.h"

#include <fmt/format.h>

#include <iterator>

namespace rr {

void append_connection_log_line(std::string& out, const ConnectionLogEntry& e) {
  // tls_protocol, tls_cipher, tls_handshake_latency, the client certificate's subject (quoted), validity and serial
  // number, tls_verify_status: none of them without TLS. Behind the trace id tls_keyexchange, likewise.
  fmt::format_to(std::back_inserter(out), "{} {} {} {} - - - \"-\" - - - TID_{:016x}{:016x} - {} {}",
                 format_iso8601(e.accepted), e.client_ip.empty() ? "-" : e.client_ip, e.client_port, e.listener_port,
                 e.connection_high, e.connection_low, e.load_balancer, e.node_ip.empty() ? "-" : e.node_ip);
}

}  // namespace rr
