#include "lb/policy/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "lb/policy/rule_validation.h"
#include "lb/policy/setting_errors.h"

namespace rr {
namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 2> kStickinessTypes{"lb_cookie", "app_cookie"};
constexpr std::array<std::string_view, 3> kDesyncModes{"monitor", "defensive", "strictest"};
constexpr std::array<std::string_view, 3> kXffModes{"append", "preserve", "remove"};
constexpr std::array<std::string_view, 3> kExplainTo{"nobody", "loopback", "everyone"};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// The rule for names of load balancers and target groups.
void check_name(SettingErrors& errors, const std::string& name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
  const bool ends = !name.empty() && name.front() != '-' && name.back() != '-';
  if (characters && ends && name.size() <= kMaximumName) return;
  errors.add("name", fmt::format("{} is not a name: 1 to {} letters, digits and hyphens, no hyphen at either end",
                                 shown(name), kMaximumName));
}

void check_minimum_or_unrestricted(SettingErrors& errors, std::string_view field, Duration value, Duration low,
                                   Duration high, bool unrestricted) {
  if (unrestricted) {
    errors.in_range(field, value, kMinimumUnrestricted, high);
  } else {
    errors.in_range(field, value, low, high,
                    value >= kMinimumUnrestricted && value < low ? " (or unrestricted: true)" : "");
  }
}

void check_health_path(SettingErrors& errors, const std::string& path) {
  const bool visible = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
  if (path.empty() || path.front() != '/') {
    errors.add("health_check.path", fmt::format("{} does not begin with /: write one like /healthz", shown(path)));
  } else if (!visible) {
    errors.add("health_check.path", fmt::format("{} may hold visible ASCII characters only, and no #: percent-encode "
                                                "the others",
                                                shown(path)));
  } else if (path.size() > kMaximumHealthPath) {
    errors.add("health_check.path",
               fmt::format("{} has {} characters: 1 to {}", shown(path), path.size(), kMaximumHealthPath));
  }
}

void check_target_groups(SettingErrors& errors, const std::vector<TargetGroupSettings>& groups) {
  if (groups.size() > kMaximumTargetGroups) {
    errors.add("target_groups", fmt::format("{} target groups: 0 to {}", groups.size(), kMaximumTargetGroups));
  }
  std::set<std::string_view> names;
  for (const TargetGroupSettings& group : groups) {
    SettingErrors inner(fmt::format("target_groups[{}].", one_line(group.name)));
    inner.add_all(validate(group));
    if (!names.insert(group.name).second) {
      inner.add("name", fmt::format("{} is taken: give each target group a name of its own", shown(group.name)));
    }
    errors.add_all(inner.take());
  }
}

/// A value that ends its line would begin a header of its own.
void check_inserted_headers(SettingErrors& errors, const ListenerSettings& listener) {
  for (std::size_t i = 0; i < kInsertedHeaders.size(); ++i) {
    const std::string& value = listener.inserted_headers[i];
    const std::string field = fmt::format("inserted_headers.{}", kInsertedHeaders[i]);
    const bool visible = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!visible) {
      errors.add(field, fmt::format("{} may hold visible ASCII characters and spaces only", shown(value)));
    }
    if (value.size() > kMaximumInsertedHeader) {
      errors.add(field,
                 fmt::format("{} has {} characters: 0 to {}", shown(value), value.size(), kMaximumInsertedHeader));
    }
  }
}

void check_listeners(SettingErrors& errors, const LoadBalancerSettings& settings) {
  if (settings.listeners.size() > kMaximumListeners) {
    errors.add("listeners", fmt::format("{} listeners: 0 to {}", settings.listeners.size(), kMaximumListeners));
  }
  std::set<std::string_view> names;
  std::set<std::uint16_t> ports;
  std::size_t rules = 0;
  for (const ListenerSettings& listener : settings.listeners) {
    SettingErrors inner(fmt::format("listeners[{}].", one_line(listener.name)));
    if (listener.name.empty()) inner.add("name", "'' is not a name: 1 or more characters");
    if (!names.insert(listener.name).second) {
      inner.add("name", fmt::format("{} is taken: give each listener a name of its own", shown(listener.name)));
    }
    inner.in_range("port", listener.port, 1, 65535);
    if (!ports.insert(listener.port).second) {
      inner.add("port", fmt::format("{} is taken: give each listener a port of its own", listener.port));
    }
    check_inserted_headers(inner, listener);
    SettingErrors of_default("default_action.");
    of_default.add_all(validate_action(listener.default_action, settings.target_groups));
    inner.add_all(of_default.take());
    inner.add_all(validate_rules(listener.rules, settings.target_groups));
    rules += listener.rules.size();
    errors.add_all(inner.take());
  }
  if (rules > kMaximumRules) {
    errors.add("listeners", fmt::format("{} rules on this load balancer (TooManyRules): 0 to {}, default actions not "
                                        "counted",
                                        rules, kMaximumRules));
  }
}

