#include "lb/proxy/health_check_log.h"

#include <fmt/format.h>

#include <iterator>

namespace rr {

void append_health_check_log_line(std::string& out, const HealthCheckRecord& record) {
  const auto nanoseconds = record.latency.count();
  const bool from_somewhere = record.node.ip != Address{}.ip;
  fmt::format_to(std::back_inserter(out), "http {} {}.{:09} {} {} {} {} {} {} {}", format_iso8601(record.started),
                 nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000, format_address(record.target),
                 record.target_group, record.reason == ProbeReason::kPassed ? "PASS" : "FAIL",
                 record.status == 0 ? "-" : std::to_string(record.status), to_string(record.reason),
                 record.load_balancer, from_somewhere ? format_ip(record.node) : "-");
}

}  // namespace rr
