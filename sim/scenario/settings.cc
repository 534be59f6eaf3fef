#include "sim/scenario/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "sim/scenario/group_change.h"

namespace rr::sim {
namespace {

// A value that is not right: what would be.
using Wrong = std::optional<std::string>;

struct Field {
  std::string key;
  std::string comment;
  std::function<std::string(const TierSettings&)> show;
  std::function<Wrong(TierSettings&, const std::string&)> read;
  bool raw = false;  // show() gives YAML, not a scalar to be quoted
};

Wrong read_integer(const std::string& text, long least, long most, const std::function<void(long)>& take) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return fmt::format("a whole number from {} to {} is right", least, most);
  }
  take(value);
  return std::nullopt;
}

Wrong read_number(const std::string& text, bool zero_is_fine, const std::string& example, double& out) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0) || value > 1e6 || (value == 0 && !zero_is_fine)) {
    return fmt::format("a number {} is right, such as {}", zero_is_fine ? "from 0 to 1000000" : "above 0", example);
  }
  out = value;
  return std::nullopt;
}

Wrong read_boolean(const std::string& text, bool& out) {
  if (text != "true" && text != "false") return "true or false is right";
  out = text == "true";
  return std::nullopt;
}

Wrong read_name(const std::string& text, std::string& out) {
  const bool fine = !text.empty() && text.size() <= kMaximumName && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!fine) return fmt::format("1 to {} letters, digits and hyphens are right", kMaximumName);
  out = text;
  return std::nullopt;
}

template <class Get>
Field duration(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return format_duration(get(const_cast<TierSettings&>(s))); },
          [get](TierSettings& s, const std::string& text) -> Wrong {
            const Result<Duration> read = parse_duration(text);
            if (!read) return "a time is right, such as 10, 0.5, 250ms, 10s or 5m";
            get(s) = *read;
            return std::nullopt;
          }};
}

template <class Get>
Field integer(std::string key, std::string comment, long least, long most, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return std::to_string(get(const_cast<TierSettings&>(s))); },
          [get, least, most](TierSettings& s, const std::string& text) {
            using Value = std::remove_reference_t<decltype(get(s))>;
            return read_integer(text, least, most, [&](long value) { get(s) = static_cast<Value>(value); });
          }};
}

template <class Get>
Field name(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return get(const_cast<TierSettings&>(s)); },
          [get](TierSettings& s, const std::string& text) { return read_name(text, get(s)); }};
}

template <class Get>
Field plain_text(std::string key, std::string comment, Get get) {
  return {std::move(key), std::move(comment),
          [get](const TierSettings& s) { return get(const_cast<TierSettings&>(s)); },
          [get](TierSettings& s, const std::string& text) -> Wrong {
            if (text.find('\n') != std::string::npos) return "one line is right";
            get(s) = text;
            return std::nullopt;
          }};
}

std::vector<std::string> split_list(std::string text) {
  if (!text.empty() && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const auto from = item.find_first_not_of(' ');
    if (from != std::string::npos) items.push_back(item.substr(from, item.find_last_not_of(' ') - from + 1));
  }
  return items;
}

// ---- fields of the tier itself

Field listen_field() {
  return {"listen", "The front: where clients connect. Port 0: the kernel chooses, and it is printed.",
          [](const TierSettings& s) { return format_address(s.listen); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            const Result<Address> read = parse_address(text);
            if (!read) return "a numeric address with a port is right, such as 127.0.0.1:8080";
            s.listen = *read;
            return std::nullopt;
          }};
}

Field ground_field() {
  return {"ground", "What the processes stand on: namespaces (a machine of its own for each instance), plain, or auto.",
          [](const TierSettings& s) { return s.ground ? std::string(to_string(*s.ground)) : std::string("auto"); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            if (text == "auto") {
              s.ground.reset();
            } else if (text == "namespaces") {
              s.ground = GroundKind::kNamespaces;
            } else if (text == "plain") {
              s.ground = GroundKind::kPlain;
            } else {
              return "namespaces, plain or auto is right";
            }
            return std::nullopt;
          }};
}

