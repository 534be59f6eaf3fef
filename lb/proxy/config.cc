#include "lb/proxy/config.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "lb/proxy/document.h"

namespace rr {
namespace {

/// Reads the members of one map and complains about each that is wrong, missing or unknown.
class MapReader {
 public:
  MapReader(const Document& map, std::string path, std::string_view file, ConfigErrors& errors)
      : map_(map), path_(std::move(path)), file_(file), errors_(errors) {
    is_map_ = map.kind == Document::Kind::kMap;
    if (!is_map_)
      complain(path_.empty() ? "configuration" : path_, map, fmt::format("is {}: write a map", to_string(map.kind)));
  }
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;
  /// What nobody asked for is unknown; what comes twice could be meant either way.
  ~MapReader() {
    std::set<std::string_view> seen;
    for (const auto& [key, value] : map_.members) {
      if (!seen.insert(key).second) complain(key_path(key), value, "comes twice: write it once");
      if (known_.contains(key)) continue;
      complain(key_path(key), value, fmt::format("is not a key here: {}", fmt::join(known_, ", ")));
    }
  }

  const Document* get(const char* key) {
    known_.insert(key);
    return map_.member(key);
  }
  const Document* require(const char* key) {
    const Document* value = get(key);
    if (value == nullptr && is_map_) complain(key_path(key), map_, "is missing");
    return value;
  }

  void text(const char* key, std::string& out) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (!is_scalar(*value)) return wrong(key, *value, "write text");
    out = value->text;
  }
  void boolean(const char* key, bool& out) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (value->kind != Document::Kind::kBoolean) return wrong(key, *value, "write true or false");
    out = value->text == "true";
  }
  template <class Number>
  void number(const char* key, Number& out) {
    if (const Document* value = get(key)) read_number(key, *value, out);
  }
  void duration(const char* key, Duration& out) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (!is_scalar(*value)) return wrong(key, *value, "write seconds (10, 0.5) or a number with ms, s, m or h");
    const auto parsed = parse_duration(value->text);
    if (!parsed) return complain(key_path(key), *value, parsed.error().message);
    out = *parsed;
  }
  void list(const char* key, const std::function<void(const Document&, const std::string&)>& each) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (value->kind != Document::Kind::kList) return wrong(key, *value, "write a list");
    for (std::size_t i = 0; i < value->items.size(); ++i)
      each(value->items[i], fmt::format("{}[{}]", key_path(key), i));
  }
  /// A value of its own syntax.
  template <class Parse, class Out>
  void parsed(const char* key, Parse parse, Out& out) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (!is_scalar(*value)) return wrong(key, *value, "write text");
    auto result = parse(value->text);
    if (!result) return complain(key_path(key), *value, result.error().message);
    out = std::move(*result);
  }
  template <class Number>
  void read_number(const char* key, const Document& value, Number& out) {
    Number number{};
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (!is_scalar(value) || error != std::errc() || stop != end) return wrong(key, value, "write a whole number");
    out = number;
  }

  std::string key_path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }
  /// "file:line: key: what is wrong"
  void complain(const std::string& key, const Document& at, const std::string& what) {
    std::string place;
    if (!file_.empty()) place = at.line > 0 ? fmt::format("{}:{}: ", file_, at.line) : fmt::format("{}: ", file_);
    errors_.push_back(fmt::format("{}{}: {}", place, key, what));
  }
  std::string_view file() const { return file_; }
  ConfigErrors& errors() { return errors_; }

 private:
  static bool is_scalar(const Document& value) {
    return value.kind == Document::Kind::kText || value.kind == Document::Kind::kNumber ||
           value.kind == Document::Kind::kBoolean;
  }
  void wrong(const char* key, const Document& value, const char* right) {
    const std::string shown = is_scalar(value) ? "'" + value.text + "'" : std::string(to_string(value.kind));
    complain(key_path(key), value, fmt::format("{}: {}", shown, right));
  }

  const Document& map_;
  std::string path_;
  std::string_view file_;
  ConfigErrors& errors_;
  bool is_map_ = false;
  std::set<std::string, std::less<>> known_;
};

struct Place {
  std::string_view file;
  ConfigErrors& errors;
};

void read_health_check(const Document& document, const std::string& path, Place place, HealthCheck& out) {
  MapReader map(document, path, place.file, place.errors);
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
  map.parsed(
      "matcher", [](const std::string& text) { return Matcher::parse(text); }, out.matcher);
  map.boolean("unrestricted", out.unrestricted);
}

