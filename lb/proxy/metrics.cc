// The metrics of CloudWatch. A series has the labels LoadBalancer, TargetGroup and AvailabilityZone in the combinations
// that AWS documents; those with an AvailabilityZone are left out by a node that stands in no zone.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
#include "lb/proxy/metrics.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "lb/proxy/exposition.h"
#include "lb/proxy/node.h"

namespace rr {
namespace {

struct HostCounts {
  std::size_t healthy = 0, unhealthy = 0, anomalous = 0, mitigated = 0, shifted = 0;

  void count(const TargetStatus& one) {
    healthy += one.health.state == TargetState::kHealthy ? 1 : 0;
    unhealthy += one.health.state == TargetState::kUnhealthy ? 1 : 0;
    anomalous += one.anomalous ? 1 : 0;
    mitigated += one.mitigation_in_effect ? 1 : 0;
    shifted += one.administrative_override == AdministrativeOverride::kZonalShiftActive ? 1 : 0;
  }
};

/// A target group, looked at once for all of its metrics.
struct GroupView {
  const GroupReport* report;
  std::string label;
  HostCounts hosts;
  std::map<std::string, HostCounts> hosts_of_zones;  // not of targets that stand in no zone
  std::vector<ZoneStates> states;
};

struct BalancerView {
  const BalancerReport* report;
  std::string label;
  std::vector<GroupView> groups;
};

std::string zone_label(std::string_view zone) { return label("AvailabilityZone", zone); }

GroupView view_of(const LoadBalancer& balancer, const ServedGroup& group, const BalancerReport& report) {
  GroupView view{
      &report.group(group.name()), label("TargetGroup", group.log_name()), {}, {}, balancer.zone_states(group)};
  for (const TargetStatus& one : group.group().status()) {
    view.hosts.count(one);
    const bool unused = one.health.state == TargetState::kUnused || one.health.state == TargetState::kDraining;
    if (!in_every_zone(one.spec.zone) && !unused) view.hosts_of_zones[one.spec.zone].count(one);
  }
  return view;
}

std::vector<BalancerView> views_of(const Node& node, const NodeReport& report) {
  std::vector<BalancerView> views;
  for (const auto& balancer : node.load_balancers()) {
    const BalancerReport& counted = report.balancer(balancer->name());
    BalancerView& view = views.emplace_back(BalancerView{&counted, label("LoadBalancer", balancer->log_name()), {}});
    for (const auto& group : balancer->groups()) view.groups.push_back(view_of(*balancer, *group, counted));
  }
  return views;
}

/// Writes a metric in the sets of dimensions that CloudWatch has it in. L: LoadBalancer, T: TargetGroup, A: the zone.
class Page {
 public:
  Page(std::string& out, const Node& node, const NodeReport& report) : out_(out), views_(views_of(node, report)) {
    if (!node.config().zone.empty()) zone_ = zone_label(node.config().zone);
  }

