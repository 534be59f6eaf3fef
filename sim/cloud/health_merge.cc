#include "sim/cloud/health_merge.h"

#include <algorithm>
#include <optional>

namespace rr::sim {
namespace {

/// From best to worst for an instance in several target groups.
int badness(TargetState state) {
  switch (state) {
    case TargetState::kHealthy:
      return 0;
    case TargetState::kUnused:
      return 1;
    case TargetState::kInitial:
      return 2;
    case TargetState::kUnavailable:
      return 3;
    case TargetState::kDraining:
      return 4;
    case TargetState::kUnhealthy:
      return 5;
  }
  return 5;
}

/// The fresh reports about one target group.
std::optional<Health> merge_one(Time now, Duration interval, const std::vector<HealthReport>& reports,
                                const std::string& target_group) {
  const Health* draining = nullptr;
  const Health* healthy = nullptr;
  const Health* unhealthy = nullptr;
  const Health* other = nullptr;
  for (const HealthReport& report : reports) {
    if (report.target_group != target_group || now - report.time > 2 * interval) continue;
    const TargetState state = report.health.state;
    const Health*& slot = state == TargetState::kDraining    ? draining
                          : state == TargetState::kHealthy   ? healthy
                          : state == TargetState::kUnhealthy ? unhealthy
                                                             : other;
    if (slot == nullptr) slot = &report.health;
  }
  for (const Health* found : {draining, healthy, other, unhealthy}) {
    if (found != nullptr) return *found;
  }
  return std::nullopt;
}

}  // namespace

MergedHealth merge_health(Time now, Duration interval, const std::vector<HealthReport>& reports, const Health& last) {
  std::optional<Health> worst;
  for (auto report = reports.begin(); report != reports.end(); ++report) {
    // Each target group once, at its first report; there are few reports of an instance, so no set is needed.
    const auto same_group = [&](const HealthReport& other) { return other.target_group == report->target_group; };
    if (std::any_of(reports.begin(), report, same_group)) continue;
    const std::optional<Health> merged = merge_one(now, interval, reports, report->target_group);
    if (merged && (!worst || badness(merged->state) > badness(worst->state))) worst = merged;
  }
  if (!worst) return {last, true};
  return {*worst, false};
}

}  // namespace rr::sim
