#pragma once
// Who is terminated when a group shrinks. Healthy instances only: unhealthy ones bypass the policy.
// https://docs.aws.amazon.com/autoscaling/latest/userguide/ec2-auto-scaling-termination-policies.html
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
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

/// Those that may be terminated when a group shrinks, to be taken one after the other. The zone step comes before every
/// policy: who goes is in a zone with the most instances (fullest_zones). It is why "scale up, then down" can keep an
/// old instance: {a: v1, b: v2, b: v2} shrinking to two loses a v2. Then the policies in their order; what they leave
/// equal is drawn. The default policy: another template than the current one, else the oldest version; then who is
/// closest to its next billing `hour`.
///
/// What the policies say of an instance does not depend on the others, so it is asked once: a group that loses a third
/// of its thousand instances would else look at a thousand for each.
class Victims {
 public:
  Victims(const std::vector<const Instance*>& candidates, const std::vector<TerminationPolicy>& policies,
          const CurrentTemplate& current, Time now, Duration hour);
  bool empty() const { return zones_.empty(); }
  /// The next one; there must be one. `zones`: as they are without those that were taken before.
  const Instance& take(const std::vector<ZoneLoad>& zones, Rng& rng);

 private:
  using Rank = std::vector<std::int64_t>;  // what each policy says; the least goes first
  struct Candidate {
    std::size_t number;  // among all
    const Instance* instance;
  };
  using Equals = std::vector<Candidate>;  // by number
  using Ranks = std::map<Rank, Equals>;

  static bool is_before(const Candidate& a, const Candidate& b) { return a.number < b.number; }
  Equals first_of(const std::set<ZoneName>& fullest) const;

  std::map<ZoneName, Ranks> zones_;  // with nothing empty in it
};

}  // namespace rr::sim
