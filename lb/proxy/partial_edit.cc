#include "lb/proxy/partial_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lb/document/map_reader.h"
#include "lb/policy/setting_errors.h"

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

template <class List, class Name>
EditFailure none_of_that_name(const char* code, const char* field, const std::string& name, const char* noun,
                              const List& list, Name name_of) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(name_of(one));
  const std::string there = names.empty() ? "there is none" : fmt::format("there is {}", fmt::join(names, ", "));
  return failure_of(404, code, field, name, fmt::format("{} is not a {} here: {}", shown(name), noun, there));
}

/// The load balancer that the path names.
Result<std::size_t, EditFailure> find_balancer(const NodeConfig& config, const ConfigPath& path) {
  for (std::size_t i = 0; i < config.load_balancers.size(); ++i) {
    if (config.load_balancers[i].settings.name == path.load_balancer) return i;
  }
  return none_of_that_name("LoadBalancerNotFound", "load_balancers", path.load_balancer, "load balancer",
                           config.load_balancers, [](const auto& one) { return one.settings.name; });
}

/// Reads the body as one map; all that is wrong with it.
template <class Read>
std::optional<EditFailure> read_body(std::string_view body, Read read) {
  const auto document = parse_json_document(body);
  if (!document) return failure_of(400, "ValidationError", "", nullptr, document.error().message);
  ConfigErrors errors;
  {
    MapReader map(*document, "", "", errors);
    read(map);
  }
  if (errors.empty()) return std::nullopt;
  return EditFailure{400, with_fields(*document, errors)};
}

// --------------------------------------------------------------------------------------------------------- targets

bool is_same(const TargetSpec& a, const TargetSpec& b) { return a.id == b.id && a.address.port == b.address.port; }

/// RegisterTargets: one that is registered already takes what is said of it now.
void add_targets(std::vector<TargetSpec>& targets, const std::vector<TargetSpec>& added) {
  for (const TargetSpec& target : added) {
    const auto present =
        std::find_if(targets.begin(), targets.end(), [&](const TargetSpec& one) { return is_same(one, target); });
    if (present == targets.end()) {
      targets.push_back(target);
    } else {
      *present = target;
    }
  }
}

std::optional<EditFailure> remove_target(std::vector<TargetSpec>& targets, const EditRequest& request) {
  const std::string& id = request.path.of_that;
  const auto is_meant = [&](const TargetSpec& one) {
    return one.id == id && (!request.port || one.address.port == *request.port);
  };
  const auto count = std::count_if(targets.begin(), targets.end(), is_meant);
  if (count == 0) {
    return failure_of(404, "InvalidTarget", "id", id, fmt::format("{} is not registered in this group", shown(id)));
  }
  if (count > 1) {
    return failure_of(400, "ValidationError", "port", nullptr,
                      fmt::format("{} is registered with {} ports: say which one, as in ?port=8080", shown(id), count));
  }
  std::erase_if(targets, is_meant);
  return std::nullopt;
}

Result<Edit, EditFailure> edit_targets(NodeConfig config, const EditRequest& request, std::size_t balancer) {
  LoadBalancerConfig& of = config.load_balancers[balancer];
  const auto& groups = of.settings.target_groups;
  const auto group =
      std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.name == request.path.of_it; });
  if (group == groups.end()) {
    return none_of_that_name("TargetGroupNotFound", "target_groups", request.path.of_it, "target group", groups,
                             [](const auto& one) { return one.name; });
  }
  std::vector<TargetSpec>& targets = of.targets[static_cast<std::size_t>(group - groups.begin())];
  if (request.path.part == ConfigPart::kTarget) {
    if (auto failure = remove_target(targets, request)) return *failure;
    return Edit{std::move(config), false, request.path};
  }
  auto update = read_targets(request.body);
  if (!update) return EditFailure{400, with_fields(request.body, update.error())};
  if (update->load_balancer || update->target_group) {
    return failure_of(400, "ValidationError", update->target_group ? "target_group" : "load_balancer", nullptr,
                      "is said by the path: leave it out");
  }
  if (request.method == "PUT") {
    targets = std::move(update->targets);
  } else {
    add_targets(targets, update->targets);
  }
  return Edit{std::move(config), false, request.path};
}