void check_minimum_healthy(SettingErrors& errors, const std::string& field, const MinimumHealthyTargets& minimum) {
  if (minimum.count) errors.in_range(field + ".minimum_healthy_targets_count", *minimum.count, 1, kMaximumTargets);
  if (minimum.percentage) {
    errors.in_range(field + ".minimum_healthy_targets_percentage", *minimum.percentage, 1, 100);
  }
}

/// AWS demands that a zone leaves DNS no later than its node gives up on health: where both thresholds are set in one
/// unit, that of DNS must not be the lower one.
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
void check_health_thresholds(SettingErrors& errors, const TargetGroupSettings& settings) {
  const MinimumHealthyTargets& dns = settings.dns_failover;
  const MinimumHealthyTargets& routing = settings.unhealthy_state_routing;
  check_minimum_healthy(errors, "dns_failover", dns);
  if (!routing.count) {
    errors.add("unhealthy_state_routing.minimum_healthy_targets_count", "cannot be off: 1 or more");
  }
  check_minimum_healthy(errors, "unhealthy_state_routing", routing);
  const auto compare = [&](const char* unit, const std::optional<int>& of_dns, const std::optional<int>& of_routing) {
    if (!of_dns || !of_routing || *of_dns >= *of_routing) return;
    errors.add(
        fmt::format("dns_failover.minimum_healthy_targets_{}", unit),
        fmt::format("{} is below unhealthy_state_routing's {}: it must be at least as high", *of_dns, *of_routing));
  };
  compare("count", dns.count, routing.count);
  compare("percentage", dns.percentage, routing.percentage);
}

void check_stickiness(SettingErrors& errors, const TargetGroupSettings& settings) {
  const Stickiness& sticky = settings.stickiness;
  errors.in_range("stickiness.lb_cookie_duration", sticky.lb_cookie_duration, kMinimumStickiness, kMaximumStickiness);
  errors.in_range("stickiness.app_cookie_duration", sticky.app_cookie_duration, kMinimumStickiness, kMaximumStickiness);
  const std::string& name = sticky.app_cookie_name;
  if (sticky.enabled && sticky.type == StickinessType::kAppCookie && name.empty()) {
    errors.add("stickiness.app_cookie_name", "'' is not a cookie's name: name the cookie that the application sets");
  }
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
  if (!characters) {
    errors.add("stickiness.app_cookie_name",
               fmt::format("{} is not a cookie's name: a token as in RFC 6265", shown(name)));
  }
  if (name.starts_with("AWSALB")) {
    errors.add("stickiness.app_cookie_name",
               fmt::format("{} begins with AWSALB, which is reserved: choose another", shown(name)));
  }
  if (!sticky.enabled) return;
  if (settings.algorithm == Algorithm::kWeightedRandom) {
    errors.add("stickiness.enabled", "true does not go with algorithm weighted_random: choose one of them");
  }
  if (!crosses_zones(settings)) {
    errors.add("stickiness.enabled", "true does not go with cross_zone false: choose one of them");
  }
}

void check_algorithm(SettingErrors& errors, const TargetGroupSettings& settings) {
  if (settings.anomaly_mitigation && settings.algorithm != Algorithm::kWeightedRandom) {
    errors.add("anomaly_mitigation", fmt::format("true goes with algorithm weighted_random only, which is {}",
                                                 to_string(settings.algorithm)));
  }
  const Duration least = settings.unrestricted ? kMinimumUnrestricted : kMinimumSlowStart;
  if (settings.slow_start == Duration::zero()) return;
  if (settings.slow_start < least || settings.slow_start > kMaximumSlowStart) {
    errors.add("slow_start", fmt::format("{} is out of range: 0s, or {} to {}", seconds_text(settings.slow_start),
                                         seconds_text(least), seconds_text(kMaximumSlowStart)));
  }
  if (settings.algorithm != Algorithm::kRoundRobin) {
    errors.add("slow_start",
               fmt::format("goes with algorithm round_robin only, which is {}", to_string(settings.algorithm)));
  }
}

/// The message leaves the value out: it may be a key with one digit too many.
void check_cookie_key(SettingErrors& errors, const std::string& key) {
  const bool digits = std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (key.empty() || (digits && key.size() == kCookieKeyDigits)) return;
  errors.add("cookie_key", fmt::format("is not a key: {} hexadecimal digits", kCookieKeyDigits));
}

void check_availability_zones(SettingErrors& errors, const std::vector<std::string>& zones) {
  std::set<std::string_view> seen;
  for (const std::string& zone : zones) {
    if (zone.empty() || zone == "all") errors.add("availability_zones", fmt::format("{} is not a zone", shown(zone)));
    if (!seen.insert(zone).second) {
      errors.add("availability_zones", fmt::format("{} is named twice: name each zone once", shown(zone)));
    }
  }
}

void check_either(SettingErrors& errors, const char* field, int value, int usual, int other) {
  if (value != usual && value != other) errors.add(field, fmt::format("{} is neither {} nor {}", value, usual, other));
}

}  // namespace

