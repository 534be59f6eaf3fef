#include "lb/policy/group_use.h"

#include <algorithm>

namespace rr {
namespace {

bool forwards(const RuleAction& action, std::string_view target_group) {
  const auto* forward = std::get_if<ForwardAction>(&action);
  return forward != nullptr && std::any_of(forward->target_groups.begin(), forward->target_groups.end(),
                                           [&](const ForwardTarget& one) { return one.target_group == target_group; });
}

}  // namespace

bool forwards_to(const LoadBalancerSettings& settings, std::string_view target_group) {
  return std::any_of(settings.listeners.begin(), settings.listeners.end(), [&](const ListenerSettings& listener) {
    return forwards(listener.default_action, target_group) ||
           std::any_of(listener.rules.begin(), listener.rules.end(),
                       [&](const RuleSettings& rule) { return forwards(rule.action, target_group); });
  });
}

}  // namespace rr
