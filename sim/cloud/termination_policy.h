#pragma once
// Who is terminated when a group shrinks. Healthy instances only: unhealthy ones bypass the policy.
// https://docs.aws.amazon.com/autoscaling/latest/userguide/ec2-auto-scaling-termination-policies.html
#include <string>
#include <vector>

#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "sim/cloud/model.h"
#include "sim/cloud/zone_balance.h"

namespace rr::sim {

/// What the group launches from now, resolved to a number.
struct CurrentTemplate {
  std::string name;
  int version = 0;
  bool operator==(const CurrentTemplate&) const = default;
};

/// The zone step comes before every policy: the candidates in the zones with the most instances. It is why "scale up,
/// then down" can keep an old instance: {a: v1, b: v2, b: v2} shrinking to two loses a v2.
std::vector<const Instance*> in_fullest_zones(const std::vector<const Instance*>& candidates,
                                              const std::vector<ZoneLoad>& zones);

/// One of `candidates` (at least one), by the policies in their order; what they leave equal is drawn. The default
/// policy: another template than the current one, else the oldest version; then who is closest to its next billing
/// `hour`.
const Instance& choose_victim(std::vector<const Instance*> candidates, const std::vector<TerminationPolicy>& policies,
                              const CurrentTemplate& current, Time now, Duration hour, Rng& rng);

}  // namespace rr::sim
