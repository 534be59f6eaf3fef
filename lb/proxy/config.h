#pragma once
// What one process is configured to be: read from YAML, JSON or the command line by one schema.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/document/document.h"
#include "lb/document/map_reader.h"
#include "lb/document/settings_document.h"
#include "lb/policy/settings.h"
#include "lb/policy/target_group.h"

namespace rr {

/// What a listener has beside its settings.
struct ListenerBinding {
  std::vector<Endpoint> sockets;
  /// False: the node has left DNS. Its sockets stay open and it accepts nobody.
  bool accepting = true;
  /// The logical port is the one that the first socket got.
  bool port_from_socket = false;
  bool operator==(const ListenerBinding&) const = default;
};

struct LoadBalancerConfig {
  LoadBalancerSettings settings;
  std::vector<ListenerBinding> bindings;         // one for each settings.listeners
  std::vector<std::vector<TargetSpec>> targets;  // one for each settings.target_groups
  bool operator==(const LoadBalancerConfig&) const = default;
};

/// The whole of what a node serves.
struct NodeConfig {
  std::uint64_t generation = 0;
  /// The availability zone that this node stands in; "" belongs to no zone.
  std::string zone{};
  std::vector<LoadBalancerConfig> load_balancers;
  bool operator==(const NodeConfig&) const = default;
};

/// A configuration file as it was read, to tell where in it a setting stands.
struct FileText {
  std::string name;
  Document document;
  /// "rr-lb.yaml:12: ": where the setting is, or would be.
  std::string place_of(std::string_view field) const;
};

/// A configuration file: a node's configuration and what concerns the process.
struct FileConfig {
  FileText file;
  NodeConfig node;
  std::optional<std::string> admin;
  std::optional<std::string> access_log;
  std::optional<std::string> connection_log;
  std::optional<std::string> health_check_log;
  std::optional<Duration> stop_timeout;
  std::optional<std::string> workers;  // a number, or "auto"
};

/// Reads what PUT /desired brings. `generation` is required there.
Result<NodeConfig, ConfigErrors> read_desired(std::string_view json);
Result<NodeConfig, ConfigErrors> read_desired(const Document& document);
/// Reads the text of a file; `name` is for the errors.
Result<FileConfig, ConfigErrors> read_config_file(std::string_view name, std::string_view yaml);
/// Reads what PUT /targets brings: targets as in the file.
struct TargetsUpdate {
  std::optional<std::string> load_balancer;
  std::optional<std::string> target_group;
  std::vector<TargetSpec> targets;
};
Result<TargetsUpdate, ConfigErrors> read_targets(std::string_view json);

/// A target as the command line and the short form of the file name it: "127.0.0.1:9001".
Result<TargetSpec> parse_target(std::string_view text);

/// All that is wrong with a configuration beyond its form: ranges, names, references, a socket or target twice.
/// "load_balancers[tier].target_groups[web].targets[2]" is a field.
std::vector<SettingError> validate(const NodeConfig& config);

/// The same schema again; with its secrets, read_desired() of it gives the same configuration.
nlohmann::ordered_json to_json(const NodeConfig& config, Secrets secrets = Secrets::kLeftOut);

}  // namespace rr
