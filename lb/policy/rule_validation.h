#pragma once
// The part of validate() that looks at listeners' rules and actions. Where AWS's own message is known it is the
// beginning of ours; the code that AWS's API gives it stands in brackets.
#include <span>
#include <string>
#include <vector>

#include "lb/policy/settings.h"

namespace rr {

/// What is wrong with an action, its fields named from the action ("target_groups[web].weight").
std::vector<SettingError> validate_action(const RuleAction& action, std::span<const TargetGroupSettings> groups);

/// What is wrong with the rules of a listener: "rules[0].conditions[1].values[2]", rules by their place in the list
/// because their priorities may be what is wrong.
std::vector<SettingError> validate_rules(std::span<const RuleSettings> rules,
                                         std::span<const TargetGroupSettings> groups);

}  // namespace rr