std::vector<Field> tier_fields() {
  return {
      listen_field(),
      ground_field(),
      {"speed", "Divides what the control plane waits for, and nothing that a request meets (status tells which).",
       [](const TierSettings& s) { return fmt::format("{}", s.region.speed); },
       [](TierSettings& s, const std::string& text) { return read_number(text, false, "10", s.region.speed); }},
      {"load", "Open-loop requests a second to the front, from the start. 0: none.",
       [](const TierSettings& s) { return fmt::format("{}", s.load); },
       [](TierSettings& s, const std::string& text) { return read_number(text, true, "20", s.load); }},
      {"seed", "Decides ids and ties; the same seed gives the same ids. random: another one each time.",
       [](const TierSettings& s) { return s.seed ? std::to_string(*s.seed) : std::string("random"); },
       [](TierSettings& s, const std::string& text) -> Wrong {
         if (text == "random") {
           s.seed.reset();
           return std::nullopt;
         }
         Wrong wrong =
             read_integer(text, 0, 1'000'000'000'000, [&](long v) { s.seed = static_cast<std::uint64_t>(v); });
         return wrong ? *wrong + ", or random" : wrong;
       }},
  };
}

// ---- the program behind the balancer

std::vector<Field> app_fields() {
  return {
      plain_text("app.command",
                 "The user's own program, e.g. 'node server.js'; {port} is substituted. Empty: rr-webapp.",
                 [](TierSettings& s) -> std::string& { return s.app; }),
      plain_text("app.folder", "Where it runs. Empty: the folder that rr-sim is started in.",
                 [](TierSettings& s) -> std::string& { return s.app_folder; }),
      plain_text("app.commit", "Commit of the first image. Empty: HEAD of the current folder's git checkout.",
                 [](TierSettings& s) -> std::string& { return s.commit; }),
      plain_text("app.build", "Build number of the first image. Empty: counted in the state folder.",
                 [](TierSettings& s) -> std::string& { return s.build; }),
      {"app.version_from", "Where a release reads the commit from an answer: path[:/version], header:NAME, or none.",
       [](const TierSettings& s) { return format_version_from(s.version_from); },
       [](TierSettings& s, const std::string& text) -> Wrong {
         const Result<VersionFrom> read = parse_version_from(text);
         if (!read) return "path, path:/version, header:NAME or none is right";
         s.version_from = *read;
         return std::nullopt;
       }},
  };
}

// ---- the region and its zones

Result<Zone> parse_zone(const std::string& name_text, const std::string& cidr) {
  const Error wrong{fmt::format("{}: {}: a block such as 172.31.16.0/20 is right", name_text, cidr)};
  const auto slash = cidr.find('/');
  if (slash == std::string::npos) return wrong;
  const Result<Address> subnet = parse_ip(cidr.substr(0, slash), 0);
  int prefix = 0;
  const std::string digits = cidr.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (!subnet || subnet->family != Address::Family::kV4 || error != std::errc() ||
      end != digits.data() + digits.size()) {
    return wrong;
  }
  if (prefix < 16 || prefix > 28) {
    return Error{fmt::format("{}: {}: a prefix from 16 to 28 is right, as in a VPC", name_text, cidr)};
  }
  const std::uint32_t bits = static_cast<std::uint32_t>(subnet->ip[0]) << 24 |
                             static_cast<std::uint32_t>(subnet->ip[1]) << 16 |
                             static_cast<std::uint32_t>(subnet->ip[2]) << 8 | subnet->ip[3];
  if ((bits & ((1U << (32 - prefix)) - 1)) != 0) {
    return Error{fmt::format("{}: {}: the bits after the prefix must be 0, as in 172.31.16.0/20", name_text, cidr)};
  }
  if (subnet->ip[0] != 172 || subnet->ip[1] != 31) {
    return Error{fmt::format("{}: {}: a block within the default VPC, 172.31.0.0/16, is right", name_text, cidr)};
  }
  Zone zone;
  zone.name = ZoneName{name_text};
  zone.subnet = *subnet;
  zone.prefix = prefix;
  return zone;
}

std::uint32_t first_of(const Zone& zone) {
  return static_cast<std::uint32_t>(zone.subnet.ip[2]) << 8 | zone.subnet.ip[3];
}

std::string show_zones(const TierSettings& s) {
  std::string out;
  for (const Zone& zone : s.region.zones) {
    out += fmt::format("\n  {}: {}/{}", zone.name.value, format_ip(zone.subnet), zone.prefix);
  }
  return out;
}

