// The ranges of StartInstanceRefresh's preferences.
#include <fmt/format.h>

#include "sim/cloud/refresh_state.h"

namespace rr::sim {
namespace {

constexpr Duration kLongestDelay = std::chrono::seconds(172'800);
constexpr std::size_t kMostAlarms = 10;

using Wrong = std::optional<std::string>;

bool in_range(Duration value, Duration most) { return value >= Duration::zero() && value <= most; }

Wrong wrong_percentages(const RefreshPreferences& asked) {
  const auto& least = asked.min_healthy_percentage;
  const auto& most = asked.max_healthy_percentage;
  if (least && (*least < 0 || *least > 100)) {
    return fmt::format("MinHealthyPercentage {}: 0 to 100 is right", *least);
  }
  if (!most) return std::nullopt;
  if (*most < 100 || *most > 200) return fmt::format("MaxHealthyPercentage {}: 100 to 200 is right", *most);
  if (!least) return fmt::format("MaxHealthyPercentage {}: needs MinHealthyPercentage to be given too", *most);
  if (*most - *least > 100) {
    return fmt::format("MinHealthyPercentage {}, MaxHealthyPercentage {}: at most 100 apart is right", *least, *most);
  }
  return std::nullopt;
}

Wrong wrong_checkpoints(const RefreshPreferences& asked) {
  int before = 0;
  for (const int percentage : asked.checkpoint_percentages) {
    if (percentage <= before || percentage > 100) {
      return fmt::format("CheckpointPercentages {}: ascending numbers from 1 to 100, each once, are right", percentage);
    }
    before = percentage;
  }
  if (!asked.checkpoint_delay) return std::nullopt;
  if (!in_range(*asked.checkpoint_delay, kLongestDelay)) {
    return fmt::format("CheckpointDelay {}: 0 to 172800 seconds is right", format_duration(*asked.checkpoint_delay));
  }
  if (asked.checkpoint_percentages.empty()) {
    return fmt::format("CheckpointDelay {}: needs CheckpointPercentages to be given too",
                       format_duration(*asked.checkpoint_delay));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> wrong_preferences(const RefreshPreferences& asked) {
  if (Wrong wrong = wrong_percentages(asked)) return wrong;
  if (Wrong wrong = wrong_checkpoints(asked)) return wrong;
  if (asked.instance_warmup && *asked.instance_warmup < Duration::zero()) {
    return "InstanceWarmup: 0 seconds or more is right";
  }
  if (!in_range(asked.bake_time, kLongestDelay)) return "BakeTime: 0 to 172800 seconds is right";
  if (asked.alarms.size() > kMostAlarms) {
    return fmt::format("AlarmSpecification: {} alarms are too many, at most {} are right", asked.alarms.size(),
                       kMostAlarms);
  }
  return std::nullopt;
}

}  // namespace rr::sim