  /// {L}
  template <class Value>
  void whole_balancer(const Metric& metric, Value value) {
    Family family(out_, metric);
    for (const BalancerView& one : views_) family.sample(one.label, value(*one.report));
  }
  /// {A, L}; without A where there is none
  template <class Value>
  void balancer_in_zone(const Metric& metric, Value value) {
    Family family(out_, metric);
    for (const BalancerView& one : views_) family.sample(join_labels({zone_, one.label}), value(*one.report));
  }
  /// {L} {A, L}
  template <class Value>
  void balancer(const Metric& metric, Value value) {
    Family family(out_, metric);
    for (const BalancerView& one : views_) in_both(family, one.label, value(*one.report));
  }
  /// {L} {A, L} {T, L} {A, T, L}: what the groups add up
  template <class Value>
  void traffic(const Metric& metric, Value value) {
    Family family(out_, metric);
    for (const BalancerView& one : views_) {
      in_both(family, one.label, value(one.report->totals));
      for (const GroupView& group : one.groups) {
        in_both(family, join_labels({one.label, group.label}), value(group.report->totals));
      }
    }
  }
  /// {T, L} {A, T, L}
  template <class Value>
  void group(const Metric& metric, Value value) {
    Family family(out_, metric);
    for_each_group([&](const std::string& labels, const GroupView& group) { in_both(family, labels, value(group)); });
  }
  /// {T, L} {A, T, L}: the zones are the targets' own.
  void hosts(const Metric& metric, std::size_t HostCounts::*count) {
    Family family(out_, metric);
    for_each_group([&](const std::string& labels, const GroupView& group) {
      family.sample(labels, group.hosts.*count);
      for (const auto& [zone, hosts] : group.hosts_of_zones) {
        family.sample(join_labels({zone_label(zone), labels}), hosts.*count);
      }
    });
  }
  /// {T, L} {A, T, L}: in how many zones a state is `wanted`.
  void zones(const Metric& metric, bool ZoneStates::*state, bool wanted) {
    Family family(out_, metric);
    for_each_group([&](const std::string& labels, const GroupView& group) {
      std::size_t count = 0;
      for (const ZoneStates& one : group.states) count += one.*state == wanted ? 1 : 0;
      family.sample(labels, count);
      for (const ZoneStates& one : group.states) {
        if (one.zone.empty()) continue;
        family.sample(join_labels({zone_label(one.zone), labels}), one.*state == wanted ? 1 : 0);
      }
    });
  }
  /// {T} {A, T} {T, L} {A, T, L}. Here load balancers may have groups of one name, which {T} adds up.
  void requests_per_target(const Metric& metric) {
    Family family(out_, metric);
    std::map<std::string, double> by_group;
    const auto count = [&](const std::string& labels, const GroupView& group, bool in_zone) {
      const double value = in_zone ? group.report->requests_per_target_of_zone : group.report->requests_per_target;
      family.sample(join_labels({in_zone ? zone_ : "", labels}), value);
      by_group[join_labels({in_zone ? zone_ : "", group.label})] += value;
    };
    for_each_group([&](const std::string& labels, const GroupView& group) {
      count(labels, group, false);
      if (!zone_.empty()) count(labels, group, true);
    });
    for (const auto& [labels, value] : by_group) family.sample(labels, value);
  }

 private:
  template <class Value>
  void in_both(Family& family, std::string_view labels, const Value& value) {
    family.sample(labels, value);
    if (!zone_.empty()) family.sample(join_labels({zone_, labels}), value);
  }
  template <class Function>
  void for_each_group(Function function) {
    for (const BalancerView& one : views_) {
      for (const GroupView& group : one.groups) function(join_labels({one.label, group.label}), group);
    }
  }

  std::string& out_;
  std::vector<BalancerView> views_;
  std::string zone_;
};

void append_connections(Page& page) {
  page.balancer({"ActiveConnectionCount", "gauge", "Open connections of clients and to targets."},
                [](const BalancerReport& b) { return b.connections + b.totals.connections; });
  page.balancer(
      {"NewConnectionCount", "counter", "Connections made by clients and to targets."},
      [](const BalancerReport& b) { return b.counters.connections_accepted + b.totals.targets.connections_opened; });
  page.balancer({"RejectedConnectionCount", "counter", "Connections turned away because a listener's queue was full."},
                [](const BalancerReport& b) { return b.connections_rejected; });
  page.balancer({"ProcessedBytes", "counter", "Bytes of requests and of responses, heads included."},
                [](const BalancerReport& b) { return b.counters.received_bytes + b.counters.sent_bytes; });
  page.balancer({"IPv6ProcessedBytes", "counter", "Those of clients that came by IPv6."},
                [](const BalancerReport& b) { return b.counters.ipv6_bytes; });
  page.balancer({"IPv6RequestCount", "counter", "Requests of clients that came by IPv6."},
                [](const BalancerReport& b) { return b.counters.ipv6_requests; });
}

void append_own_answers(Page& page) {
  const auto answers = [&](std::string_view name, std::string_view help, std::size_t first, std::size_t last) {
    page.balancer({name, "counter", help},
                  [=](const BalancerReport& b) { return b.counters.own_responses(first, last); });
  };
  answers("HTTPCode_ELB_3XX_Count", "Redirects of the load balancer's own.", 300, 399);
  answers("HTTPCode_ELB_4XX_Count", "Answers of the load balancer's own with 4xx, and 460.", 400, 499);
  answers("HTTPCode_ELB_5XX_Count", "Answers of the load balancer's own with 5xx.", 500, 599);
  answers("HTTPCode_ELB_500_Count", "Those with 500.", 500, 500);
  answers("HTTPCode_ELB_502_Count", "Those with 502.", 502, 502);
  answers("HTTPCode_ELB_503_Count", "Those with 503.", 503, 503);
  answers("HTTPCode_ELB_504_Count", "Those with 504.", 504, 504);
}

void append_rules_and_headers(Page& page) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t LoadBalancerCounters::*count) {
    page.balancer({name, "counter", help}, [=](const BalancerReport& b) { return b.counters.*count; });
  };
  counter("HTTP_Redirect_Count", "Redirect actions that were carried out.", &LoadBalancerCounters::redirects);
  counter("HTTP_Redirect_Url_Limit_Exceeded_Count", "Redirect actions whose URL would be longer than 8 K.",
          &LoadBalancerCounters::redirects_too_long);
  counter("HTTP_Fixed_Response_Count", "Fixed-response actions that were carried out.",
          &LoadBalancerCounters::fixed_responses);
  counter("DesyncMitigationMode_NonCompliant_Request_Count", "Requests that do not comply with RFC 7230.",
          &LoadBalancerCounters::desync_non_compliant);
  counter("NonStickyRequestCount", "Requests to sticky target groups whose target no cookie had named.",
          &LoadBalancerCounters::non_sticky);
  counter("AppCookieNonStickinessCount", "Those of them that came with the application's cookie.",
          &LoadBalancerCounters::app_cookie_non_sticky);
  page.whole_balancer({"RuleEvaluations", "counter", "Rules that were asked, default ones not counted."},
                      [](const BalancerReport& b) { return b.counters.rule_evaluations; });
  page.balancer_in_zone(
      {"DroppedInvalidHeaderRequestCount", "counter", "Requests routed without some header whose name is not valid."},
      [](const BalancerReport& b) { return b.counters.dropped_invalid_header; });
  page.balancer_in_zone(
      {"ForwardedInvalidHeaderRequestCount", "counter", "Requests routed with a header whose name is not valid."},
      [](const BalancerReport& b) { return b.counters.forwarded_invalid_header; });
}

