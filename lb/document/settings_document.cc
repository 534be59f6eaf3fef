#include "lb/document/settings_document.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

// ----------------------------------------------------------------------------------------------- target groups

void read_minimum(MapReader& outer, const char* key, MinimumHealthyTargets& out) {
  outer.map(key, [&](MapReader& map) {
    map.number_or_off("minimum_healthy_targets_count", out.count);
    map.number_or_off("minimum_healthy_targets_percentage", out.percentage);
  });
}

Json off_or_number(const std::optional<int>& number) { return number ? Json(*number) : Json("off"); }

Json minimum_to_json(const MinimumHealthyTargets& minimum) {
  return {{"minimum_healthy_targets_count", off_or_number(minimum.count)},
          {"minimum_healthy_targets_percentage", off_or_number(minimum.percentage)}};
}

void read_stickiness(MapReader& map, Stickiness& out) {
  map.boolean("enabled", out.enabled);
  map.choice("type", parse_stickiness_type, "lb_cookie or app_cookie", out.type);
  map.duration("lb_cookie_duration", out.lb_cookie_duration);
  map.duration("app_cookie_duration", out.app_cookie_duration);
  map.text("app_cookie_name", out.app_cookie_name);
}

Json stickiness_to_json(const Stickiness& stickiness) {
  return {{"enabled", stickiness.enabled},
          {"type", to_string(stickiness.type)},
          {"lb_cookie_duration", format_duration(stickiness.lb_cookie_duration)},
          {"app_cookie_duration", format_duration(stickiness.app_cookie_duration)},
          {"app_cookie_name", stickiness.app_cookie_name}};
}

// ----------------------------------------------------------------------------------------------------- actions

ForwardAction read_forward(MapReader& map) {
  ForwardAction action;
  map.require("target_groups");
  map.list("target_groups", [&](const Document& item, const std::string& path) {
    ForwardTarget target;
    if (item.kind == Document::Kind::kText) {
      target.target_group = item.text;
    } else {
      MapReader inner(map, item, path);
      inner.require("target_group");
      inner.text("target_group", target.target_group);
      inner.number("weight", target.weight);
    }
    action.target_groups.push_back(std::move(target));
  });
  map.map("stickiness", [&](MapReader& inner) {
    inner.boolean("enabled", action.stickiness.enabled);
    inner.duration("duration", action.stickiness.duration);
  });
  return action;
}

RedirectAction read_redirect(MapReader& map) {
  RedirectAction action;
  map.number("status", action.status);
  map.text("protocol", action.protocol);
  map.text("host", action.host);
  map.text("port", action.port);
  map.text("path", action.path);
  map.text("query", action.query);
  return action;
}

FixedResponseAction read_fixed_response(MapReader& map) {
  FixedResponseAction action;
  map.number("status", action.status);
  map.text("content_type", action.content_type);
  map.text("body", action.body);
  return action;
}

Json forward_to_json(const ForwardAction& action) {
  Json groups = Json::array();
  for (const ForwardTarget& target : action.target_groups) {
    groups.push_back({{"target_group", target.target_group}, {"weight", target.weight}});
  }
  Json json{{"type", "forward"}, {"target_groups", std::move(groups)}};
  if (action.stickiness != TargetGroupStickiness{}) {
    json["stickiness"] = {{"enabled", action.stickiness.enabled},
                          {"duration", format_duration(action.stickiness.duration)}};
  }
  return json;
}

// ------------------------------------------------------------------------------------------------------- rules

/// The lists of the kinds of conditions that take either wildcards or regular expressions.
template <class Condition>
Condition read_patterns(MapReader& map) {
  Condition condition;
  map.texts("values", condition.values);
  map.texts("regex_values", condition.regex_values);
  return condition;
}

QueryStringCondition read_query_string(MapReader& map) {
  QueryStringCondition condition;
  map.list("values", [&](const Document& item, const std::string& path) {
    QueryStringValue value;
    if (item.kind == Document::Kind::kMap) {
      MapReader inner(map, item, path);
      std::string key;
      if (inner.get("key") != nullptr) {
        inner.text("key", key);
        value.key = key;
      }
      inner.require("value");
      inner.text("value", value.value);
    } else if (MapReader::is_scalar(item)) {
      value.value = item.text;
    } else {
      map.complain(path, item, "write text, or a map of key and value");
    }
    condition.values.push_back(std::move(value));
  });
  return condition;
}

constexpr const char* kConditionFields =
    "host-header, path-pattern, http-header, http-request-method, query-string or source-ip";

