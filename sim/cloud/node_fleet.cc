#include "sim/cloud/node_fleet.h"

#include <algorithm>

namespace rr::sim {

bool observe_check(Node& node, bool passed, int threshold) {
  if (passed) {
    ++node.passed_checks;
    node.failed_checks = 0;
  } else {
    ++node.failed_checks;
    node.passed_checks = 0;
  }
  const bool comes_in = !node.passing && passed && (!node.admitted || node.passed_checks >= threshold);
  const bool goes_out = node.passing && node.failed_checks >= threshold;
  if (comes_in || goes_out) node.passing = comes_in;
  node.admitted = node.admitted || passed;
  return comes_in || goes_out;
}

std::set<std::string> nodes_in_dns(const std::map<std::string, Node>& nodes) {
  std::set<std::string> passing;
  std::set<std::string> running;
  for (const auto& [name, node] : nodes) {
    if (!node.running) continue;
    running.insert(name);
    if (node.passing) passing.insert(name);
  }
  return passing.empty() ? running : passing;
}

Duration start_delay(int failed_starts, Duration first, Duration most) {
  Duration delay = first;
  for (int i = 1; i < failed_starts && delay < most; ++i) delay *= 2;
  return std::min(delay, most);
}

}  // namespace rr::sim