void read_target(const Document& document, const std::string& path, Place place, std::vector<TargetSpec>& out) {
  const auto read_address = [](const std::string& text) -> Result<Address> {
    const auto spec = parse_target(text);
    if (!spec) return spec.error();
    return spec->address;
  };
  if (document.kind == Document::Kind::kText) {
    auto spec = parse_target(document.text);
    if (spec) {
      out.push_back(std::move(*spec));
    } else {
      const std::string where = place.file.empty() ? "" : fmt::format("{}:{}: ", place.file, document.line);
      place.errors.push_back(fmt::format("{}{}: {}", where, path, spec.error().message));
    }
    return;
  }
  MapReader map(document, path, place.file, place.errors);
  TargetSpec spec;
  map.require("address");
  map.parsed("address", read_address, spec.address);
  spec.wire = spec.address;
  map.parsed("wire", read_address, spec.wire);
  spec.id = format_address(spec.address);
  map.text("id", spec.id);
  map.text("zone", spec.zone);
  out.push_back(std::move(spec));
}

void read_targets_of(MapReader& map, Place place, std::vector<TargetSpec>& out) {
  map.list("targets", [&](const Document& item, const std::string& path) { read_target(item, path, place, out); });
}

void read_target_group(const Document& document, const std::string& path, Place place, LoadBalancerConfig& out) {
  MapReader map(document, path, place.file, place.errors);
  TargetGroupSettings group;
  std::vector<TargetSpec> targets;
  map.require("name");
  map.text("name", group.name);
  if (const Document* check = map.get("health_check")) {
    read_health_check(*check, path + ".health_check", place, group.health_check);
  }
  map.duration("deregistration_delay", group.deregistration_delay);
  map.parsed(
      "algorithm",
      [](const std::string& text) -> Result<Algorithm> {
        const auto algorithm = parse_algorithm(text);
        if (!algorithm) return Error{fmt::format("'{}': round_robin or weighted_random", text)};
        return *algorithm;
      },
      group.algorithm);
  map.number("minimum_healthy_targets", group.minimum_healthy_targets);
  read_targets_of(map, place, targets);
  out.settings.target_groups.push_back(std::move(group));
  out.targets.push_back(std::move(targets));
}

ForwardAction read_forward(MapReader& map, Place place) {
  ForwardAction action;
  map.require("target_groups");
  map.list("target_groups", [&](const Document& item, const std::string& path) {
    ForwardTarget target;
    if (item.kind == Document::Kind::kText) {
      target.target_group = item.text;
    } else {
      MapReader inner(item, path, place.file, place.errors);
      inner.require("target_group");
      inner.text("target_group", target.target_group);
      inner.number("weight", target.weight);
    }
    action.target_groups.push_back(std::move(target));
  });
  return action;
}

RuleAction read_action(const Document& document, const std::string& path, Place place) {
  MapReader map(document, path, place.file, place.errors);
  std::string type = "forward";
  map.text("type", type);
  if (type == "forward") return read_forward(map, place);
  FixedResponseAction fixed;
  if (type != "fixed-response") {
    map.complain(path + ".type", document, fmt::format("'{}': forward or fixed-response", type));
  }
  map.number("status", fixed.status);
  map.text("content_type", fixed.content_type);
  map.text("body", fixed.body);
  return fixed;
}

void read_listener(const Document& document, const std::string& path, Place place, LoadBalancerConfig& out) {
  MapReader map(document, path, place.file, place.errors);
  ListenerSettings listener;
  ListenerBinding binding;
  map.text("name", listener.name);
  map.list("sockets", [&](const Document& item, const std::string& item_path) {
    auto endpoint = parse_endpoint(item.text);
    if (item.kind == Document::Kind::kText && endpoint) {
      binding.sockets.push_back(std::move(*endpoint));
    } else {
      map.complain(item_path, item, endpoint ? "write ADDRESS:PORT, unix:PATH or fd:N" : endpoint.error().message);
    }
  });
  map.boolean("accepting", binding.accepting);
  if (map.get("port") != nullptr) {
    map.number("port", listener.port);
  } else if (!binding.sockets.empty()) {
    binding.port_from_socket = true;
    const auto* address = std::get_if<Address>(&binding.sockets.front());
    if (address != nullptr && address->port != 0) listener.port = address->port;
  }
  if (const Document* action = map.require("default_action")) {
    listener.default_action = read_action(*action, path + ".default_action", place);
  }
  out.settings.listeners.push_back(std::move(listener));
  out.bindings.push_back(std::move(binding));
}

