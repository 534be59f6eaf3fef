// What CloudWatch has no metric for: the client's side alone, single statuses, single targets, what was lost. The
// labels that AWS has are called as AWS calls them, so that these can be joined with its metrics.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lb/proxy/exposition.h"
#include "lb/proxy/metrics.h"
#include "lb/proxy/node.h"

namespace rr {
namespace {

std::string balancer_label(const LoadBalancer& balancer) { return label("LoadBalancer", balancer.log_name()); }

std::string group_labels(const LoadBalancer& balancer, const ServedGroup& group) {
  return join_labels({balancer_label(balancer), label("TargetGroup", group.log_name())});
}

/// `group` are the labels of the target's group.
std::string target_labels(std::string_view group, const TargetSpec& spec) {
  const std::string zone = spec.zone.empty() ? "" : label("AvailabilityZone", spec.zone);
  return join_labels({zone, group, label("target", spec.id), label("address", format_address(spec.address))});
}

using EachGroup = std::function<void(const LoadBalancer&, const ServedGroup&)>;

void for_each_group(const Node& node, const EachGroup& each) {
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) each(*balancer, *group);
  }
}

void append_balancers(std::string& out, const Node& node, const NodeReport& report) {
  const auto each = [&](const Metric& metric, auto value) {
    Family family(out, metric);
    for (const auto& balancer : node.load_balancers()) {
      family.sample(balancer_label(*balancer), value(report.balancer(balancer->name())));
    }
  };
  each({"rr_lb_connections", "gauge", "Open connections of clients."},
       [](const BalancerReport& b) { return b.connections; });
  each({"rr_lb_connections_accepted_total", "counter", "Connections accepted from clients."},
       [](const BalancerReport& b) { return b.counters.connections_accepted; });
  each({"rr_lb_requests_total", "counter", "Requests that were answered, refused or abandoned."},
       [](const BalancerReport& b) { return b.counters.requests; });
  each({"rr_lb_responses_truncated_total", "counter", "Responses that were cut after their head."},
       [](const BalancerReport& b) { return b.counters.truncated; });
  each({"rr_lb_received_bytes_total", "counter", "Bytes of requests."},
       [](const BalancerReport& b) { return b.counters.received_bytes; });
  each({"rr_lb_sent_bytes_total", "counter", "Bytes of responses."},
       [](const BalancerReport& b) { return b.counters.sent_bytes; });
  Family own(out,
             {"rr_lb_own_responses_total", "counter", "Answers of the load balancer's own, and 460, by their status."});
  for (const auto& balancer : node.load_balancers()) {
    const auto& by_status = report.balancer(balancer->name()).counters.own_status;
    for (std::size_t status = 0; status < by_status.size(); ++status) {
      if (by_status[status] == 0) continue;
      own.sample(join_labels({balancer_label(*balancer), label("status", std::to_string(status))}), by_status[status]);
    }
  }
}

void append_latencies(std::string& out, const Node& node, const NodeReport& report) {
  const auto each = [&](const Metric& metric, LatencyHistogram GroupLatencies::*histogram) {
    Family family(out, metric);
    for (const auto& balancer : node.load_balancers()) {
      family.sample(balancer_label(*balancer), report.balancer(balancer->name()).totals.latencies.*histogram);
    }
    for_each_group(node, [&](const LoadBalancer& balancer, const ServedGroup& group) {
      family.sample(group_labels(balancer, group),
                    report.balancer(balancer.name()).group(group.name()).totals.latencies.*histogram);
    });
  };
  each({"rr_lb_target_connect_seconds", "histogram", "What a connection to a target took that a request waited for."},
       &GroupLatencies::connect);
  each({"rr_lb_request_seconds", "histogram",
        "From the head of a request to the end of its response, where it was sent to a target."},
       &GroupLatencies::total);
}

void append_states(std::string& out, const Node& node) {
  Family states(out, {"rr_lb_targets", "gauge", "Targets of a group by their state in the API."});
  for_each_group(node, [&](const LoadBalancer& balancer, const ServedGroup& group) {
    const auto status = group.group().status();
    for (const TargetState state : {TargetState::kInitial, TargetState::kHealthy, TargetState::kUnhealthy,
                                    TargetState::kDraining, TargetState::kUnused}) {
      const auto count = std::count_if(status.begin(), status.end(),
                                       [&](const TargetStatus& one) { return one.health.state == state; });
      states.sample(join_labels({group_labels(balancer, group), label("state", to_string(state))}), count);
    }
  });
  Family healthy(out, {"rr_lb_target_healthy", "gauge", "1 for a healthy target."});
  for_each_group(node, [&](const LoadBalancer& balancer, const ServedGroup& group) {
    const std::string labels = group_labels(balancer, group);
    for (const TargetStatus& one : group.group().status()) {
      healthy.sample(target_labels(labels, one.spec), one.health.state == TargetState::kHealthy ? 1 : 0);
    }
  });
}