// "eu-west-1a: 172.31.16.0/20, eu-west-1b: 172.31.32.0/20"
Wrong read_zones(TierSettings& s, const std::string& text) {
  std::vector<Zone> zones;
  for (const std::string& item : split_list(text)) {
    const auto colon = item.find(':');
    if (colon == std::string::npos) return "each zone needs a name and a block: eu-west-1a: 172.31.16.0/20";
    const auto from = item.find_first_not_of(' ', colon + 1);
    std::string zone_name;
    if (Wrong wrong = read_name(item.substr(0, colon), zone_name)) return zone_name + *wrong;
    Result<Zone> zone = parse_zone(zone_name, from == std::string::npos ? "" : item.substr(from));
    if (!zone) return zone.error().message;
    for (const Zone& other : zones) {
      if (other.name == zone->name) return fmt::format("{} is there twice; each name once is right", zone_name);
      const bool apart = first_of(other) + (1U << (32 - other.prefix)) <= first_of(*zone) ||
                         first_of(*zone) + (1U << (32 - zone->prefix)) <= first_of(other);
      if (!apart) return fmt::format("{} and {} overlap; blocks apart are right", other.name.value, zone_name);
    }
    zones.push_back(*zone);
  }
  if (zones.empty() || zones.size() > 6) return "1 to 6 zones are right";
  s.region.zones = zones;
  return std::nullopt;
}

std::vector<Field> region_fields() {
  using S = TierSettings;
  return {
      name("region.name", "", [](S& s) -> std::string& { return s.region.name; }),
      duration("region.launch_time", "EC2's pending until running: a measured average.",
               [](S& s) -> Duration& { return s.region.launch_time; }),
      duration("region.sweep_interval", "How often the group looks at the health of its instances (AWS does not say).",
               [](S& s) -> Duration& { return s.region.sweep_interval; }),
      duration("region.rebalance_interval",
               "How often a launch is tried in a zone that has too few (AWS does not say).",
               [](S& s) -> Duration& { return s.region.rebalance_interval; }),
      duration("region.launch_retry", "After a failed launch; doubles up to launch_retry_most.",
               [](S& s) -> Duration& { return s.region.launch_retry; }),
      duration("region.launch_retry_most", "", [](S& s) -> Duration& { return s.region.launch_retry_most; }),
      duration("region.node_check_interval", "The check that decides whether a node is in DNS, as Route 53's.",
               [](S& s) -> Duration& { return s.region.node_check_interval; }),
      integer("region.node_check_threshold", "Failures in a row until it leaves, passes until it is back.", 1, 10,
              [](S& s) -> int& { return s.region.node_check_threshold; }),
      duration("region.node_check_timeout", "", [](S& s) -> Duration& { return s.region.node_check_timeout; }),
      duration("region.node_start_retry", "Until a load-balancer node that died is started again; doubles up to _most.",
               [](S& s) -> Duration& { return s.region.node_start_retry; }),
      duration("region.node_start_retry_most", "", [](S& s) -> Duration& { return s.region.node_start_retry_most; }),
      duration("region.release_timeout", "For each phase of a release by doubling.",
               [](S& s) -> Duration& { return s.region.release_timeout; }),
      duration("region.release_question_interval", "Between two questions which commit is answered.",
               [](S& s) -> Duration& { return s.region.release_question_interval; }),
      duration("region.refresh_timeout", "An instance refresh that makes no progress for so long fails.",
               [](S& s) -> Duration& { return s.region.refresh_timeout; }),
      duration("region.terminated_visible", "How long a terminated instance is still shown.",
               [](S& s) -> Duration& { return s.region.terminated_visible; }),
      {"region.terminate_when_drained",
       "true: an instance ends as soon as its requests have ended, not after the whole deregistration delay.",
       [](const S& s) { return std::string(s.region.terminate_when_drained ? "true" : "false"); },
       [](S& s, const std::string& text) { return read_boolean(text, s.region.terminate_when_drained); }},
      {"zones", "The availability zones and their subnets, within the default VPC's 172.31.0.0/16.", show_zones,
       read_zones, true},
  };
}

// ---- the load balancer and its target group

