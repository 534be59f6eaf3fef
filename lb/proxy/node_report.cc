#include "lb/proxy/node_report.h"

#include <algorithm>
#include <map>

#include "lb/proxy/node.h"

namespace rr {
namespace {

template <class Report>
auto* find_named(std::vector<Report>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Report& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

template <class Report>
const Report& named(const std::vector<Report>& all, std::string_view name) {
  static const Report kNone{};
  const auto found = std::find_if(all.begin(), all.end(), [&](const Report& one) { return one.name == name; });
  return found == all.end() ? kNone : *found;
}

std::pair<std::string_view, std::uint16_t> identity(const TargetReport& one) { return {one.id, one.port}; }

GroupReport report_of(const ServedGroup& group) {
  GroupReport report{group.name(),
                     group.totals(),
                     group.group().unhealthy_routing_requests(),
                     group.requests_per_target(false),
                     group.requests_per_target(true),
                     {}};
  std::map<TargetId, std::uint32_t> outstanding;
  for (const TargetStatus& one : group.group().status()) outstanding[one.target] = one.outstanding;
  for (const auto& pool : group.back_pool().pools()) {
    const auto busy = outstanding.find(pool->target());
    report.targets.push_back({pool->spec().id, pool->spec().address.port, pool->counters, pool->open(), pool->idle(),
                              busy == outstanding.end() ? 0 : busy->second, pool->keep_alive()});
  }
  std::sort(report.targets.begin(), report.targets.end(),
            [](const TargetReport& a, const TargetReport& b) { return identity(a) < identity(b); });
  return report;
}

BalancerReport report_of(const LoadBalancer& balancer, ReportErrors errors) {
  BalancerReport report;
  report.name = balancer.name();
  report.counters = balancer.counters();
  report.connections = balancer.connections();
  report.connections_rejected = balancer.connections_rejected();
  report.totals = balancer.totals();
  for (const auto& listener : balancer.listeners()) {
    report.listeners.push_back({listener->name(), listener->connections()});
  }
  for (const auto& group : balancer.groups()) report.groups.push_back(report_of(*group));
  report.errors_total = balancer.errors().total();
  if (errors == ReportErrors::kNo) return report;
  for (std::size_t i = 0; i < balancer.errors().size(); ++i) report.errors.push_back(balancer.errors().newest(i));
  return report;
}

void add(TargetReport& sum, const TargetReport& other) {
  sum.counters += other.counters;
  sum.open += other.open;
  sum.idle += other.idle;
  sum.outstanding += other.outstanding;
  sum.keep_alive.merge(other.keep_alive);
}

void add(GroupReport& sum, const GroupReport& other) {
  sum.totals += other.totals;
  sum.unhealthy_routing_requests += other.unhealthy_routing_requests;
  sum.requests_per_target += other.requests_per_target;
  sum.requests_per_target_of_zone += other.requests_per_target_of_zone;
  auto theirs = other.targets.begin();
  for (TargetReport& one : sum.targets) {
    while (theirs != other.targets.end() && identity(*theirs) < identity(one)) ++theirs;
    if (theirs != other.targets.end() && identity(*theirs) == identity(one)) add(one, *theirs);
  }
}

/// Both have the newest first, and so has the sum, which keeps no more than one worker would.
void add_errors(BalancerReport& sum, const BalancerReport& other) {
  sum.errors_total += other.errors_total;
  const auto middle = sum.errors.insert(sum.errors.end(), other.errors.begin(), other.errors.end());
  std::inplace_merge(sum.errors.begin(), middle, sum.errors.end(),
                     [](const ErrorEntry& one, const ErrorEntry& two) { return one.record.ended > two.record.ended; });
  if (sum.errors.size() > kKeptErrors) sum.errors.resize(kKeptErrors);
}

void add(BalancerReport& sum, const BalancerReport& other) {
  sum.counters += other.counters;
  sum.connections += other.connections;
  sum.connections_rejected += other.connections_rejected;
  sum.totals += other.totals;
  for (const ListenerReport& one : other.listeners) {
    if (ListenerReport* ours = find_named(sum.listeners, one.name)) ours->connections += one.connections;
  }
  for (const GroupReport& one : other.groups) {
    if (GroupReport* ours = find_named(sum.groups, one.name)) add(*ours, one);
  }
  add_errors(sum, other);
}

}  // namespace

const TargetReport& GroupReport::target(std::string_view id, std::uint16_t port) const {
  static const TargetReport kNone{};
  const std::pair wanted(id, port);
  const auto found = std::lower_bound(targets.begin(), targets.end(), wanted,
                                      [](const TargetReport& one, const auto& key) { return identity(one) < key; });
  return found == targets.end() || identity(*found) != wanted ? kNone : *found;
}

const GroupReport& BalancerReport::group(std::string_view wanted) const { return named(groups, wanted); }

std::size_t BalancerReport::connections_of(std::string_view listener) const {
  return named(listeners, listener).connections;
}

const BalancerReport& NodeReport::balancer(std::string_view wanted) const { return named(balancers, wanted); }

void NodeReport::add(const NodeReport& other) {
  for (const BalancerReport& one : other.balancers) {
    if (BalancerReport* ours = find_named(balancers, one.name)) rr::add(*ours, one);
  }
  workers.insert(workers.end(), other.workers.begin(), other.workers.end());
  lost_log_lines += other.lost_log_lines;
  lost_connection_log_lines += other.lost_connection_log_lines;
  lost_health_check_log_lines += other.lost_health_check_log_lines;
}

NodeReport report_of(const Node& node, ReportErrors errors) {
  NodeReport report;
  WorkerReport& worker = report.workers.emplace_back();
  for (const auto& balancer : node.load_balancers()) {
    const BalancerReport& one = report.balancers.emplace_back(report_of(*balancer, errors));
    worker.connections_accepted += one.counters.connections_accepted;
    worker.requests += one.counters.requests;
  }
  report.lost_log_lines = node.lost_log_lines();
  report.lost_connection_log_lines = node.lost_connection_log_lines();
  report.lost_health_check_log_lines = node.lost_health_check_log_lines();
  return report;
}

}  // namespace rr
