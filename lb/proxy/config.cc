#include "lb/proxy/config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "lb/document/field_path.h"
#include "lb/document/settings_document.h"
#include "lb/policy/setting_errors.h"

namespace rr {
namespace {

void read_target(MapReader& outer, const Document& document, const std::string& path, std::vector<TargetSpec>& out) {
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
      outer.complain(path, document, spec.error().message);
    }
    return;
  }
  MapReader map(outer, document, path);
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

void read_targets_of(MapReader& map, std::vector<TargetSpec>& out) {
  map.list("targets", [&](const Document& item, const std::string& path) { read_target(map, item, path, out); });
}

void read_target_group(MapReader& map, LoadBalancerConfig& out) {
  TargetGroupSettings group;
  std::vector<TargetSpec> targets;
  read_fields(map, group);
  read_targets_of(map, targets);
  out.settings.target_groups.push_back(std::move(group));
  out.targets.push_back(std::move(targets));
}

void read_listener(MapReader& map, LoadBalancerConfig& out) {
  ListenerSettings listener;
  ListenerBinding binding;
  map.list("sockets", [&](const Document& item, const std::string& item_path) {
    auto endpoint = parse_endpoint(item.text);
    if (item.kind == Document::Kind::kText && endpoint) {
      binding.sockets.push_back(std::move(*endpoint));
    } else {
      map.complain(item_path, item, endpoint ? "write ADDRESS:PORT, unix:PATH or fd:N" : endpoint.error().message);
    }
  });
  map.boolean("accepting", binding.accepting);
  read_fields(map, listener);
  if (map.get("port") == nullptr && !binding.sockets.empty()) {
    binding.port_from_socket = true;
    const auto* address = std::get_if<Address>(&binding.sockets.front());
    if (address != nullptr && address->port != 0) listener.port = address->port;
  }
  out.settings.listeners.push_back(std::move(listener));
  out.bindings.push_back(std::move(binding));
}

void read_load_balancer(MapReader& map, NodeConfig& out) {
  LoadBalancerConfig config;
  read_fields(map, config.settings);
  map.list("listeners", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    read_listener(inner, config);
  });
  map.list("target_groups", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    read_target_group(inner, config);
  });
  out.load_balancers.push_back(std::move(config));
}

void read_node(MapReader& map, NodeConfig& out) {
  map.number("generation", out.generation);
  map.text("zone", out.zone);
  map.list("load_balancers", [&](const Document& item, const std::string& path) {
    MapReader inner(map, item, path);
    read_load_balancer(inner, out);
  });
}

nlohmann::ordered_json group_to_json(const TargetGroupSettings& group, const std::vector<TargetSpec>& targets) {
  nlohmann::ordered_json json = to_json(group);
  json["targets"] = nlohmann::ordered_json::array();
  for (const TargetSpec& target : targets) {
    json["targets"].push_back({{"id", target.id},
                               {"address", format_address(target.address)},
                               {"wire", format_address(target.wire)},
                               {"zone", target.zone}});
  }
  return json;
}

nlohmann::ordered_json listener_to_json(const ListenerSettings& listener, const ListenerBinding& binding) {
  nlohmann::ordered_json json = to_json(listener);
  if (binding.port_from_socket) json.erase("port");
  json["sockets"] = nlohmann::ordered_json::array();
  for (const Endpoint& socket : binding.sockets) json["sockets"].push_back(format_endpoint(socket));
  json["accepting"] = binding.accepting;
  return json;
}

void check_sockets(SettingErrors& errors, const LoadBalancerConfig& balancer, std::set<Endpoint>& taken) {
  for (std::size_t i = 0; i < balancer.bindings.size(); ++i) {
    const std::vector<Endpoint>& sockets = balancer.bindings[i].sockets;
    for (std::size_t k = 0; k < sockets.size(); ++k) {
      const auto* address = std::get_if<Address>(&sockets[k]);
      if (address != nullptr && address->port == 0) continue;
      if (taken.insert(sockets[k]).second) continue;
      errors.add(fmt::format("listeners[{}].sockets[{}]", one_line(balancer.settings.listeners[i].name), k),
                 fmt::format("'{}' comes twice: a socket has one listener", format_endpoint(sockets[k])));
    }
  }
}

