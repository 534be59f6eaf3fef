#include "sim/telemetry/metric_reduction.h"

#include <nlohmann/json.hpp>

namespace rr::sim {
namespace {

using Json = nlohmann::json;

const Json& list_of(const Json& json, const char* key) {
  static const Json kNone = Json::array();
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : kNone;
}

std::uint64_t count_of(const Json& json) { return json.is_number_unsigned() ? json.get<std::uint64_t>() : 0; }

void add_balancer(const Json& balancer, NodeCounters& counters) {
  for (const Json& group : list_of(balancer, "target_groups")) {
    for (const Json& target : list_of(group, "targets")) {
      if (!target.is_object() || !target.contains("id") || !target.contains("requests")) continue;
      counters.requests_by_target[target["id"].get<std::string>()] += count_of(target["requests"]);
    }
  }
  const auto totals = balancer.find("counters");
  if (totals == balancer.end() || !totals->is_object() || !totals->contains("own_responses")) return;
  for (const auto& [status, count] : (*totals)["own_responses"].items()) {
    if (status.starts_with('5')) counters.own_5xx += count_of(count);
  }
}

std::optional<double> unless_zero(std::uint64_t count) {
  return count == 0 ? std::nullopt : std::optional(static_cast<double>(count));
}

struct Hosts {
  int in_service = 0;
  int healthy = 0;
};

Hosts hosts_of(const RegionState& region, const std::string& group) {
  Hosts hosts;
  for (const auto& [id, instance] : region.instances) {
    if (instance.group != group || instance.lifecycle != LifecycleState::kInService) continue;
    ++hosts.in_service;
    const auto health = region.target_health.find(id);
    const bool healthy = health != region.target_health.end() && health->second.health.state == TargetState::kHealthy;
    hosts.healthy += healthy ? 1 : 0;
  }
  return hosts;
}

}  // namespace

std::optional<NodeCounters> parse_node_counters(const std::string& node, std::string_view observed) {
  const Json json = Json::parse(observed, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  NodeCounters counters;
  counters.node = node;
  for (const Json& balancer : list_of(json, "load_balancers")) {
    if (balancer.is_object()) add_balancer(balancer, counters);
  }
  return counters;
}

std::uint64_t MetricReduction::grown(const std::string& counter, std::uint64_t value) {
  std::uint64_t& before = seen_[counter];
  const std::uint64_t more = value >= before ? value - before : value;
  before = value;
  return more;
}

std::vector<MetricReported> MetricReduction::reduce(const RegionState& region, const std::vector<NodeCounters>& nodes) {
  std::map<std::string, std::uint64_t> requests;  // by group
  std::uint64_t own_5xx = 0;
  for (const NodeCounters& node : nodes) {
    own_5xx += grown(node.node, node.own_5xx);
    for (const auto& [target, count] : node.requests_by_target) {
      const std::uint64_t more = grown(node.node + "/" + target, count);
      const auto instance = region.instances.find(InstanceId(target));
      if (instance != region.instances.end()) requests[instance->second.group] += more;
    }
  }
  std::vector<MetricReported> metrics;
  for (const auto& [name, group] : region.groups) {
    const Hosts hosts = hosts_of(region, name);
    std::optional<double> per_target;
    if (hosts.in_service > 0) per_target = static_cast<double>(requests[name]) / hosts.in_service;
    metrics.push_back({name, Metric::kRequestCountPerTarget, per_target});
    metrics.push_back({name, Metric::kRequestCount, unless_zero(requests[name])});
    metrics.push_back({name, Metric::kElb5xxCount, unless_zero(own_5xx)});
    metrics.push_back({name, Metric::kHealthyHostCount, static_cast<double>(hosts.healthy)});
    metrics.push_back({name, Metric::kUnHealthyHostCount, static_cast<double>(hosts.in_service - hosts.healthy)});
  }
  return metrics;
}

}  // namespace rr::sim
