#pragma once
// Which target groups receive traffic from their load balancer.
#include <string_view>

#include "lb/policy/settings.h"

namespace rr {

/// Whether an action of a listener forwards to the group, with whatever weight. The targets of others are unused and
/// not checked.
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
bool forwards_to(const LoadBalancerSettings& settings, std::string_view target_group);

}  // namespace rr
