#include "lb/policy/rule_validation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "lb/policy/condition_validation.h"
#include "lb/policy/redirect.h"
#include "lb/policy/rule_regex.h"
#include "lb/policy/setting_errors.h"

namespace rr {
namespace {

constexpr std::array<std::string_view, 5> kContentTypes{"text/plain", "text/css", "text/html", "application/javascript",
                                                        "application/json"};

const TargetGroupSettings* find_group(std::span<const TargetGroupSettings> groups, std::string_view name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

/// Stickiness of targets inside of a choice among groups needs the group to be sticky too.
void check_group_stickiness(SettingErrors& errors, const ForwardAction& action,
                            std::span<const TargetGroupSettings> groups) {
  errors.in_range("stickiness.duration", action.stickiness.duration, kMinimumStickiness, kMaximumStickiness);
  if (action.target_groups.size() < 2) return;
  for (const ForwardTarget& target : action.target_groups) {
    const TargetGroupSettings* group = find_group(groups, target.target_group);
    if (group == nullptr || !group->stickiness.enabled) continue;
    const std::string field = fmt::format("target_groups[{}]", one_line(target.target_group));
    if (group->stickiness.type == StickinessType::kAppCookie) {
      errors.add(field, fmt::format("{} has stickiness of type app_cookie, which does not go with several target "
                                    "groups (InvalidConfigurationRequest)",
                                    shown(target.target_group)));
    } else if (!action.stickiness.enabled) {
      errors.add("stickiness.enabled", fmt::format("false does not go with target group {}, which has stickiness: "
                                                   "enable both or none (InvalidConfigurationRequest)",
                                                   shown(target.target_group)));
    }
  }
}

void check_forward(SettingErrors& errors, const ForwardAction& action, std::span<const TargetGroupSettings> groups) {
  const std::size_t count = action.target_groups.size();
  if (count < 1 || count > kMaximumForwardTargets) {
    errors.add("target_groups", fmt::format("{} target groups: 1 to {}{}", count, kMaximumForwardTargets,
                                            count > 0 ? " (TooManyUniqueTargetGroupsPerLoadBalancer)" : ""));
  }
  std::set<std::string_view> seen;
  bool positive = count == 0;
  bool in_range = true;
  for (const ForwardTarget& target : action.target_groups) {
    const std::string field = fmt::format("target_groups[{}]", one_line(target.target_group));
    if (!seen.insert(target.target_group).second) {
      errors.add(field, fmt::format("{} is named twice: name each target group once", shown(target.target_group)));
    }
    if (find_group(groups, target.target_group) == nullptr) {
      errors.add(field, fmt::format("{} is not a target group of this load balancer", shown(target.target_group)));
    }
    errors.in_range(field + ".weight", target.weight, 0, kMaximumWeight);
    in_range = in_range && target.weight >= 0 && target.weight <= kMaximumWeight;
    positive = positive || target.weight > 0;
  }
  if (in_range && !positive) {
    errors.add("target_groups", fmt::format("every weight is 0: give one a weight of 1 to {}", kMaximumWeight));
  }
  check_group_stickiness(errors, action, groups);
}

/// Length, characters and placeholders of one part.
void check_redirect_part(SettingErrors& errors, std::string_view field, RedirectPart part, std::string_view text,
                         std::size_t least) {
  if (text.size() < least || text.size() > kMaximumConditionValue) {
    errors.add(field,
               fmt::format("{} has {} characters: {} to {}", shown(text), text.size(), least, kMaximumConditionValue));
  } else if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    errors.add(field, fmt::format("{} may hold visible ASCII characters only", shown(text)));
  } else if (const std::string wrong = wrong_placeholder(part, text); !wrong.empty()) {
    errors.add(field, fmt::format("{} {}", shown(text), wrong));
  }
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

/// The listeners speak HTTP, so that HTTPS to HTTP, which AWS refuses, cannot come up.
void check_redirect(SettingErrors& errors, const RedirectAction& action) {
  const RedirectAction unchanged;
  if (action.status != 301 && action.status != 302) errors.add("status", fmt::format("{}: 301 or 302", action.status));
  if (action.protocol != "HTTP" && action.protocol != "HTTPS" && action.protocol != unchanged.protocol) {
    errors.add("protocol", fmt::format("{}: HTTP, HTTPS or {}", shown(action.protocol), unchanged.protocol));
  }
  if (action.port != unchanged.port && !is_port(action.port)) {
    errors.add("port", fmt::format("{}: 1 to 65535 or {}", shown(action.port), unchanged.port));
  }
  check_redirect_part(errors, "host", RedirectPart::kHost, action.host, 1);
  check_redirect_part(errors, "path", RedirectPart::kPath, action.path, 1);
  check_redirect_part(errors, "query", RedirectPart::kQuery, action.query, 0);
  if (!action.host.empty() && action.host.find_first_of("/?#@\\") != std::string::npos &&
      wrong_placeholder(RedirectPart::kHost, action.host).empty() && action.host.find("#{host}") == std::string::npos) {
    errors.add("host", fmt::format("{} is not a host name", shown(action.host)));
  }
  if (!action.path.empty() && !action.path.starts_with('/')) {
    errors.add("path", fmt::format("{} does not begin with /: write one like /#{{path}}", shown(action.path)));
  }
  if (action.query.starts_with('?')) {
    errors.add("query", fmt::format("{} begins with ?, which is added by itself", shown(action.query)));
  }
  if (action.protocol == unchanged.protocol && action.host == unchanged.host && action.port == unchanged.port &&
      action.path == unchanged.path) {
    errors.add("type",
               "The redirect configuration is not valid because it creates a loop (InvalidLoadBalancerAction): change "
               "protocol, host, port or path");
  }
}

void check_fixed_response(SettingErrors& errors, const FixedResponseAction& action) {
  const int hundreds = action.status / 100;
  if (action.status < 200 || action.status > 599 || hundreds == 3) {
    errors.add("status", fmt::format("{} is out of range: 200 to 299 or 400 to 599", action.status));
  }
  if (std::find(kContentTypes.begin(), kContentTypes.end(), action.content_type) == kContentTypes.end()) {
    errors.add("content_type",
               fmt::format("{} is not offered: {}", shown(action.content_type), fmt::join(kContentTypes, ", ")));
  }
  if (action.body.size() > kMaximumFixedResponseBody) {
    errors.add("body", fmt::format("{} has {} bytes: 0 to {}", shown(action.body), action.body.size(),
                                   kMaximumFixedResponseBody));
  }
}

void check_rewrite(SettingErrors& errors, const std::string& field, const std::optional<Rewrite>& rewrite) {
  if (!rewrite) return;
  const auto length = [&](const char* name, std::string_view text, std::size_t least) {
    if (text.size() >= least && text.size() <= kMaximumRewrite) return true;
    errors.add(field + "." + name,
               fmt::format("{} has {} characters: {} to {}", shown(text), text.size(), least, kMaximumRewrite));
    return false;
  };
  const bool replace_fits = length("replace", rewrite->replace, 0);
  if (!length("regex", rewrite->regex, 1)) return;
  const auto regex = RuleRegex::compile(rewrite->regex, false);
  if (!regex) {
    errors.add(field + ".regex", fmt::format("{} is not an expression that is supported: {} (ValidationError)",
                                             shown(rewrite->regex), one_line(regex.error().message)));
  } else if (replace_fits && highest_group(rewrite->replace) > regex->groups()) {
    errors.add(field + ".replace", fmt::format("{} names group ${}, but the regex has {}", shown(rewrite->replace),
                                               highest_group(rewrite->replace), regex->groups()));
  }
}

std::vector<SettingError> check_rule(const RuleSettings& rule, std::span<const TargetGroupSettings> groups) {
  SettingErrors errors;
  errors.in_range("priority", rule.priority, 1, kMaximumPriority);
  errors.add_all(validate_conditions(rule.conditions));
  SettingErrors of_action("action.");
  of_action.add_all(validate_action(rule.action, groups));
  errors.add_all(of_action.take());
  check_rewrite(errors, "host_header_rewrite", rule.host_header_rewrite);
  check_rewrite(errors, "url_rewrite", rule.url_rewrite);
  return errors.take();
}

}  // namespace

std::vector<SettingError> validate_action(const RuleAction& action, std::span<const TargetGroupSettings> groups) {
  SettingErrors errors;
  if (const auto* forward = std::get_if<ForwardAction>(&action)) check_forward(errors, *forward, groups);
  if (const auto* redirect = std::get_if<RedirectAction>(&action)) check_redirect(errors, *redirect);
  if (const auto* fixed = std::get_if<FixedResponseAction>(&action)) check_fixed_response(errors, *fixed);
  return errors.take();
}

std::vector<SettingError> validate_rules(std::span<const RuleSettings> rules,
                                         std::span<const TargetGroupSettings> groups) {
  SettingErrors errors;
  std::set<int> priorities;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    SettingErrors inner(fmt::format("rules[{}].", i));
    if (!priorities.insert(rules[i].priority).second) {
      inner.add("priority", fmt::format("Priority '{}' is currently in use (PriorityInUse): give each rule of a "
                                        "listener a priority of its own",
                                        rules[i].priority));
    }
    inner.add_all(check_rule(rules[i], groups));
    errors.add_all(inner.take());
  }
  return errors.take();
}

}  // namespace rr