std::string_view to_string(StickinessType type) { return kStickinessTypes[static_cast<std::size_t>(type)]; }
std::optional<StickinessType> parse_stickiness_type(std::string_view text) {
  return find_name<StickinessType>(kStickinessTypes, text);
}
std::string_view to_string(DesyncMode mode) { return kDesyncModes[static_cast<std::size_t>(mode)]; }
std::optional<DesyncMode> parse_desync_mode(std::string_view text) { return find_name<DesyncMode>(kDesyncModes, text); }
std::string_view to_string(XffMode mode) { return kXffModes[static_cast<std::size_t>(mode)]; }
std::optional<XffMode> parse_xff_mode(std::string_view text) { return find_name<XffMode>(kXffModes, text); }
std::string_view to_string(ExplainTo who) { return kExplainTo[static_cast<std::size_t>(who)]; }
std::optional<ExplainTo> parse_explain_to(std::string_view text) { return find_name<ExplainTo>(kExplainTo, text); }

std::vector<SettingError> validate(const HealthCheck& settings) {
  SettingErrors errors;
  check_health_path(errors, settings.path);
  if (settings.port) errors.in_range("health_check.port", *settings.port, 1, 65535);
  check_minimum_or_unrestricted(errors, "health_check.interval", settings.interval, kMinimumHealthInterval,
                                kMaximumHealthInterval, settings.unrestricted);
  check_minimum_or_unrestricted(errors, "health_check.timeout", settings.timeout, kMinimumHealthTimeout,
                                kMaximumHealthTimeout, settings.unrestricted);
  if (!settings.unrestricted && settings.timeout >= settings.interval) {
    errors.add("health_check.timeout", fmt::format("{} must be smaller than health_check.interval, which is {}",
                                                   seconds_text(settings.timeout), seconds_text(settings.interval)));
  }
  errors.in_range("health_check.healthy_threshold", settings.healthy_threshold, kMinimumThreshold, kMaximumThreshold);
  errors.in_range("health_check.unhealthy_threshold", settings.unhealthy_threshold, kMinimumThreshold,
                  kMaximumThreshold);
  if (settings.initial_unhealthy_threshold) {
    errors.in_range("health_check.initial_unhealthy_threshold", *settings.initial_unhealthy_threshold, 1,
                    kMaximumThreshold);
  }
  return errors.take();
}

std::vector<SettingError> validate(const TargetGroupSettings& settings) {
  SettingErrors errors;
  check_name(errors, settings.name);
  errors.add_all(validate(settings.health_check));
  errors.in_range("deregistration_delay", settings.deregistration_delay, Duration::zero(), kMaximumDeregistrationDelay);
  check_algorithm(errors, settings);
  errors.in_range("slow_start_floor_percent", settings.slow_start_floor_percent, 1, 100);
  check_stickiness(errors, settings);
  check_health_thresholds(errors, settings);
  return errors.take();
}

std::vector<SettingError> validate(const LoadBalancerSettings& settings) {
  SettingErrors errors;
  check_name(errors, settings.name);
  if (settings.name.starts_with("internal-")) {
    errors.add("name",
               fmt::format("{} begins with internal-, which is reserved: choose another", shown(settings.name)));
  }
  check_minimum_or_unrestricted(errors, "idle_timeout", settings.idle_timeout, kMinimumIdleTimeout, kMaximumIdleTimeout,
                                settings.unrestricted);
  check_minimum_or_unrestricted(errors, "client_keep_alive", settings.client_keep_alive, kMinimumClientKeepAlive,
                                kMaximumClientKeepAlive, settings.unrestricted);
  errors.in_range("connect_timeout", settings.connect_timeout, kMinimumUnrestricted, kMaximumConnectTimeout);
  if (settings.zonal_shift && !settings.zonal_shift_enabled) {
    errors.add("zonal_shift", "is not permitted: set zonal_shift_enabled to true first");
  }
  if (settings.zonal_shift && settings.zonal_shift->zone.empty()) errors.add("zonal_shift.zone", "'' is not a zone");
  errors.in_range("network_delay_same_zone", settings.network_delay_same_zone, Duration::zero(), kMaximumNetworkDelay);
  errors.in_range("network_delay_cross_zone", settings.network_delay_cross_zone, Duration::zero(),
                  kMaximumNetworkDelay);
  errors.in_range("propagation_delay", settings.propagation_delay, Duration::zero(), kMaximumPropagationDelay);
  check_either(errors, "oversized_head_status", settings.oversized_head_status, 400, 413);
  check_either(errors, "unknown_coding_status", settings.unknown_coding_status, 501, 400);
  errors.in_range("maximum_idle_connections", settings.maximum_idle_connections, 0, kMaximumIdleConnections);
  check_availability_zones(errors, settings.availability_zones);
  check_cookie_key(errors, settings.cookie_key);
  check_listeners(errors, settings);
  check_target_groups(errors, settings.target_groups);
  return errors.take();
}

}  // namespace rr