RuleCondition read_condition(MapReader& map) {
  std::string field;
  const Document* named = map.require("field");
  map.text("field", field);
  if (field == "path-pattern") return read_patterns<PathPatternCondition>(map);
  if (field == "http-header") {
    auto condition = read_patterns<HttpHeaderCondition>(map);
    map.require("name");
    map.text("name", condition.name);
    return condition;
  }
  if (field == "http-request-method") {
    HttpRequestMethodCondition condition;
    map.texts("values", condition.values);
    return condition;
  }
  if (field == "query-string") return read_query_string(map);
  if (field == "source-ip") {
    SourceIpCondition condition;
    map.texts("values", condition.values);
    return condition;
  }
  if (field != "host-header" && named != nullptr) {
    map.complain(map.key_path("field"), *named, fmt::format("'{}': {}", field, kConditionFields));
  }
  return read_patterns<HostHeaderCondition>(map);
}

Json condition_to_json(const RuleCondition& any) {
  Json json;
  const auto patterns = [&](const char* field, const auto& condition) {
    json["field"] = field;
    if (!condition.values.empty()) json["values"] = condition.values;
    if (!condition.regex_values.empty()) json["regex_values"] = condition.regex_values;
  };
  if (const auto* host = std::get_if<HostHeaderCondition>(&any)) patterns("host-header", *host);
  if (const auto* path = std::get_if<PathPatternCondition>(&any)) patterns("path-pattern", *path);
  if (const auto* header = std::get_if<HttpHeaderCondition>(&any)) {
    patterns("http-header", *header);
    json["name"] = header->name;
  }
  if (const auto* method = std::get_if<HttpRequestMethodCondition>(&any)) {
    json = {{"field", "http-request-method"}, {"values", method->values}};
  }
  if (const auto* source = std::get_if<SourceIpCondition>(&any)) {
    json = {{"field", "source-ip"}, {"values", source->values}};
  }
  if (const auto* query = std::get_if<QueryStringCondition>(&any)) {
    Json values = Json::array();
    for (const QueryStringValue& value : query->values) {
      Json pair;
      if (value.key) pair["key"] = *value.key;
      pair["value"] = value.value;
      values.push_back(std::move(pair));
    }
    json = {{"field", "query-string"}, {"values", std::move(values)}};
  }
  return json;
}

void read_rewrite(MapReader& outer, const char* key, std::optional<Rewrite>& out) {
  outer.map(key, [&](MapReader& map) {
    Rewrite rewrite;
    map.require("regex");
    map.text("regex", rewrite.regex);
    map.require("replace");
    map.text("replace", rewrite.replace);
    out = std::move(rewrite);
  });
}

RuleSettings read_rule(MapReader& map) {
  RuleSettings rule;
  map.require("priority");
  map.number("priority", rule.priority);
  map.require("conditions");
  map.list("conditions", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    rule.conditions.push_back(read_condition(inner));
  });
  map.require("action");
  map.map("action", [&](MapReader& inner) { rule.action = read_action(inner); });
  read_rewrite(map, "host_header_rewrite", rule.host_header_rewrite);
  read_rewrite(map, "url_rewrite", rule.url_rewrite);
  return rule;
}

Json rule_to_json(const RuleSettings& rule) {
  Json conditions = Json::array();
  for (const RuleCondition& condition : rule.conditions) conditions.push_back(condition_to_json(condition));
  Json json{{"priority", rule.priority}, {"conditions", std::move(conditions)}, {"action", to_json(rule.action)}};
  const auto rewrite = [&](const char* key, const std::optional<Rewrite>& one) {
    if (one) json[key] = {{"regex", one->regex}, {"replace", one->replace}};
  };
  rewrite("host_header_rewrite", rule.host_header_rewrite);
  rewrite("url_rewrite", rule.url_rewrite);
  return json;
}

}  // namespace

void read_fields(MapReader& map, HealthCheck& out) {
  map.text("path", out.path);
  if (const Document* port = map.get("port"); port != nullptr && port->text != "traffic-port") {
    std::uint16_t number = 0;
    map.read_number("port", *port, number);
    out.port = number;
  }
  map.duration("interval", out.interval);
  map.duration("timeout", out.timeout);
  map.number("healthy_threshold", out.healthy_threshold);
  map.number("unhealthy_threshold", out.unhealthy_threshold);
  if (map.get("initial_unhealthy_threshold") != nullptr) {
    map.number("initial_unhealthy_threshold", out.initial_unhealthy_threshold.emplace());
  }
  map.parsed(
      "matcher", [](const std::string& text) { return Matcher::parse(text); }, out.matcher);
  map.boolean("unrestricted", out.unrestricted);
}