void append_target_traffic(Page& page) {
  page.traffic({"RequestCount", "counter", "Requests for which a target was chosen."},
               [](const GroupTotals& t) { return t.targets.requests; });
  constexpr std::string_view kClasses[] = {"HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count",
                                           "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"};
  for (std::size_t i = 0; i < std::size(kClasses); ++i) {
    page.traffic({kClasses[i], "counter", "Responses of targets, by the class of their status."},
                 [=](const GroupTotals& t) { return t.targets.status_class[i + 1]; });
  }
  page.traffic({"TargetConnectionErrorCount", "counter", "Connections to targets that were not made."},
               [](const GroupTotals& t) { return t.targets.connection_errors; });
  page.traffic({"TargetResponseTime", "histogram", "Seconds from a request's leaving to the head of its response."},
               [](const GroupTotals& t) -> const LatencyHistogram& { return t.latencies.first_byte; });
  page.requests_per_target(
      {"RequestCountPerTarget", "counter", "Requests, each as its share among the healthy targets of its time."});
  page.group({"UnhealthyRoutingRequestCount", "counter", "Requests routed while too few targets were healthy."},
             [](const GroupView& view) { return view.report->unhealthy_routing_requests; });
}

void append_hosts(Page& page) {
  page.hosts({"HealthyHostCount", "gauge", "Healthy targets."}, &HostCounts::healthy);
  page.hosts({"UnHealthyHostCount", "gauge", "Unhealthy targets."}, &HostCounts::unhealthy);
  page.hosts({"AnomalousHostCount", "gauge", "Targets that fail more than their peers."}, &HostCounts::anomalous);
  page.hosts({"MitigatedHostCount", "gauge", "Targets that get less because of it."}, &HostCounts::mitigated);
  page.hosts({"ActiveZonalShiftHostCount", "gauge", "Targets that a zonal shift keeps requests from."},
             &HostCounts::shifted);
  page.zones({"HealthyStateDNS", "gauge", "Zones with enough healthy targets for DNS."}, &ZoneStates::healthy_dns,
             true);
  page.zones({"UnhealthyStateDNS", "gauge", "Zones with too few."}, &ZoneStates::healthy_dns, false);
  page.zones({"HealthyStateRouting", "gauge", "Zones with enough healthy targets to route to no others."},
             &ZoneStates::healthy_routing, true);
  page.zones({"UnhealthyStateRouting", "gauge", "Zones with too few, where all targets are routed to."},
             &ZoneStates::healthy_routing, false);
}

}  // namespace

void append_cloudwatch_metrics(std::string& out, const Node& node, const NodeReport& report) {
  Page page(out, node, report);
  append_connections(page);
  append_own_answers(page);
  append_rules_and_headers(page);
  append_target_traffic(page);
  append_hosts(page);
}

std::string metrics_text(const Node& node, const NodeReport& report) {
  std::string out;
  append_cloudwatch_metrics(out, node, report);
  append_own_metrics(out, node, report);
  return out;
}

}  // namespace rr