// --------------------------------------------------------------------------------------------------- order of rules

struct NewPriority {
  int rule = 0;
  int priority = 0;
};

std::optional<EditFailure> read_priorities(std::string_view body, std::vector<NewPriority>& out) {
  return read_body(body, [&](MapReader& map) {
    map.require("rule_priorities");
    map.list("rule_priorities", [&](const Document& item, const std::string& path) {
      MapReader inner(map, item, path);
      NewPriority& one = out.emplace_back();
      inner.require("rule");
      inner.number("rule", one.rule);
      inner.require("priority");
      inner.number("priority", one.priority);
    });
  });
}

/// SetRulePriorities: all of them at once, so that two rules can change places.
Result<Edit, EditFailure> set_priorities(NodeConfig config, const EditRequest& request, std::size_t balancer) {
  auto& listeners = config.load_balancers[balancer].settings.listeners;
  const auto listener =
      std::find_if(listeners.begin(), listeners.end(), [&](const auto& one) { return one.name == request.path.of_it; });
  if (listener == listeners.end()) {
    return none_of_that_name("ListenerNotFound", "listeners", request.path.of_it, "listener", listeners,
                             [](const auto& one) { return one.name; });
  }
  std::vector<NewPriority> wanted;
  if (auto failure = read_priorities(request.body, wanted)) return *failure;
  const std::vector<RuleSettings> before = listener->rules;
  std::set<int> moved;
  for (const NewPriority& one : wanted) {
    const auto rule =
        std::find_if(before.begin(), before.end(), [&](const auto& old) { return old.priority == one.rule; });
    if (rule == before.end()) {
      return none_of_that_name("RuleNotFound", "rule_priorities", std::to_string(one.rule), "rule", before,
                               [](const auto& old) { return std::to_string(old.priority); });
    }
    if (!moved.insert(one.rule).second) {
      return failure_of(400, "ValidationError", "rule_priorities", one.rule,
                        fmt::format("rule {} is named twice: a rule has one priority", one.rule));
    }
    listener->rules[static_cast<std::size_t>(rule - before.begin())].priority = one.priority;
  }
  return Edit{std::move(config), false, request.path};
}

// ------------------------------------------------------------------------------------------------------ zonal shift

bool is_active(const std::optional<ZonalShift>& shift, Time now) { return shift && now < shift->expires; }

/// Every zone that the load balancer has something to do with.
std::set<std::string> zones_of(const NodeConfig& config, const LoadBalancerConfig& balancer) {
  std::set<std::string> zones(balancer.settings.availability_zones.begin(), balancer.settings.availability_zones.end());
  if (!config.zone.empty()) zones.insert(config.zone);
  if (!balancer.settings.availability_zones.empty()) return zones;
  for (const auto& targets : balancer.targets) {
    for (const TargetSpec& target : targets) {
      if (!target.zone.empty() && target.zone != "all") zones.insert(target.zone);
    }
  }
  return zones;
}

struct WantedShift {
  std::string away_from;
  Duration expires_in{};
};

std::optional<EditFailure> read_shift(const EditRequest& request, WantedShift& out) {
  return read_body(request.body, [&](MapReader& map) {
    if (request.method == "PUT") {
      map.require("away_from");
      map.text("away_from", out.away_from);
    }
    map.require("expires_in");
    map.duration("expires_in", out.expires_in);
  });
}

/// StartZonalShift takes 1 minute to 3 days.
std::optional<EditFailure> check_expiry(Duration expires_in, bool unrestricted) {
  const Duration least = unrestricted ? kMinimumUnrestricted : kMinimumZonalShift;
  if (expires_in >= least && expires_in <= kMaximumZonalShift) return std::nullopt;
  return failure_of(400, "InvalidExpiresIn", "expires_in", format_duration(expires_in),
                    fmt::format("{} is out of range: {} to {}{}", format_duration(expires_in), format_duration(least),
                                format_duration(kMaximumZonalShift),
                                unrestricted || expires_in > kMaximumZonalShift ? "" : " (or unrestricted: true)"));
}