void read_fields(MapReader& map, TargetGroupSettings& out) {
  map.require("name");
  map.text("name", out.name);
  map.map("health_check", [&](MapReader& inner) { read_fields(inner, out.health_check); });
  map.duration("deregistration_delay", out.deregistration_delay);
  map.choice("algorithm", parse_algorithm, "round_robin, least_outstanding_requests or weighted_random", out.algorithm);
  map.boolean("anomaly_mitigation", out.anomaly_mitigation);
  if (map.get("cross_zone") != nullptr) {
    bool cross_zone = true;
    map.boolean("cross_zone", cross_zone);
    out.cross_zone = cross_zone;
  }
  map.duration("slow_start", out.slow_start);
  map.number("slow_start_floor_percent", out.slow_start_floor_percent);
  map.map("stickiness", [&](MapReader& inner) { read_stickiness(inner, out.stickiness); });
  read_minimum(map, "dns_failover", out.dns_failover);
  read_minimum(map, "unhealthy_state_routing", out.unhealthy_state_routing);
  map.boolean("unrestricted", out.unrestricted);
}

void read_fields(MapReader& map, ListenerSettings& out) {
  map.text("name", out.name);
  map.number("port", out.port);
  map.list("rules", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    out.rules.push_back(read_rule(inner));
  });
  map.boolean("server_header", out.server_header);
  map.map("inserted_headers", [&](MapReader& inner) {
    for (std::size_t i = 0; i < kInsertedHeaders.size(); ++i) {
      inner.text(kInsertedHeaders[i].data(), out.inserted_headers[i]);
    }
  });
  map.require("default_action");
  map.map("default_action", [&](MapReader& inner) { out.default_action = read_action(inner); });
}

void read_fields(MapReader& map, LoadBalancerSettings& out) {
  map.text("name", out.name);
  map.duration("idle_timeout", out.idle_timeout);
  map.duration("client_keep_alive", out.client_keep_alive);
  map.duration("connect_timeout", out.connect_timeout);
  map.choice("desync_mitigation_mode", parse_desync_mode, "monitor, defensive or strictest",
             out.desync_mitigation_mode);
  map.boolean("drop_invalid_header_fields", out.drop_invalid_header_fields);
  map.boolean("preserve_host_header", out.preserve_host_header);
  map.boolean("xff_client_port", out.xff_client_port);
  map.choice("xff_header_processing", parse_xff_mode, "append, preserve or remove", out.xff_header_processing);
  map.texts("availability_zones", out.availability_zones);
  map.boolean("zonal_shift_enabled", out.zonal_shift_enabled);
  map.map("zonal_shift", [&](MapReader& inner) {
    ZonalShift shift;
    inner.require("zone");
    inner.text("zone", shift.zone);
    inner.require("expires");
    inner.parsed(
        "expires", [](const std::string& text) { return parse_iso8601(text); }, shift.expires);
    out.zonal_shift = std::move(shift);
  });
  map.duration("network_delay_same_zone", out.network_delay_same_zone);
  map.duration("network_delay_cross_zone", out.network_delay_cross_zone);
  map.duration("propagation_delay", out.propagation_delay);
  map.number("oversized_head_status", out.oversized_head_status);
  map.number("unknown_coding_status", out.unknown_coding_status);
  map.boolean("answer_silent_clients", out.answer_silent_clients);
  map.boolean("replace_forwarded_proto", out.replace_forwarded_proto);
  map.number("maximum_idle_connections", out.maximum_idle_connections);
  map.choice("explain", parse_explain_to, "nobody, loopback or everyone", out.explain);
  map.text("cookie_key", out.cookie_key);
  map.boolean("unrestricted", out.unrestricted);
}

void read_whole(MapReader& map, LoadBalancerSettings& out) {
  read_fields(map, out);
  map.list("listeners", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    read_fields(inner, out.listeners.emplace_back());
  });
  map.list("target_groups", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    read_fields(inner, out.target_groups.emplace_back());
  });
}

RuleAction read_action(MapReader& map) {
  std::string type = "forward";
  const Document* named = map.get("type");
  map.text("type", type);
  if (type == "redirect") return read_redirect(map);
  if (type == "fixed-response") return read_fixed_response(map);
  if (type == "forward") return read_forward(map);
  map.complain(map.key_path("type"), *named, fmt::format("'{}': forward, redirect or fixed-response", type));
  // Of which type its other keys were is not known.
  for (const auto& [key, value] : map.document().members) map.get(key.c_str());
  return ForwardAction{};
}

Json to_json(const HealthCheck& check) {
  Json json{{"path", check.path}};
  if (check.port) json["port"] = *check.port;
  json["interval"] = format_duration(check.interval);
  json["timeout"] = format_duration(check.timeout);
  json["healthy_threshold"] = check.healthy_threshold;
  json["unhealthy_threshold"] = check.unhealthy_threshold;
  if (check.initial_unhealthy_threshold) json["initial_unhealthy_threshold"] = *check.initial_unhealthy_threshold;
  json["matcher"] = check.matcher.text();
  json["unrestricted"] = check.unrestricted;
  return json;
}

