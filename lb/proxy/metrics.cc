#include "lb/proxy/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "lb/proxy/node.h"

namespace rr {
namespace {

/// One metric family: its HELP and TYPE lines, then its samples.
class Family {
 public:
  Family(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : out_(out), name_(name) {
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Value>
  void sample(const std::string& labels, Value value) {
    fmt::format_to(std::back_inserter(out_), "{}{{{}}} {}\n", name_, labels, value);
  }
  template <class Value>
  void sample_of(std::string_view suffix, const std::string& labels, Value value) {
    fmt::format_to(std::back_inserter(out_), "{}{}{{{}}} {}\n", name_, suffix, labels, value);
  }

 private:
  std::string& out_;
  std::string_view name_;
};

std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, escape_label(value));
}

std::string balancer_label(const LoadBalancer& balancer) { return label("load_balancer", balancer.name()); }

std::string group_labels(const LoadBalancer& balancer, const ServedGroup& group) {
  return balancer_label(balancer) + "," + label("target_group", group.name());
}

std::string target_labels(const LoadBalancer& balancer, const ServedGroup& group, const TargetSpec& spec) {
  return group_labels(balancer, group) + "," + label("target", spec.id) + "," +
         label("address", format_address(spec.address)) + "," + label("zone", spec.zone);
}

using EachPool = std::function<void(const LoadBalancer&, const ServedGroup&, const TargetPool&)>;

void for_each_pool(const Node& node, const EachPool& each) {
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      for (const auto& pool : group->back_pool().pools()) each(*balancer, *group, *pool);
    }
  }
}

void append_balancers(std::string& out, const Node& node) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    Family family(out, name, type, help);
    for (const auto& balancer : node.load_balancers()) family.sample(balancer_label(*balancer), value(*balancer));
  };
  each("rr_lb_connections", "gauge", "Open connections of clients.",
       [](const LoadBalancer& b) { return b.connections(); });
  each("rr_lb_connections_accepted_total", "counter", "Connections accepted from clients.",
       [](const LoadBalancer& b) { return b.counters().connections_accepted; });
  each("rr_lb_requests_total", "counter", "Requests that were answered, refused or abandoned.",
       [](const LoadBalancer& b) { return b.counters().requests; });
  each("rr_lb_requests_with_target_total", "counter", "Requests for which a target was chosen.",
       [](const LoadBalancer& b) { return b.counters().requests_with_target; });
  each("rr_lb_responses_truncated_total", "counter", "Responses that were cut after their head.",
       [](const LoadBalancer& b) { return b.counters().truncated; });
  each("rr_lb_received_bytes_total", "counter", "Bytes of requests.",
       [](const LoadBalancer& b) { return b.counters().received_bytes; });
  each("rr_lb_sent_bytes_total", "counter", "Bytes of responses.",
       [](const LoadBalancer& b) { return b.counters().sent_bytes; });
  Family own(out, "rr_lb_own_responses_total", "counter", "Answers of the load balancer's own, and 460, by status.");
  for (const auto& balancer : node.load_balancers()) {
    const auto& by_status = balancer->counters().own_status;
    for (std::size_t status = 0; status < by_status.size(); ++status) {
      if (by_status[status] == 0) continue;
      own.sample(balancer_label(*balancer) + "," + label("status", std::to_string(status)), by_status[status]);
    }
  }
}

void append_latency(std::string& out, const Node& node) {
  Family family(out, "rr_lb_target_response_seconds", "histogram",
                "Request sent to a target until its response's head.");
  for (const auto& balancer : node.load_balancers()) {
    const LatencyHistogram& histogram = balancer->counters().target_response_time;
    const std::string labels = balancer_label(*balancer);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < histogram.buckets().size(); ++i) {
      sum += histogram.buckets()[i];
      const std::string bound =
          i < LatencyHistogram::kBounds.size() ? fmt::format("{}", LatencyHistogram::kBounds[i]) : "+Inf";
      family.sample_of("_bucket", labels + "," + label("le", bound), sum);
    }
    family.sample_of("_sum", labels, to_seconds(histogram.sum()));
    family.sample_of("_count", labels, sum);
  }
}

