#include "lb/proxy/fault_report.h"

#include <nlohmann/json.hpp>

#include "lb/proxy/node.h"

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

Json error_json(const ErrorEntry& error) {
  Json json{{"time", format_iso8601(error.record.ended)},
            {"status", error.record.status},
            {"cause", to_string(error.record.cause)},
            {"explanation", error.explanation()},
            {"listener", error.listener},
            {"client", error.client},
            {"request", error.request_line},
            {"trace_id", error.trace_id}};
  if (!error.target_group.empty()) json["target_group"] = error.target_group;
  if (!error.target.empty()) json["target"] = error.target;
  if (error.record.target_status != 0) json["target_status"] = error.record.target_status;
  return json;
}

Json warning_json(const LoadBalancer& balancer, const ServedGroup& group, const TargetPool& pool,
                  const KeepAliveWatch& watch) {
  Json json{{"load_balancer", balancer.name()},
            {"target_group", group.name()},
            {"id", pool.spec().id},
            {"target", pool.text()},
            {"idle_timeout", format_duration(balancer.settings().idle_timeout)},
            {"early_closes", watch.early_closes()}};
  if (watch.shortest_idle()) json["shortest_idle"] = format_duration(*watch.shortest_idle());
  if (watch.last_early_close()) json["last_early_close"] = format_iso8601(*watch.last_early_close());
  if (watch.announced()) json["announced_keep_alive"] = format_duration(*watch.announced());
  json["warning"] = watch.warning(pool.text(), balancer.settings().idle_timeout);
  return json;
}

}  // namespace

Json errors_json(const NodeReport& report) {
  Json balancers = Json::array();
  for (const BalancerReport& balancer : report.balancers) {
    Json errors = Json::array();
    for (const ErrorEntry& one : balancer.errors) errors.push_back(error_json(one));
    balancers.push_back({{"name", balancer.name}, {"total", balancer.errors_total}, {"errors", std::move(errors)}});
  }
  return {{"load_balancers", std::move(balancers)}};
}

Json warnings_json(const Node& node, const NodeReport& report) {
  Json warnings = Json::array();
  for (const auto& balancer : node.load_balancers()) {
    for (const auto& group : balancer->groups()) {
      const GroupReport& counted = report.balancer(balancer->name()).group(group->name());
      for (const auto& pool : group->back_pool().pools()) {
        const TargetReport& target = counted.target(pool->spec().id, pool->spec().address.port);
        const Json warning = warning_json(*balancer, *group, *pool, target.keep_alive);
        if (warning["warning"] != "") warnings.push_back(warning);
      }
    }
  }
  return {{"warnings", std::move(warnings)}};
}

}  // namespace rr
