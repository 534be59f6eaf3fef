#include "sim/cloud/model.h"

#include <array>

namespace rr::sim {
namespace {

constexpr std::array kTerminationPolicies{
    TerminationPolicy::kDefault,
    TerminationPolicy::kOldestInstance,
    TerminationPolicy::kNewestInstance,
    TerminationPolicy::kOldestLaunchTemplate,
    TerminationPolicy::kClosestToNextInstanceHour,
};

}  // namespace

const LaunchTemplateVersion* LaunchTemplate::version(int number) const {
  for (const LaunchTemplateVersion& candidate : versions) {
    if (candidate.number == number) return &candidate;
  }
  return nullptr;
}

std::string_view to_string(TerminationPolicy policy) {
  switch (policy) {
    case TerminationPolicy::kDefault:
      return "Default";
    case TerminationPolicy::kOldestInstance:
      return "OldestInstance";
    case TerminationPolicy::kNewestInstance:
      return "NewestInstance";
    case TerminationPolicy::kOldestLaunchTemplate:
      return "OldestLaunchTemplate";
    case TerminationPolicy::kClosestToNextInstanceHour:
      return "ClosestToNextInstanceHour";
  }
  return "";
}

std::optional<TerminationPolicy> parse_termination_policy(std::string_view text) {
  for (const TerminationPolicy policy : kTerminationPolicies) {
    if (text == to_string(policy)) return policy;
  }
  return std::nullopt;
}

}  // namespace rr::sim
