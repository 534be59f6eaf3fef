#pragma once
// What the nodes count, reduced to one value a period of each metric that alarms may be about.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/region.h"

namespace rr::sim {

/// A node's counters since it started.
struct NodeCounters {
  std::string node;
  std::map<std::string, std::uint64_t> requests_by_target;  // by the target's id
  std::uint64_t own_5xx = 0;                                // 5xx answers of the load balancer itself
  bool operator==(const NodeCounters&) const = default;
};

/// From a node's answer to GET /observed; none when it cannot be read.
std::optional<NodeCounters> parse_node_counters(const std::string& node, std::string_view observed);

class MetricReduction {
 public:
  /// The metrics of the period that ends now, for every group. As CloudWatch has them: RequestCount and
  /// HTTPCode_ELB_5XX_Count have no value in a period without any, the others always have one; a count per target needs
  /// a target.
  std::vector<MetricReported> reduce(const RegionState& region, const std::vector<NodeCounters>& nodes);

 private:
  /// How much a counter grew; a node that started again counts from 0.
  std::uint64_t grown(const std::string& counter, std::uint64_t value);
  std::map<std::string, std::uint64_t> seen_;
};

}  // namespace rr::sim
