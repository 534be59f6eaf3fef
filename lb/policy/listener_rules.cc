#include "lb/policy/listener_rules.h"

#include <algorithm>

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

ListenerRules::ListenerRules(const ListenerSettings& listener, std::span<const TargetGroupSettings> target_groups) {
  Rule rule{0, listener.default_action, {}};
  if (const auto* forward = std::get_if<ForwardAction>(&rule.action)) {
    std::uint64_t sum = 0;
    for (const ForwardTarget& target : forward->target_groups) {
      if (target.weight == 0) continue;
      sum += static_cast<std::uint64_t>(target.weight);
      rule.weighted.push_back({index_of(target.target_group, target_groups), sum});
    }
    RR_CHECK(!rule.weighted.empty(), "a forward action needs a target group with a weight");
  }
  rules_.push_back(std::move(rule));
}

RuleChoice ListenerRules::choose(const RuleInput&, Rng& random) const {
  // Only the default action exists, and it has no conditions: the last rule, whatever the request.
  const Rule& rule = rules_.back();
  RuleChoice choice{rule.priority, &rule.action, std::nullopt};
  if (rule.weighted.size() == 1) {
    choice.target_group = rule.weighted.front().target_group;
  } else if (!rule.weighted.empty()) {
    const std::uint64_t drawn = random.below(rule.weighted.back().weights_up_to_here);
    const auto chosen = std::find_if(rule.weighted.begin(), rule.weighted.end(),
                                     [drawn](const Weighted& w) { return drawn < w.weights_up_to_here; });
    choice.target_group = chosen->target_group;
  }
  return choice;
}

}  // namespace rr
