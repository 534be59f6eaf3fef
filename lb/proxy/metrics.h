#pragma once
// The node's counters for machines, in Prometheus's text format: those of CloudWatch's namespace AWS/ApplicationELB
// under their own names and dimensions, then those that AWS does not have (rr_lb_...). docs/metrics.md lists them all.
#include <string>

#include "lb/proxy/node_report.h"

namespace rr {

class Node;

/// States are the node's, numbers those of `report`, which adds up the node's workers.
std::string metrics_text(const Node& node, const NodeReport& report);

/// The two halves of it.
void append_cloudwatch_metrics(std::string& out, const Node& node, const NodeReport& report);
void append_own_metrics(std::string& out, const Node& node, const NodeReport& report);

}  // namespace rr
