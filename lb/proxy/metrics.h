#pragma once
// The node's counters for machines, in Prometheus's text format: those of CloudWatch's namespace AWS/ApplicationELB
// under their own names and dimensions, then those that AWS does not have (rr_lb_...). docs/metrics.md lists them all.
#include <string>

namespace rr {

class Node;

std::string metrics_text(const Node& node);

/// The two halves of it.
void append_cloudwatch_metrics(std::string& out, const Node& node);
void append_own_metrics(std::string& out, const Node& node);

}  // namespace rr