std::vector<Field> balancer_fields() {
  using S = TierSettings;
  return {
      name("load_balancer.name", "", [](S& s) -> std::string& { return s.region.load_balancer.name; }),
      integer("load_balancer.port", "The listener's port as X-Forwarded-Port and logs show it.", 1, 65535,
              [](S& s) -> std::uint16_t& { return s.region.load_balancer.listeners.front().port; }),
      duration("load_balancer.idle_timeout", "", [](S& s) -> Duration& { return s.region.load_balancer.idle_timeout; }),
      duration("load_balancer.client_keep_alive", "",
               [](S& s) -> Duration& { return s.region.load_balancer.client_keep_alive; }),
      duration("load_balancer.connect_timeout", "To a target. Fixed at 10s on AWS.",
               [](S& s) -> Duration& { return s.region.load_balancer.connect_timeout; }),
      duration("load_balancer.network_delay_same_zone",
               "How late a node learns what a target of its own zone does with its connection.",
               [](S& s) -> Duration& { return s.region.load_balancer.network_delay_same_zone; }),
      duration("load_balancer.network_delay_cross_zone", "Likewise a target of another zone.",
               [](S& s) -> Duration& { return s.region.load_balancer.network_delay_cross_zone; }),
      {"load_balancer.zonal_shift_enabled", "Whether rr-sim zonal-shift is permitted. AWS's default is false.",
       [](const S& s) { return std::string(s.region.load_balancer.zonal_shift_enabled ? "true" : "false"); },
       [](S& s, const std::string& text) { return read_boolean(text, s.region.load_balancer.zonal_shift_enabled); }},
      name("target_group.name", "", [](S& s) -> std::string& { return s.target_group().name; }),
      integer("target_group.port", "Logical port of every instance; PORT where an instance has a network of its own.",
              1, 65535, [](S& s) -> std::uint16_t& { return s.region.target_port; }),
      duration("target_group.deregistration_delay", "AWS's default is 300s; short requests need no more than this.",
               [](S& s) -> Duration& { return s.target_group().deregistration_delay; }),
      integer("target_group.minimum_healthy_targets", "With fewer, all targets are used (fail-open).", 1,
              kMaximumTargets, [](S& s) -> int& { return *s.target_group().unhealthy_state_routing.count; }),
      {"target_group.stickiness.enabled",
       "true: a client's requests stay with the instance that answered its first one.",
       [](const S& s) { return std::string(s.target_group().stickiness.enabled ? "true" : "false"); },
       [](S& s, const std::string& text) { return read_boolean(text, s.target_group().stickiness.enabled); }},
      {"target_group.stickiness.type", "lb_cookie, or app_cookie: as long as the application's own cookie comes along.",
       [](const S& s) { return std::string(to_string(s.target_group().stickiness.type)); },
       [](S& s, const std::string& text) -> Wrong {
         const auto type = parse_stickiness_type(text);
         if (!type) return "lb_cookie or app_cookie is right";
         s.target_group().stickiness.type = *type;
         return std::nullopt;
       }},
      duration("target_group.stickiness.lb_cookie_duration", "Never divided by the speed.",
               [](S& s) -> Duration& { return s.target_group().stickiness.lb_cookie_duration; }),
      duration("target_group.stickiness.app_cookie_duration", "Likewise.",
               [](S& s) -> Duration& { return s.target_group().stickiness.app_cookie_duration; }),
      plain_text("target_group.stickiness.app_cookie_name", "The application's cookie; not AWSALB....",
                 [](S& s) -> std::string& { return s.target_group().stickiness.app_cookie_name; }),
      plain_text("target_group.health_check.path", "",
                 [](S& s) -> std::string& { return s.target_group().health_check.path; }),
      duration("target_group.health_check.interval", "",
               [](S& s) -> Duration& { return s.target_group().health_check.interval; }),
      duration("target_group.health_check.timeout", "",
               [](S& s) -> Duration& { return s.target_group().health_check.timeout; }),
      integer("target_group.health_check.healthy_threshold",
              "For one that was unhealthy; a new target needs one success.", 0, 1000,
              [](S& s) -> int& { return s.target_group().health_check.healthy_threshold; }),
      integer("target_group.health_check.unhealthy_threshold", "", 0, 1000,
              [](S& s) -> int& { return s.target_group().health_check.unhealthy_threshold; }),
      {"target_group.health_check.matcher", "Status codes that count as success.",
       [](const S& s) { return s.target_group().health_check.matcher.text(); },
       [](S& s, const std::string& text) -> Wrong {
         const Result<Matcher> read = Matcher::parse(text);
         if (!read) return "codes from 200 to 499 are right, such as 200, 200,202 or 200-299";
         s.target_group().health_check.matcher = *read;
         return std::nullopt;
       }},
  };
}

// ---- the Auto Scaling group

