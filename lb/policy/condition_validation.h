#pragma once
// The part of validate() that looks at one rule's conditions.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
#include <span>
#include <vector>

#include "lb/policy/settings.h"

namespace rr {

/// What is wrong with the conditions of a rule, fields named from the rule ("conditions[1].values[2]").
std::vector<SettingError> validate_conditions(std::span<const RuleCondition> conditions);

}  // namespace rr
