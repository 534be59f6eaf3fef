#pragma once
// Which part of a node's configuration a path of the admin interface names.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/result.h"

namespace rr {

enum class ConfigPart : std::uint8_t {
  kLoadBalancers,   // /load_balancers
  kLoadBalancer,    // /load_balancers/LB
  kListeners,       // /load_balancers/LB/listeners
  kListener,        // .../NAME
  kRules,           // .../NAME/rules
  kRule,            // .../NAME/rules/PRIORITY
  kRulePriorities,  // .../NAME/rule_priorities
  kTargetGroups,    // /load_balancers/LB/target_groups
  kTargetGroup,     // .../NAME
  kTargets,         // .../NAME/targets
  kTarget,          // .../NAME/targets/ID
  kZonalShift,      // /load_balancers/LB/zonal_shift
};

struct ConfigPath {
  ConfigPart part = ConfigPart::kLoadBalancers;
  std::string load_balancer{};
  std::string of_it{};    // the listener or the target group
  std::string of_that{};  // the rule or the target
  bool operator==(const ConfigPath&) const = default;
};

/// "GET, PUT, PATCH, DELETE", for the Allow of a 405.
std::string_view allowed_methods(ConfigPart part);
bool allows(ConfigPart part, std::string_view method);

/// Nothing where there is no such part. Segments are percent-decoded: the listener "a/b" is written "a%2Fb".
std::optional<ConfigPath> parse_config_path(std::string_view path);

}  // namespace rr
