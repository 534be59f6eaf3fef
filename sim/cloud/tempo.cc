#include "sim/cloud/tempo.h"

#include <algorithm>
#include <cmath>

namespace rr::sim {

Duration Tempo::waits(Duration aws) const {
  if (aws == Duration::zero() || speed_ == 1) return aws;
  const Duration divided(std::llround(static_cast<double>(aws.count()) / speed_));
  return std::max<Duration>(divided, kMillisecond);
}

Duration Tempo::races(Duration aws) const { return own_program_ ? aws : waits(aws); }

Duration Tempo::check_timeout(Duration aws) const { return std::max(races(aws), std::min(aws, kLeastCheckTimeout)); }

Duration Tempo::report_interval(const TargetGroupSettings& target_group) const {
  return std::max(waits(target_group.health_check.interval), kLeastReportInterval);
}

LoadBalancerSettings Tempo::at_speed(LoadBalancerSettings settings) const {
  for (TargetGroupSettings& group : settings.target_groups) {
    HealthCheck& check = group.health_check;
    check.interval = std::max(waits(check.interval), std::min(check.interval, kMinimumUnrestricted));
    check.timeout = check_timeout(check.timeout);
    check.unrestricted = check.unrestricted || speed_ > 1;
    group.deregistration_delay = races(group.deregistration_delay);
  }
  return settings;
}

}  // namespace rr::sim