void read_load_balancer(const Document& document, const std::string& path, Place place, NodeConfig& out) {
  MapReader map(document, path, place.file, place.errors);
  LoadBalancerConfig config;
  map.text("name", config.settings.name);
  map.duration("idle_timeout", config.settings.idle_timeout);
  map.duration("client_keep_alive", config.settings.client_keep_alive);
  map.duration("connect_timeout", config.settings.connect_timeout);
  map.boolean("unrestricted", config.settings.unrestricted);
  map.list("listeners",
           [&](const Document& item, const std::string& where) { read_listener(item, where, place, config); });
  map.list("target_groups",
           [&](const Document& item, const std::string& where) { read_target_group(item, where, place, config); });
  out.load_balancers.push_back(std::move(config));
}

void read_load_balancers(MapReader& map, Place place, NodeConfig& out) {
  map.list("load_balancers",
           [&](const Document& item, const std::string& where) { read_load_balancer(item, where, place, out); });
}

nlohmann::ordered_json action_to_json(const RuleAction& action) {
  if (const auto* fixed = std::get_if<FixedResponseAction>(&action)) {
    return {{"type", "fixed-response"},
            {"status", fixed->status},
            {"content_type", fixed->content_type},
            {"body", fixed->body}};
  }
  nlohmann::ordered_json groups = nlohmann::ordered_json::array();
  for (const ForwardTarget& target : std::get<ForwardAction>(action).target_groups) {
    groups.push_back({{"target_group", target.target_group}, {"weight", target.weight}});
  }
  return {{"type", "forward"}, {"target_groups", std::move(groups)}};
}

nlohmann::ordered_json group_to_json(const TargetGroupSettings& group, const std::vector<TargetSpec>& targets) {
  const HealthCheck& check = group.health_check;
  nlohmann::ordered_json health{{"path", check.path}};
  if (check.port) health["port"] = *check.port;
  health["interval"] = format_duration(check.interval);
  health["timeout"] = format_duration(check.timeout);
  health["healthy_threshold"] = check.healthy_threshold;
  health["unhealthy_threshold"] = check.unhealthy_threshold;
  health["matcher"] = check.matcher.text();
  health["unrestricted"] = check.unrestricted;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TargetSpec& target : targets) {
    list.push_back({{"id", target.id},
                    {"address", format_address(target.address)},
                    {"wire", format_address(target.wire)},
                    {"zone", target.zone}});
  }
  return {{"name", group.name},
          {"health_check", std::move(health)},
          {"deregistration_delay", format_duration(group.deregistration_delay)},
          {"algorithm", to_string(group.algorithm)},
          {"minimum_healthy_targets", group.minimum_healthy_targets},
          {"targets", std::move(list)}};
}

nlohmann::ordered_json listener_to_json(const ListenerSettings& listener, const ListenerBinding& binding) {
  nlohmann::ordered_json sockets = nlohmann::ordered_json::array();
  for (const Endpoint& socket : binding.sockets) sockets.push_back(format_endpoint(socket));
  nlohmann::ordered_json json{{"name", listener.name}};
  if (!binding.port_from_socket) json["port"] = listener.port;
  json["sockets"] = std::move(sockets);
  json["accepting"] = binding.accepting;
  json["default_action"] = action_to_json(listener.default_action);
  return json;
}

}  // namespace

Result<TargetSpec> parse_target(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return address.error();
  if (address->port == 0) return Error{fmt::format("'{}': port 0 cannot be connected to: 1 to 65535", text)};
  return TargetSpec{format_address(*address), *address, *address, ""};
}

Result<NodeConfig, ConfigErrors> read_desired(std::string_view json) {
  const auto document = parse_json_document(json);
  if (!document) return ConfigErrors{document.error().message};
  ConfigErrors errors;
  NodeConfig config;
  {
    MapReader map(*document, "", "", errors);
    map.require("generation");
    map.number("generation", config.generation);
    map.require("load_balancers");
    read_load_balancers(map, {"", errors}, config);
  }
  if (!errors.empty()) return errors;
  return config;
}