Json to_json(const TargetGroupSettings& group) {
  Json json{{"name", group.name},
            {"health_check", to_json(group.health_check)},
            {"deregistration_delay", format_duration(group.deregistration_delay)},
            {"algorithm", to_string(group.algorithm)},
            {"anomaly_mitigation", group.anomaly_mitigation}};
  if (group.cross_zone) json["cross_zone"] = *group.cross_zone;
  json["slow_start"] = format_duration(group.slow_start);
  json["slow_start_floor_percent"] = group.slow_start_floor_percent;
  json["stickiness"] = stickiness_to_json(group.stickiness);
  json["dns_failover"] = minimum_to_json(group.dns_failover);
  json["unhealthy_state_routing"] = minimum_to_json(group.unhealthy_state_routing);
  json["unrestricted"] = group.unrestricted;
  return json;
}

Json to_json(const ListenerSettings& listener) {
  Json json{{"name", listener.name}, {"port", listener.port}, {"default_action", to_json(listener.default_action)}};
  if (!listener.rules.empty()) {
    Json rules = Json::array();
    for (const RuleSettings& rule : listener.rules) rules.push_back(rule_to_json(rule));
    json["rules"] = std::move(rules);
  }
  json["server_header"] = listener.server_header;
  Json inserted = Json::object();
  for (std::size_t i = 0; i < kInsertedHeaders.size(); ++i) {
    if (!listener.inserted_headers[i].empty()) {
      inserted[std::string(kInsertedHeaders[i])] = listener.inserted_headers[i];
    }
  }
  if (!inserted.empty()) json["inserted_headers"] = std::move(inserted);
  return json;
}

Json to_json(const LoadBalancerSettings& balancer, Secrets secrets) {
  Json json{{"name", balancer.name},
            {"idle_timeout", format_duration(balancer.idle_timeout)},
            {"client_keep_alive", format_duration(balancer.client_keep_alive)},
            {"connect_timeout", format_duration(balancer.connect_timeout)},
            {"desync_mitigation_mode", to_string(balancer.desync_mitigation_mode)},
            {"drop_invalid_header_fields", balancer.drop_invalid_header_fields},
            {"preserve_host_header", balancer.preserve_host_header},
            {"xff_client_port", balancer.xff_client_port},
            {"xff_header_processing", to_string(balancer.xff_header_processing)},
            {"zonal_shift_enabled", balancer.zonal_shift_enabled}};
  if (!balancer.availability_zones.empty()) json["availability_zones"] = balancer.availability_zones;
  if (balancer.zonal_shift) {
    json["zonal_shift"] = {{"zone", balancer.zonal_shift->zone},
                           {"expires", format_iso8601(balancer.zonal_shift->expires, 9)}};
  }
  json["network_delay_same_zone"] = format_duration(balancer.network_delay_same_zone);
  json["network_delay_cross_zone"] = format_duration(balancer.network_delay_cross_zone);
  json["propagation_delay"] = format_duration(balancer.propagation_delay);
  json["oversized_head_status"] = balancer.oversized_head_status;
  json["unknown_coding_status"] = balancer.unknown_coding_status;
  json["answer_silent_clients"] = balancer.answer_silent_clients;
  json["replace_forwarded_proto"] = balancer.replace_forwarded_proto;
  json["maximum_idle_connections"] = balancer.maximum_idle_connections;
  json["explain"] = to_string(balancer.explain);
  if (secrets == Secrets::kWritten && !balancer.cookie_key.empty()) json["cookie_key"] = balancer.cookie_key;
  json["unrestricted"] = balancer.unrestricted;
  return json;
}

Json whole_to_json(const LoadBalancerSettings& balancer) {
  Json json = to_json(balancer, Secrets::kWritten);
  json["listeners"] = Json::array();
  for (const ListenerSettings& listener : balancer.listeners) json["listeners"].push_back(to_json(listener));
  json["target_groups"] = Json::array();
  for (const TargetGroupSettings& group : balancer.target_groups) json["target_groups"].push_back(to_json(group));
  return json;
}

Json to_json(const RuleAction& action) {
  if (const auto* fixed = std::get_if<FixedResponseAction>(&action)) {
    return {{"type", "fixed-response"},
            {"status", fixed->status},
            {"content_type", fixed->content_type},
            {"body", fixed->body}};
  }
  if (const auto* redirect = std::get_if<RedirectAction>(&action)) {
    return {{"type", "redirect"},      {"status", redirect->status}, {"protocol", redirect->protocol},
            {"host", redirect->host},  {"port", redirect->port},     {"path", redirect->path},
            {"query", redirect->query}};
  }
  return forward_to_json(*std::get_if<ForwardAction>(&action));
}

}  // namespace rr
