#pragma once
// Lines in the format of the ALB's access log, buffered.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
#include <cstdint>
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/policy/exchange_rules.h"

namespace rr {

/// Everything one line tells. Empty text prints as "-".
struct AccessLogEntry {
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
  std::string_view redirect_url;
  std::string_view transformed_host, transformed_uri, transform_status;
  int rule_priority = -1;                                 // below 0: none matched
  std::uint64_t connection_high = 0, connection_low = 0;  // conn_trace_id
  std::string_view node_ip;
};

/// The line without its line end.
void append_access_log_line(std::string& out, const AccessLogEntry& entry);

/// Where the lines go. Written in large pieces; flush() at least each second and at the end is the owner's business. A
/// pipe or terminal whose reader does not read holds nobody up: what it does not take waits, a bounded amount.
class AccessLog {
 public:
  /// "-" is standard output. The error names the file.
  static Result<AccessLog> open(const std::string& path);
  ~AccessLog();
  AccessLog(AccessLog&& other) noexcept;
  AccessLog& operator=(AccessLog&&) = delete;

  void write(const AccessLogEntry& entry);
  /// Lines that cannot be written (disk full, too many waiting for a reader) are counted and dropped: requests do not
  /// wait for a log.
  void flush();
  /// After a rotation: goes on in a new file of the same name. When that cannot be opened, the old one is kept.
  Status reopen();
  std::uint64_t lost() const { return lost_; }

 private:
  AccessLog(std::string path, int fd);
  void write_out(int patience_milliseconds);
  std::string path_;
  int fd_ = -1;
  bool never_waits_;  // a regular file
  std::string buffer_;
  std::uint64_t lost_ = 0;
};

}  // namespace rr