void append_health(std::string& out, const Node& node) {
  Family states(out, "rr_lb_targets", "gauge", "Targets of a group by state.");
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      const auto status = group->group().status();
      for (const TargetState state :
           {TargetState::kInitial, TargetState::kHealthy, TargetState::kUnhealthy, TargetState::kDraining}) {
        const auto count = std::count_if(status.begin(), status.end(),
                                         [&](const TargetStatus& one) { return one.health.state == state; });
        states.sample(group_labels(*balancer, *group) + "," + label("state", to_string(state)), count);
      }
    }
  }
  Family open(out, "rr_lb_failing_open", "gauge", "1 while unhealthy targets are used because too few are healthy.");
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      open.sample(group_labels(*balancer, *group), group->group().failing_open() ? 1 : 0);
    }
  }
  Family healthy(out, "rr_lb_target_healthy", "gauge", "1 for a healthy target.");
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      for (const TargetStatus& one : group->group().status()) {
        healthy.sample(target_labels(*balancer, *group, one.spec), one.health.state == TargetState::kHealthy ? 1 : 0);
      }
    }
  }
}

void append_targets(std::string& out, const Node& node) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    Family family(out, name, type, help);
    for_each_pool(node, [&](const LoadBalancer& balancer, const ServedGroup& group, const TargetPool& pool) {
      family.sample(target_labels(balancer, group, pool.spec()), value(pool));
    });
  };
  each("rr_lb_target_requests_total", "counter", "Requests given to a target.",
       [](const TargetPool& pool) { return pool.counters.requests; });
  each("rr_lb_target_connection_errors_total", "counter", "Connections to a target that were not made.",
       [](const TargetPool& pool) { return pool.counters.connection_errors; });
  each("rr_lb_target_connections_opened_total", "counter", "Connections made to a target.",
       [](const TargetPool& pool) { return pool.counters.connections_opened; });
  each("rr_lb_target_closed_while_idle_total", "counter",
       "Kept connections that the target closed before the load balancer's idle timeout.",
       [](const TargetPool& pool) { return pool.keep_alive().early_closes(); });
  each("rr_lb_target_connections", "gauge", "Open connections to a target.",
       [](const TargetPool& pool) { return pool.open(); });
  each("rr_lb_target_connections_idle", "gauge", "Kept connections to a target without a request.",
       [](const TargetPool& pool) { return pool.idle(); });
  Family classes(out, "rr_lb_target_responses_total", "counter", "Responses of a target by status class.");
  for_each_pool(node, [&](const LoadBalancer& balancer, const ServedGroup& group, const TargetPool& pool) {
    for (std::size_t i = 1; i < pool.counters.status_class.size(); ++i) {
      classes.sample(target_labels(balancer, group, pool.spec()) + "," + label("class", fmt::format("{}xx", i + 1)),
                     pool.counters.status_class[i]);
    }
  });
}

}  // namespace

std::string escape_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out.push_back('\\');
      out.push_back(c);
    }
  }
  return out;
}

std::string metrics_text(const Node& node) {
  std::string out;
  append_balancers(out, node);
  append_latency(out, node);
  append_health(out, node);
  append_targets(out, node);
  Family lost(out, "rr_lb_access_log_lines_lost_total", "counter",
              "Lines of the access log that could not be written.");
  lost.sample("", node.lost_log_lines());
  Family lost_connections(out, "rr_lb_connection_log_lines_lost_total", "counter", "Those of the connection log.");
  lost_connections.sample("", node.lost_connection_log_lines());
  Family lost_checks(out, "rr_lb_health_check_log_lines_lost_total", "counter", "Those of the health-check log.");
  lost_checks.sample("", node.lost_health_check_log_lines());
  Family generation(out, "rr_lb_config_generation", "gauge", "Generation of the configuration in force.");
  generation.sample("", node.config().generation);
  return out;
}

}  // namespace rr