std::vector<Field> group_size_fields() {
  using S = TierSettings;
  return {
      name("auto_scaling_group.name", "", [](S& s) -> std::string& { return s.group.name; }),
      integer("auto_scaling_group.min_size", "", 0, 100, [](S& s) -> int& { return s.group.min_size; }),
      integer("auto_scaling_group.max_size", "", 0, 100, [](S& s) -> int& { return s.group.max_size; }),
      integer("auto_scaling_group.desired_capacity", "", 0, 100, [](S& s) -> int& { return s.desired_capacity; }),
      {"auto_scaling_group.health_check_type",
       "ELB: an instance that fails the balancer's check is replaced. EC2: not.",
       [](const S& s) { return std::string(s.group.health_check_type == HealthCheckType::kElb ? "ELB" : "EC2"); },
       [](S& s, const std::string& text) -> Wrong {
         if (text != "ELB" && text != "EC2") return "ELB or EC2 is right";
         s.group.health_check_type = text == "ELB" ? HealthCheckType::kElb : HealthCheckType::kEc2;
         return std::nullopt;
       }},
      duration("auto_scaling_group.health_check_grace_period",
               "From InService; until then the balancer's check ends nobody.",
               [](S& s) -> Duration& { return s.group.health_check_grace_period; }),
      duration("auto_scaling_group.default_cooldown",
               "After a change of the desired capacity, for calls that honor it.",
               [](S& s) -> Duration& { return s.group.default_cooldown; }),
  };
}

Field optional_duration(const char* key, const char* help, std::optional<Duration> GroupSettings::*member) {
  return {key, help,
          [member](const TierSettings& s) { return s.group.*member ? format_duration(*(s.group.*member)) : "none"; },
          [member](TierSettings& s, const std::string& text) -> Wrong {
            (s.group.*member).reset();
            if (text == "none") return std::nullopt;
            const Result<Duration> read = parse_duration(text);
            if (!read) return "none or a time is right, such as 30s";
            s.group.*member = *read;
            return std::nullopt;
          }};
}

Field maintenance_field() {
  return {"auto_scaling_group.instance_maintenance_policy",
          "none, or least and most healthy percentage such as 100-200 (launch before terminate).",
          [](const TierSettings& s) {
            const auto& policy = s.group.maintenance_policy;
            return policy ? fmt::format("{}-{}", policy->min_healthy_percentage, policy->max_healthy_percentage)
                          : "none";
          },
          [](TierSettings& s, const std::string& text) -> Wrong {
            s.group.maintenance_policy.reset();
            if (text == "none") return std::nullopt;
            int least = -1;
            int most = -1;
            char rest = 0;
            if (std::sscanf(text.c_str(), "%d-%d%c", &least, &most, &rest) != 2 || least < 0 || least > 100 ||
                most < 100 || most > 200 || most - least > 100) {
              return "none, or 0 to 100 and 100 to 200, at most 100 apart, such as 100-200, is right";
            }
            s.group.maintenance_policy = InstanceMaintenancePolicy{least, most};
            return std::nullopt;
          }};
}

Field termination_field() {
  return {"auto_scaling_group.termination_policies",
          "In order: Default, OldestInstance, NewestInstance, OldestLaunchTemplate, ClosestToNextInstanceHour,\n"
          "  # OldestLaunchConfiguration, AllocationStrategy.",
          [](const TierSettings& s) {
            std::string out;
            for (const TerminationPolicy policy : s.group.termination_policies) {
              out += fmt::format("{}{}", out.empty() ? "" : ", ", to_string(policy));
            }
            return "[" + out + "]";
          },
          [](TierSettings& s, const std::string& text) -> Wrong {
            std::vector<TerminationPolicy> policies;
            for (const std::string& item : split_list(text)) {
              const auto policy = parse_termination_policy(item);
              if (!policy) {
                return fmt::format(
                    "{} is no policy; Default, OldestInstance, NewestInstance, OldestLaunchTemplate, "
                    "ClosestToNextInstanceHour, OldestLaunchConfiguration or AllocationStrategy is right",
                    item);
              }
              policies.push_back(*policy);
            }
            if (policies.empty()) return "at least one policy is right, such as [Default]";
            s.group.termination_policies = policies;
            return std::nullopt;
          },
          true};
}

