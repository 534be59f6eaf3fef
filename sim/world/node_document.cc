#include "sim/world/node_document.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "lb/document/settings_document.h"

namespace rr::sim {

namespace {

using Json = nlohmann::ordered_json;

Json group_json(const TargetGroupSettings& group, const ConfigureNode& wanted,
                const std::function<Address(const TargetSpec&)>& wire_of) {
  Json targets = Json::array();
  for (const auto& target : wanted.targets.of(group.name)) {
    targets.push_back({{"id", target->id},
                       {"address", format_address(target->address)},
                       {"wire", format_address(wire_of(*target))},
                       {"zone", target->zone}});
  }
  Json json = to_json(group);
  json["targets"] = std::move(targets);
  return json;
}

/// A port for the zonal listener that no other listener has: two may not have the same.
std::uint16_t distinct_port(const std::vector<ListenerSettings>& listeners, std::uint16_t port) {
  const auto taken = [&](std::uint16_t wished) {
    return wished == 0 || std::any_of(listeners.begin(), listeners.end(),
                                      [wished](const ListenerSettings& one) { return one.port == wished; });
  };
  while (taken(port)) ++port;
  return port;
}

Json listeners_json(const ConfigureNode& wanted, const NodeSockets& sockets) {
  Json json = Json::array();
  const auto& listeners = wanted.load_balancer.listeners;
  if (listeners.empty()) return json;
  // The tier has one front and so one listener that it is for; further listeners have no socket yet.
  for (std::size_t index = 0; index < listeners.size(); ++index) {
    Json inherited = Json::array();
    if (index == 0) inherited.push_back(sockets.front);
    Json listener = to_json(listeners[index]);
    listener["sockets"] = std::move(inherited);
    listener["accepting"] = wanted.accepting;
    json.push_back(std::move(listener));
  }
  ListenerSettings zonal = listeners[0];
  zonal.name += "-zonal";
  zonal.port = distinct_port(listeners, sockets.zonal_port);
  Json listener = to_json(zonal);
  listener["sockets"] = Json::array({sockets.zonal});
  listener["accepting"] = true;
  json.push_back(std::move(listener));
  return json;
}

/// The status in "Health checks failed with these codes: [503]"; 0 when there is none.
int status_in(const std::string& description) {
  const std::size_t bracket = description.rfind('[');
  int status = 0;
  if (bracket == std::string::npos) return 0;
  std::from_chars(description.data() + bracket + 1, description.data() + description.size(), status);
  return status;
}

std::string text_of(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

const nlohmann::json& list_of(const nlohmann::json& json, const char* key) {
  static const nlohmann::json kNone = nlohmann::json::array();
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : kNone;
}

std::optional<TargetHealthReported::Target> parse_target(const nlohmann::json& json) {
  if (!json.is_object()) return std::nullopt;
  TargetHealthReported::Target target;
  target.id = text_of(json, "id");
  target.port = static_cast<std::uint16_t>(number_of(json, "port"));
  const auto state = parse_target_state(text_of(json, "state"));
  if (target.id.empty() || !state) return std::nullopt;
  const std::string reason = text_of(json, "reason");
  target.health.state = *state;
  target.health.reason = parse_target_reason(reason).value_or(TargetReason::kNone);
  target.health.last_status = status_in(text_of(json, "description"));
  return target;
}

}  // namespace

std::string desired_document(const ConfigureNode& wanted, std::uint64_t generation, const NodeSockets& sockets,
                             const std::function<Address(const TargetSpec&)>& wire_of) {
  const LoadBalancerSettings& balancer = wanted.load_balancer;
  Json groups = Json::array();
  for (const TargetGroupSettings& group : balancer.target_groups) groups.push_back(group_json(group, wanted, wire_of));
  Json json = to_json(balancer, Secrets::kWritten);
  json["listeners"] = listeners_json(wanted, sockets);
  json["target_groups"] = std::move(groups);
  return Json{{"generation", generation}, {"zone", wanted.zone}, {"load_balancers", Json::array({std::move(json)})}}
      .dump();
}

std::optional<Observation> parse_observation(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("generation")) return std::nullopt;
  Observation seen;
  seen.generation = number_of(json, "generation");
  seen.drains_cursor = number_of(json, "drains_cursor");
  for (const auto& balancer : list_of(json, "load_balancers")) {
    for (const auto& group : list_of(balancer, "target_groups")) {
      for (const auto& one : list_of(group, "targets")) {
        if (auto target = parse_target(one)) seen.targets.push_back(std::move(*target));
      }
    }
  }
  for (const auto& drain : list_of(json, "drains")) seen.drained.push_back(text_of(drain, "id"));
  return seen;
}

}  // namespace rr::sim
