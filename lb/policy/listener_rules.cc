#include "lb/policy/listener_rules.h"

#include <algorithm>
#include <string>

#include "lb/base/check.h"

namespace rr {
namespace {

std::size_t index_of(std::string_view name, std::span<const TargetGroupSettings> target_groups) {
  const auto found = std::find_if(target_groups.begin(), target_groups.end(),
                                  [&](const TargetGroupSettings& group) { return group.name == name; });
  RR_CHECK(found != target_groups.end(), "a rule names a target group that does not exist");
  return static_cast<std::size_t>(found - target_groups.begin());
}

}  // namespace

ListenerRules::Rule ListenerRules::compile(const RuleSettings& settings,
                                           std::span<const TargetGroupSettings> target_groups) {
  Rule rule{settings.priority,
            RuleConditions(settings.conditions),
            settings.action,
            RuleTransforms(settings.host_header_rewrite, settings.url_rewrite),
            {},
            {},
            {}};
  const auto* forward = std::get_if<ForwardAction>(&settings.action);
  if (forward == nullptr) return rule;
  rule.stickiness = forward->stickiness;
  rule.sticky = forward->stickiness.enabled;
  std::uint64_t sum = 0;
  for (const ForwardTarget& target : forward->target_groups) {
    rule.target_groups.push_back(index_of(target.target_group, target_groups));
    rule.names.push_back(sticky_name(target.target_group));
    rule.sticky = rule.sticky || target_groups[rule.target_groups.back()].stickiness.enabled;
    if (target.weight == 0) continue;
    sum += static_cast<std::uint64_t>(target.weight);
    rule.weighted.push_back({rule.target_groups.back(), sum});
  }
  RR_CHECK(!rule.weighted.empty(), "a forward action needs a target group with a weight");
  return rule;
}

ListenerRules::ListenerRules(const ListenerSettings& listener, std::span<const TargetGroupSettings> target_groups) {
  for (const RuleSettings& rule : listener.rules) rules_.push_back(compile(rule, target_groups));
  std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) { return a.priority < b.priority; });
  rules_.push_back(compile(RuleSettings{.action = listener.default_action}, target_groups));
}

RuleChoice ListenerRules::chosen(std::size_t rule) const {
  const Rule& one = rules_[rule];
  RuleChoice choice;
  choice.priority = one.priority;
  choice.action = &one.action;
  if (!one.transforms.empty()) choice.transforms = &one.transforms;
  choice.evaluated = std::min(rule + 1, rules_.size() - 1);
  choice.rule = rule;
  choice.sticky = one.sticky;
  return choice;
}

RuleChoice ListenerRules::match(const RuleInput& input) const {
  const std::size_t default_rule = rules_.size() - 1;
  if (default_rule == 0) return chosen(default_rule);
  const RequestParts parts = split_request(input.request);
  std::string scratch;
  const RuleSubject subject{input.request, parts, normalise_path(parts.path, scratch), input.client};
  std::size_t rule = 0;
  while (rule < default_rule && !rules_[rule].conditions.hold(subject)) ++rule;
  return chosen(rule);
}

std::optional<std::size_t> ListenerRules::draw(const RuleChoice& choice, Rng& random) const {
  const std::vector<Weighted>& weighted = rules_[choice.rule].weighted;
  if (weighted.empty()) return std::nullopt;
  if (weighted.size() == 1) return weighted.front().target_group;
  const std::uint64_t drawn = random.below(weighted.back().weights_up_to_here);
  const auto found = std::find_if(weighted.begin(), weighted.end(),
                                  [drawn](const Weighted& w) { return drawn < w.weights_up_to_here; });
  return found->target_group;
}

RuleChoice ListenerRules::choose(const RuleInput& input, Rng& random) const {
  RuleChoice choice = match(input);
  choice.target_group = draw(choice, random);
  return choice;
}

const TargetGroupStickiness& ListenerRules::group_stickiness(const RuleChoice& choice) const {
  return rules_[choice.rule].stickiness;
}

std::optional<std::size_t> ListenerRules::claimed(const RuleChoice& choice, const GroupClaim& claim, Time now) const {
  if (claim.expires <= now) return std::nullopt;
  const Rule& rule = rules_[choice.rule];
  const auto found = std::find(rule.names.begin(), rule.names.end(), claim.group);
  if (found == rule.names.end()) return std::nullopt;
  return rule.target_groups[static_cast<std::size_t>(found - rule.names.begin())];
}

std::span<const std::size_t> ListenerRules::target_groups(const RuleChoice& choice) const {
  return rules_[choice.rule].target_groups;
}

}  // namespace rr