Field distribution_field() {
  return {"auto_scaling_group.capacity_distribution_strategy",
          "When a zone refuses a launch: balanced-best-effort tries another one, balanced-only waits for it.",
          [](const TierSettings& s) { return std::string(to_string(s.group.capacity_distribution_strategy)); },
          [](TierSettings& s, const std::string& text) -> Wrong {
            using Strategy = CapacityDistributionStrategy;
            for (const Strategy strategy : {Strategy::kBalancedBestEffort, Strategy::kBalancedOnly}) {
              if (text != to_string(strategy)) continue;
              s.group.capacity_distribution_strategy = strategy;
              return std::nullopt;
            }
            return "balanced-best-effort or balanced-only is right";
          }};
}

Field protection_field() {
  return {"auto_scaling_group.new_instances_protected_from_scale_in", "From their coming into service on.",
          [](const TierSettings& s) {
            return std::string(s.group.new_instances_protected_from_scale_in ? "true" : "false");
          },
          [](TierSettings& s, const std::string& text) {
            return read_boolean(text, s.group.new_instances_protected_from_scale_in);
          }};
}

const std::vector<Field>& fields() {
  static const std::vector<Field> all = [] {
    std::vector<Field> list;
    for (auto part :
         {tier_fields(), app_fields(), region_fields(), balancer_fields(), group_size_fields(),
          std::vector<Field>{optional_duration("auto_scaling_group.default_instance_warmup", "none, or a time.",
                                               &GroupSettings::default_instance_warmup),
                             optional_duration("auto_scaling_group.max_instance_lifetime",
                                               "none, or a time of at least 24h after which an instance is replaced.",
                                               &GroupSettings::max_instance_lifetime),
                             maintenance_field(), termination_field(), distribution_field(), protection_field()}}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

const Field* find_field(std::string_view key) {
  for (const Field& field : fields()) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

bool is_section(const std::string& key) {
  return std::any_of(fields().begin(), fields().end(), [&](const Field& f) { return f.key.rfind(key + ".", 0) == 0; });
}

// The keys that may stand where `prefix` ends: for "a key that is known there".
std::string known_keys(const std::string& prefix) {
  std::set<std::string> seen;
  std::string out;
  for (const Field& field : fields()) {
    if (field.key.rfind(prefix, 0) != 0) continue;
    const std::string rest = field.key.substr(prefix.size());
    const std::string part = rest.substr(0, rest.find('.'));
    if (seen.insert(part).second) out += (out.empty() ? "" : ", ") + part;
  }
  return out;
}

// A list or the map of zones as the one-line text that fields read.
std::string flat(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  std::string out;
  if (node.IsSequence()) {
    for (const auto& item : node) out += (out.empty() ? "" : ", ") + flat(item);
  } else if (node.IsMap()) {
    for (const auto& item : node) out += (out.empty() ? "" : ", ") + item.first.Scalar() + ": " + flat(item.second);
  }
  return out;
}

// Which key a field of validate() was set by.
std::string key_of_setting(const TierSettings& settings, const std::string& field) {
  const std::string group = fmt::format("target_groups[{}].", settings.target_group().name);
  if (field.rfind(group, 0) == 0) return "target_group." + field.substr(group.size());
  return "load_balancer." + field;
}

struct Broken {
  std::string key;
  std::string message;  // "VALUE: what would be right"
};

std::optional<Broken> check_whole(const TierSettings& s) {
  const auto capacity = [&](const char* key, int value, const std::string& right) {
    return Broken{std::string("auto_scaling_group.") + key, fmt::format("{}: {}", value, right)};
  };
  if (s.group.max_size < s.group.min_size) {
    return capacity("max_size", s.group.max_size, fmt::format("min_size ({}) or more is right", s.group.min_size));
  }
  if (s.desired_capacity < s.group.min_size || s.desired_capacity > s.group.max_size) {
    return capacity("desired_capacity", s.desired_capacity,
                    fmt::format("min_size ({}) to max_size ({}) is right", s.group.min_size, s.group.max_size));
  }
  for (const SettingError& error : validate(s.region.load_balancer)) {
    const std::string key = key_of_setting(s, error.field);
    std::string message = error.message;
    if (message.rfind(error.field + ": ", 0) == 0) message = message.substr(error.field.size() + 2);
    return Broken{key, message};
  }
  return std::nullopt;
}

}  // namespace

TierSettings::TierSettings() {
  region.zones = {Zone{ZoneName{"eu-west-1a"}, Address::v4(172, 31, 16, 0, 0), 20, 10},
                  Zone{ZoneName{"eu-west-1b"}, Address::v4(172, 31, 32, 0, 0), 20, 10}};
  TargetGroupSettings targets;
  targets.name = "web";
  targets.deregistration_delay = std::chrono::seconds(30);
  targets.health_check.path = "/healthz";
  targets.health_check.interval = std::chrono::seconds(10);
  ListenerSettings listener;
  listener.default_action = ForwardAction{{ForwardTarget{targets.name, 1}}};
  region.load_balancer.listeners = {listener};
  // What a packet takes within a zone and across, by order of magnitude; AWS gives no figures.
  region.load_balancer.network_delay_same_zone = std::chrono::microseconds(500);
  region.load_balancer.network_delay_cross_zone = std::chrono::milliseconds(1);
  region.load_balancer.target_groups = {targets};
  region.load_balancer.zonal_shift_enabled = true;  // AWS's default is false: here nothing is at stake
}

Status SettingsReader::read_file(const std::string& file) {
  std::ifstream stream(file);
  if (!stream)
    return Error{fmt::format("--settings {}: cannot be read; `rr-sim settings` prints one to begin with", file)};
  std::stringstream text;
  text << stream.rdbuf();
  return read_text(text.str(), file);
}

Status SettingsReader::read_text(const std::string& text, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return Error{fmt::format("{}:{}: this is not YAML: {}", file, error.mark.line + 1, error.msg)};
  }
  if (root.IsNull()) return Ok{};
  if (!root.IsMap())
    return Error{fmt::format("{}:1: keys with values are right, as `rr-sim settings` prints them", file)};

  const std::function<Status(const YAML::Node&, const std::string&)> walk = [&](const YAML::Node& map,
                                                                                const std::string& prefix) -> Status {
    std::set<std::string> seen;
    for (const auto& item : map) {
      const std::string part = item.first.IsScalar() ? item.first.Scalar() : "?";
      const std::string key = prefix + part;
      const std::string where = fmt::format("{}:{}: {}", file, item.first.Mark().line + 1, key);
      if (!seen.insert(part).second) return Error{where + ": is there twice; once is right"};
      const Field* field = find_field(key);
      if (field == nullptr && is_section(key)) {
        if (!item.second.IsMap())
          return Error{fmt::format("{}: keys below it are right: {}", where, known_keys(key + "."))};
        if (Status status = walk(item.second, key + "."); !status) return status;
        continue;
      }
      if (field == nullptr) {
        return Error{fmt::format("{}: is no setting{}; known {}: {}", where, prefix.empty() ? "" : " there",
                                 prefix.empty() ? "are" : "there are", known_keys(prefix))};
      }
      if (flags_.count(key) != 0) continue;
      const std::string value = flat(item.second);
      if (Wrong wrong = field->read(settings_, value)) return Error{fmt::format("{}: {}: {}", where, value, *wrong)};
      origin_[key] = where;
    }
    return Ok{};
  };
  return walk(root, "");
}

Status SettingsReader::set(std::string_view key, const std::string& value, const std::string& said_as) {
  const Field* field = find_field(key);
  RR_CHECK(field != nullptr, "a flag that sets no field");
  if (Wrong wrong = field->read(settings_, value)) return Error{fmt::format("{} {}: {}", said_as, value, *wrong)};
  const std::string name_of_key(key);
  origin_[name_of_key] = said_as;
  flags_[name_of_key] = value;
  return Ok{};
}

Status SettingsReader::set_by_name(const std::string& key, const std::string& value) {
  if (find_field(key) != nullptr) return set(key, value, "--set " + key);
  return Error{fmt::format("--set {}: is no setting; `rr-sim settings` prints them all", key)};
}

Result<TierSettings> SettingsReader::finish() const {
  TierSettings whole = settings_;
  whole.region.own_program = !whole.app.empty();
  // A program of the user's need not know our paths: it is checked at / as the ALB does, and asked for no commit.
  if (whole.region.own_program && origin_.count("target_group.health_check.path") == 0) {
    whole.target_group().health_check.path = "/";
  }
  if (whole.region.own_program && origin_.count("app.version_from") == 0) {
    whole.version_from = VersionFrom{VersionFrom::Kind::kNone, ""};
  }
  // The group and the listener name the target group; the group spreads over all zones.
  whole.region.load_balancer.listeners.front().default_action =
      ForwardAction{{ForwardTarget{whole.target_group().name, 1}}};
  whole.group.target_groups = {whole.target_group().name};
  // A zone must not stay in DNS for longer than its node tells healthy targets from others.
  whole.target_group().dns_failover.count = whole.target_group().unhealthy_state_routing.count;
  whole.group.launch_template.template_name = whole.group.name;
  whole.group.launch_template.version = "$Default";
  whole.group.zones.clear();
  for (const Zone& zone : whole.region.zones) whole.group.zones.push_back(zone.name);
  if (const auto broken = check_whole(whole)) {
    const auto origin = origin_.find(broken->key);
    const bool by_flag = flags_.count(broken->key) != 0;
    const std::string where = origin == origin_.end() ? broken->key : origin->second;
    return Error{fmt::format("{}{}{}", where, by_flag ? " " : ": ", broken->message)};
  }
  return whole;
}

Result<GroupSettings> changed_group(const GroupSettings& group, const std::map<std::string, std::string>& changes) {
  TierSettings whole;
  whole.group = group;
  for (const auto& [key, value] : changes) {
    if (key == "launch_template_version") {
      whole.group.launch_template.version = value;
      continue;
    }
    const Field* field = find_field("auto_scaling_group." + key);
    if (key == "desired_capacity") return Error{"desired_capacity: is set with rr-sim scale"};
    if (field == nullptr || key == "name") {
      return Error{
          fmt::format("{}: cannot be changed; there are launch_template_version and, but for name and "
                      "desired_capacity: {}",
                      key, known_keys("auto_scaling_group."))};
    }
    if (Wrong wrong = field->read(whole, value)) return Error{fmt::format("{}={}: {}", key, value, *wrong)};
  }
  return whole.group;
}

namespace {

std::string quoted(const std::string& value) {
  const bool clean = !value.empty() && value.find_first_of("\"'#:{}[],&*!|>%@`\\ ") == std::string::npos;
  if (clean) return value;
  if (value.find('\'') == std::string::npos) return "'" + value + "'";
  std::string out;
  for (const char c : value) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return "\"" + out + "\"";
}

}  // namespace

std::string write_settings(const TierSettings& settings) {
  std::string out =
      "# A tier of rr-sim: every setting with its value. Times are AWS's own; speed divides those that\n"
      "# the control plane waits for. A flag wins over this file.\n";
  std::vector<std::string> open;  // sections we are in
  for (const Field& field : fields()) {
    std::vector<std::string> parts;
    std::stringstream stream(field.key);
    for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
    std::size_t same = 0;
    while (same < open.size() && same + 1 < parts.size() && open[same] == parts[same]) ++same;
    open.resize(same);
    if (same == 0 && (parts.size() > 1 || field.key == "zones")) out += "\n";
    for (std::size_t i = same; i + 1 < parts.size(); ++i) {
      out += fmt::format("{}{}:\n", std::string(2 * i, ' '), parts[i]);
      open.push_back(parts[i]);
    }
    const std::string indent(2 * (parts.size() - 1), ' ');
    const std::string value = field.show(settings);
    if (!field.comment.empty()) out += fmt::format("{}# {}\n", indent, field.comment);
    out += fmt::format("{}{}:{}{}\n", indent, parts.back(), field.raw && value.front() == '\n' ? "" : " ",
                       field.raw ? value : quoted(value));
  }
  return out;
}

Result<VersionFrom> parse_version_from(std::string_view text) {
  const auto colon = text.find(':');
  const std::string kind(text.substr(0, colon));
  const std::string rest(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  VersionFrom from;
  if (kind == "none" && colon == std::string_view::npos) {
    from.kind = VersionFrom::Kind::kNone;
    from.name.clear();
    return from;
  }
  if (kind == "path" && (colon == std::string_view::npos || (!rest.empty() && rest.front() == '/'))) {
    if (!rest.empty()) from.name = rest;
    return from;
  }
  if (kind == "header" && !rest.empty() && rest.find_first_of(" \t:") == std::string::npos) {
    from.kind = VersionFrom::Kind::kHeader;
    from.name = rest;
    return from;
  }
  return Error{fmt::format("{}: path, path:/version, header:NAME or none is right", text)};
}

std::string format_version_from(const VersionFrom& from) {
  switch (from.kind) {
    case VersionFrom::Kind::kPath:
      return "path:" + from.name;
    case VersionFrom::Kind::kHeader:
      return "header:" + from.name;
    case VersionFrom::Kind::kNone:
      return "none";
  }
  return "none";
}

}  // namespace rr::sim
