#pragma once
// Who wants to hear of every health check that a node makes: the health-check log.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/time.h"
#include "lb/policy/health_state.h"

namespace rr {

/// One health check that has ended, with all that a line of the log says. Texts are valid only during the call.
struct HealthCheckRecord {
  Time started{};
  Duration latency{};              // until the answer was complete, or until the check was given up
  Address target{};                // logical, with the port that was checked
  Address node{};                  // where it left from; 0.0.0.0 when no connection was made
  std::string_view load_balancer;  // "app/web/0123456789abcdef"
  std::string_view target_group;   // its name
  int status = 0;                  // of the answer, 0 without one
  ProbeReason reason = ProbeReason::kPassed;
};

class HealthCheckObserver {
 public:
  virtual void on_health_check(const HealthCheckRecord& record) = 0;

 protected:
  ~HealthCheckObserver() = default;
};

}  // namespace rr