void check_targets(SettingErrors& errors, const std::string& group, const std::vector<TargetSpec>& targets) {
  const std::string field = fmt::format("target_groups[{}].targets", one_line(group));
  if (targets.size() > static_cast<std::size_t>(kMaximumTargets)) {
    errors.add(field, fmt::format("{} targets: 0 to {} (TooManyTargets)", targets.size(), kMaximumTargets));
  }
  std::set<std::pair<std::string_view, std::uint16_t>> seen;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", field, i);
    if (targets[i].id.empty()) errors.add(at, "'' is not an id: 1 or more characters");
    if (seen.emplace(targets[i].id, targets[i].address.port).second) continue;
    errors.add(at, fmt::format("{} with port {} comes twice: name each target once", shown(targets[i].id),
                               targets[i].address.port));
  }
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
  return read_desired(*document);
}

Result<NodeConfig, ConfigErrors> read_desired(const Document& document) {
  ConfigErrors errors;
  NodeConfig config;
  {
    MapReader map(document, "", "", errors);
    map.require("generation");
    map.require("load_balancers");
    read_node(map, config);
  }
  if (!errors.empty()) return errors;
  return config;
}

std::string FileText::place_of(std::string_view field) const {
  return fmt::format("{}:{}: ", name, find_field(document, field).nearest->line);
}

Result<FileConfig, ConfigErrors> read_config_file(std::string_view name, std::string_view yaml) {
  auto document = parse_yaml_document(yaml);
  if (!document) return ConfigErrors{fmt::format("{}:{}", name, document.error().message)};
  ConfigErrors errors;
  FileConfig config{{std::string(name), std::move(*document)}, {}, {}, {}, {}, {}, {}, {}};
  {
    MapReader map(config.file.document, "", name, errors);
    std::string admin, access_log, connection_log, health_check_log, workers;
    map.text("admin", admin);
    map.text("workers", workers);
    if (!workers.empty()) config.workers = workers;
    map.text("access_log", access_log);
    map.text("connection_log", connection_log);
    map.text("health_check_log", health_check_log);
    if (!admin.empty()) config.admin = admin;
    if (!access_log.empty()) config.access_log = access_log;
    if (!connection_log.empty()) config.connection_log = connection_log;
    if (!health_check_log.empty()) config.health_check_log = health_check_log;
    Duration stop_timeout{-1};
    map.duration("stop_timeout", stop_timeout);
    if (stop_timeout >= Duration::zero()) config.stop_timeout = stop_timeout;
    read_node(map, config.node);
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
    read_targets_of(map, update.targets);
  }
  if (!errors.empty()) return errors;
  return update;
}

std::vector<SettingError> validate(const NodeConfig& config) {
  SettingErrors errors;
  std::set<std::string_view> names;
  std::set<Endpoint> sockets;
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    SettingErrors inner(fmt::format("load_balancers[{}].", one_line(balancer.settings.name)));
    inner.add_all(validate(balancer.settings));
    if (!names.insert(balancer.settings.name).second) {
      inner.add("name",
                fmt::format("{} is taken: give each load balancer a name of its own", shown(balancer.settings.name)));
    }
    check_sockets(inner, balancer, sockets);
    for (std::size_t i = 0; i < balancer.targets.size(); ++i) {
      check_targets(inner, balancer.settings.target_groups[i].name, balancer.targets[i]);
    }
    errors.add_all(inner.take());
  }
  return errors.take();
}

nlohmann::ordered_json to_json(const NodeConfig& config, Secrets secrets) {
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
    nlohmann::ordered_json json = to_json(balancer.settings, secrets);
    json["listeners"] = std::move(listeners);
    json["target_groups"] = std::move(groups);
    balancers.push_back(std::move(json));
  }
  return {{"generation", config.generation}, {"zone", config.zone}, {"load_balancers", std::move(balancers)}};
}

}  // namespace rr