/// A target, looked at once for all of its metrics.
struct TargetView {
  std::string labels;
  const TargetReport* report;
};

std::vector<TargetView> targets_of(const Node& node, const NodeReport& report) {
  std::vector<TargetView> targets;
  for_each_group(node, [&](const LoadBalancer& balancer, const ServedGroup& group) {
    const GroupReport& counted = report.balancer(balancer.name()).group(group.name());
    const std::string labels = group_labels(balancer, group);
    for (const auto& pool : group.back_pool().pools()) {
      const TargetSpec& spec = pool->spec();
      targets.push_back({target_labels(labels, spec), &counted.target(spec.id, spec.address.port)});
    }
  });
  return targets;
}

void append_targets(std::string& out, const Node& node, const NodeReport& report) {
  const std::vector<TargetView> targets = targets_of(node, report);
  const auto each = [&](const Metric& metric, auto value) {
    Family family(out, metric);
    for (const TargetView& target : targets) family.sample(target.labels, value(*target.report));
  };
  each({"rr_lb_target_requests_total", "counter", "Requests given to a target."},
       [](const TargetReport& target) { return target.counters.requests; });
  each({"rr_lb_target_connection_errors_total", "counter", "Connections to a target that were not made."},
       [](const TargetReport& target) { return target.counters.connection_errors; });
  each({"rr_lb_target_connections_opened_total", "counter", "Connections made to a target."},
       [](const TargetReport& target) { return target.counters.connections_opened; });
  each({"rr_lb_target_closed_while_idle_total", "counter",
        "Kept connections that the target closed before the load balancer's idle timeout."},
       [](const TargetReport& target) { return target.keep_alive.early_closes(); });
  each({"rr_lb_target_connections", "gauge", "Open connections to a target."},
       [](const TargetReport& target) { return target.open; });
  each({"rr_lb_target_connections_idle", "gauge", "Kept connections to a target without a request."},
       [](const TargetReport& target) { return target.idle; });
  Family classes(out,
                 {"rr_lb_target_responses_total", "counter", "Responses of a target by the class of their status."});
  const std::string labels[] = {label("class", "2xx"), label("class", "3xx"), label("class", "4xx"),
                                label("class", "5xx")};
  for (const TargetView& target : targets) {
    const auto& by_class = target.report->counters.status_class;
    static_assert(std::tuple_size_v<std::decay_t<decltype(by_class)>> == std::size(labels) + 1);
    for (std::size_t i = 1; i < by_class.size(); ++i) {
      classes.sample(join_labels({target.labels, labels[i - 1]}), by_class[i]);
    }
  }
}

void append_process(std::string& out, const Node& node, const NodeReport& report) {
  const auto one = [&](const Metric& metric, std::uint64_t value) { Family(out, metric).sample("", value); };
  one({"rr_lb_access_log_lines_lost_total", "counter", "Lines of the access log that could not be written."},
      report.lost_log_lines);
  one({"rr_lb_connection_log_lines_lost_total", "counter", "Those of the connection log."},
      report.lost_connection_log_lines);
  one({"rr_lb_health_check_log_lines_lost_total", "counter", "Those of the health-check log."},
      report.lost_health_check_log_lines);
  one({"rr_lb_config_generation", "gauge", "Generation of the configuration in force."}, node.config().generation);
  Family accepted(out, {"rr_lb_worker_connections_accepted_total", "counter",
                        "Connections accepted from clients, by the worker that has them."});
  for (std::size_t i = 0; i < report.workers.size(); ++i) {
    accepted.sample(label("worker", std::to_string(i)), report.workers[i].connections_accepted);
  }
}

}  // namespace

void append_own_metrics(std::string& out, const Node& node, const NodeReport& report) {
  append_balancers(out, node, report);
  append_latencies(out, node, report);
  append_states(out, node);
  append_targets(out, node, report);
  append_process(out, node, report);
}

}  // namespace rr