std::optional<EditFailure> check_zone(const NodeConfig& config, const LoadBalancerConfig& balancer,
                                      const std::string& zone) {
  const std::set<std::string> zones = zones_of(config, balancer);
  if (zones.contains(zone)) return std::nullopt;
  return failure_of(400, "InvalidAz", "away_from", zone,
                    fmt::format("{} is not a zone of this load balancer: {}", shown(zone),
                                zones.empty() ? "it has none" : fmt::format("{}", fmt::join(zones, ", "))));
}

EditFailure no_shift(const std::string& load_balancer) {
  return failure_of(404, "ResourceNotFoundException", "zonal_shift", nullptr,
                    fmt::format("load balancer {} has none in force: PUT starts one", shown(load_balancer)));
}

Result<Edit, EditFailure> edit_shift(NodeConfig config, const EditRequest& request, std::size_t number) {
  LoadBalancerConfig& balancer = config.load_balancers[number];
  std::optional<ZonalShift>& shift = balancer.settings.zonal_shift;
  const bool active = is_active(shift, request.now);
  if (request.method != "PUT" && !active) return no_shift(balancer.settings.name);
  if (request.method == "DELETE") {
    shift.reset();
    return Edit{std::move(config), false, request.path};
  }
  WantedShift wanted;
  if (auto failure = read_shift(request, wanted)) return *failure;
  if (auto failure = check_expiry(wanted.expires_in, balancer.settings.unrestricted)) return *failure;
  if (request.method == "PATCH") {
    shift->expires = request.now + wanted.expires_in;
    return Edit{std::move(config), false, request.path};
  }
  if (auto failure = check_zone(config, balancer, wanted.away_from)) return *failure;
  if (active && shift->zone != wanted.away_from) {
    return failure_of(409, "ZonalShiftAlreadyExists", "away_from", wanted.away_from,
                      fmt::format("traffic is being shifted away from {} until {}: one zone at a time",
                                  shown(shift->zone), format_iso8601(shift->expires, 3)));
  }
  shift = ZonalShift{wanted.away_from, request.now + wanted.expires_in};
  return Edit{std::move(config), !active, request.path};
}

}  // namespace

EditFailure failure_of(int status, std::string code, std::string field, const Json& value,
                       const std::string& sentence) {
  std::string message = field.empty() ? sentence : field + ": " + sentence;
  EditFailure failure;
  failure.status = status;
  std::string text = value.is_null() ? "" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  failure.errors.push_back({std::move(code), std::move(field), std::move(text), std::move(message)});
  return failure;
}

Result<Edit, EditFailure> edit_in_place(const NodeConfig& config, const EditRequest& request) {
  const auto balancer = find_balancer(config, request.path);
  if (!balancer) return balancer.error();
  if (request.path.part == ConfigPart::kZonalShift) return edit_shift(config, request, *balancer);
  if (request.path.part == ConfigPart::kRulePriorities) return set_priorities(config, request, *balancer);
  return edit_targets(config, request, *balancer);
}

Json zonal_shift_json(const ZonalShift& shift, Time now) {
  return {{"away_from", shift.zone},
          {"expires", format_iso8601(shift.expires, 3)},
          {"status", now < shift.expires ? "ACTIVE" : "EXPIRED"}};
}

Result<Json, EditFailure> show_zonal_shift(const NodeConfig& config, const ConfigPath& path, Time now) {
  const auto balancer = find_balancer(config, path);
  if (!balancer) return balancer.error();
  const LoadBalancerSettings& settings = config.load_balancers[*balancer].settings;
  if (!settings.zonal_shift) return no_shift(settings.name);
  return zonal_shift_json(*settings.zonal_shift, now);
}

}  // namespace rr
