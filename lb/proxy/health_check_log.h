#pragma once
// The ALB's health-check log: one line a check.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html
#include <string>

#include "lb/proxy/health_check_observer.h"
#include "lb/proxy/log_file.h"

namespace rr {

/// The line without its line end.
void append_health_check_log_line(std::string& out, const HealthCheckRecord& record);

class HealthCheckLog final : public HealthCheckObserver {
 public:
  explicit HealthCheckLog(LogFile& file) : file_(file) {}
  void on_health_check(const HealthCheckRecord& record) override {
    file_.write([&](std::string& out) { append_health_check_log_line(out, record); });
  }

 private:
  LogFile& file_;
};

}  // namespace rr
