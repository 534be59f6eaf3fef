#pragma once
// What a node has counted, as values: those of several workers of a process can be added up, and shown as one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/keep_alive_watch.h"
#include "lb/proxy/counters.h"
#include "lb/proxy/error_log.h"

namespace rr {

class Node;

struct TargetReport {
  std::string id;
  std::uint16_t port = 0;
  TargetCounters counters;
  std::size_t open = 0;  // connections
  std::size_t idle = 0;  // of these
  std::uint32_t outstanding = 0;
  KeepAliveWatch keep_alive;
};

struct GroupReport {
  std::string name;
  GroupTotals totals;
  std::uint64_t unhealthy_routing_requests = 0;
  double requests_per_target = 0;          // by the targets of all zones,
  double requests_per_target_of_zone = 0;  // by those that this node gives requests to
  std::vector<TargetReport> targets;       // ascending by identity

  /// Of a target that the group does not know: one that has counted nothing.
  const TargetReport& target(std::string_view id, std::uint16_t port) const;
};

struct ListenerReport {
  std::string name;
  std::size_t connections = 0;
};

struct BalancerReport {
  std::string name;
  LoadBalancerCounters counters;
  std::size_t connections = 0;
  std::uint64_t connections_rejected = 0;
  GroupTotals totals;
  std::vector<ListenerReport> listeners;
  std::vector<GroupReport> groups;  // in the order of the configuration
  std::uint64_t errors_total = 0;
  std::vector<ErrorEntry> errors;  // the newest first; only where they were asked for

  const GroupReport& group(std::string_view name) const;
  std::size_t connections_of(std::string_view listener) const;
};

/// A worker's share, for whoever wants to see how connections spread.
struct WorkerReport {
  std::uint64_t connections_accepted = 0;
  std::uint64_t requests = 0;
};

struct NodeReport {
  std::vector<BalancerReport> balancers;  // in the order of the configuration
  std::vector<WorkerReport> workers;      // the first is the one that makes the health checks
  std::uint64_t lost_log_lines = 0;
  std::uint64_t lost_connection_log_lines = 0;
  std::uint64_t lost_health_check_log_lines = 0;

  /// Adds what another worker has counted. What this one's configuration does not have is left out: a worker that has
  /// not taken a new configuration yet tells of the old one, and counts on under the new one.
  void add(const NodeReport& other);
  const BalancerReport& balancer(std::string_view name) const;
};

enum class ReportErrors : std::uint8_t { kNo, kYes };
/// To be called in the node's own thread.
NodeReport report_of(const Node& node, ReportErrors errors);

}  // namespace rr