Result<FileConfig, ConfigErrors> read_config_file(std::string_view name, std::string_view yaml) {
  const auto document = parse_yaml_document(yaml);
  if (!document) return ConfigErrors{fmt::format("{}:{}", name, document.error().message)};
  ConfigErrors errors;
  FileConfig config;
  {
    MapReader map(*document, "", name, errors);
    std::string admin, access_log;
    map.text("admin", admin);
    map.text("access_log", access_log);
    if (!admin.empty()) config.admin = admin;
    if (!access_log.empty()) config.access_log = access_log;
    Duration stop_timeout{-1};
    map.duration("stop_timeout", stop_timeout);
    if (stop_timeout >= Duration::zero()) config.stop_timeout = stop_timeout;
    map.number("generation", config.node.generation);
    read_load_balancers(map, {name, errors}, config.node);
  }
  if (!errors.empty()) return errors;
  return config;
}

Result<TargetsUpdate, ConfigErrors> read_targets(std::string_view json) {
  const auto document = parse_json_document(json);
  if (!document) return ConfigErrors{document.error().message};
  ConfigErrors errors;
  TargetsUpdate update;
  {
    MapReader map(*document, "", "", errors);
    std::string load_balancer, target_group;
    map.text("load_balancer", load_balancer);
    map.text("target_group", target_group);
    if (!load_balancer.empty()) update.load_balancer = load_balancer;
    if (!target_group.empty()) update.target_group = target_group;
    map.require("targets");
    read_targets_of(map, {"", errors}, update.targets);
  }
  if (!errors.empty()) return errors;
  return update;
}

ConfigErrors validate(const NodeConfig& config) {
  ConfigErrors errors;
  std::set<std::string_view> names;
  std::set<Endpoint> sockets;
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    const std::string at = fmt::format("load_balancers[{}].", balancer.settings.name);
    for (const SettingError& error : validate(balancer.settings)) errors.push_back(at + error.message);
    if (!names.insert(balancer.settings.name).second) {
      errors.push_back(
          fmt::format("{}name: '{}' is taken: give each load balancer a name of its own", at, balancer.settings.name));
    }
    for (std::size_t i = 0; i < balancer.bindings.size(); ++i) {
      for (const Endpoint& socket : balancer.bindings[i].sockets) {
        const auto* address = std::get_if<Address>(&socket);
        if (address != nullptr && address->port == 0) continue;
        if (sockets.insert(socket).second) continue;
        errors.push_back(fmt::format("{}listeners[{}].sockets: '{}' comes twice: a socket has one listener", at,
                                     balancer.settings.listeners[i].name, format_endpoint(socket)));
      }
    }
    for (std::size_t i = 0; i < balancer.targets.size(); ++i) {
      const std::string group = fmt::format("{}target_groups[{}].targets", at, balancer.settings.target_groups[i].name);
      if (balancer.targets[i].size() > static_cast<std::size_t>(kMaximumTargets)) {
        errors.push_back(fmt::format("{}: {} targets: 0 to {}", group, balancer.targets[i].size(), kMaximumTargets));
      }
      std::set<std::pair<std::string_view, std::uint16_t>> seen;
      for (const TargetSpec& target : balancer.targets[i]) {
        if (target.id.empty()) errors.push_back(fmt::format("{}: id: '' is not an id", group));
        if (seen.emplace(target.id, target.address.port).second) continue;
        errors.push_back(fmt::format("{}: '{}' with port {} comes twice: name each target once", group, target.id,
                                     target.address.port));
      }
    }
  }
  return errors;
}

nlohmann::ordered_json to_json(const NodeConfig& config) {
  nlohmann::ordered_json balancers = nlohmann::ordered_json::array();
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    nlohmann::ordered_json listeners = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < balancer.bindings.size(); ++i) {
      listeners.push_back(listener_to_json(balancer.settings.listeners[i], balancer.bindings[i]));
    }
    nlohmann::ordered_json groups = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < balancer.targets.size(); ++i) {
      groups.push_back(group_to_json(balancer.settings.target_groups[i], balancer.targets[i]));
    }
    balancers.push_back({{"name", balancer.settings.name},
                         {"idle_timeout", format_duration(balancer.settings.idle_timeout)},
                         {"client_keep_alive", format_duration(balancer.settings.client_keep_alive)},
                         {"connect_timeout", format_duration(balancer.settings.connect_timeout)},
                         {"unrestricted", balancer.settings.unrestricted},
                         {"listeners", std::move(listeners)},
                         {"target_groups", std::move(groups)}});
  }
  return {{"generation", config.generation}, {"load_balancers", std::move(balancers)}};
}

}  // namespace rr
