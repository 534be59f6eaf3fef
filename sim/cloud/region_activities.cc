// Scaling activities: begun, moved on and ended.
#include <fmt/format.h>

#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr std::size_t kActivitiesKept = 1'000;

}  // namespace

void Region::Machine::add_activity(ScalingActivity activity) {
  activity.number = state_.next_activity++;
  state_.activities.push_back(std::move(activity));
  if (state_.activities.size() > kActivitiesKept) state_.activities.pop_front();
}

void Region::Machine::begin_activity(Time now, ActivityKind kind, const Instance& instance, const std::string& cause,
                                     const std::string& description) {
  const bool is_launch = kind == ActivityKind::kLaunch;
  open_activities_[{kind, instance.id}] = state_.next_activity;
  add_activity({.group = instance.group,
                .instance = instance.id,
                .description = description,
                .cause = cause,
                .status_code = is_launch ? "PreInService" : "InProgress",
                .status_message = {},
                .zone = instance.zone,
                .progress = is_launch ? 30 : 0,
                .started = now,
                .ended = std::nullopt});
}

ScalingActivity* Region::Machine::open_activity(ActivityKind kind, const InstanceId& instance) {
  const auto open = open_activities_.find({kind, instance});
  if (open == open_activities_.end() || state_.activities.empty()) return nullptr;
  const std::uint64_t oldest = state_.activities.front().number;
  if (open->second < oldest) return nullptr;  // so many since that it has been dropped
  return &state_.activities[static_cast<std::size_t>(open->second - oldest)];
}

void Region::Machine::progress_activity(ActivityKind kind, const InstanceId& instance, std::string_view status,
                                        int progress) {
  if (ScalingActivity* activity = open_activity(kind, instance)) {
    activity->status_code = status;
    activity->progress = progress;
  }
}

void Region::Machine::end_activity(Time now, ActivityKind kind, const InstanceId& instance, std::string_view status,
                                   std::string_view message) {
  if (ScalingActivity* activity = open_activity(kind, instance)) {
    activity->status_code = status;
    activity->status_message = message;
    activity->progress = 100;
    activity->ended = now;
  }
  open_activities_.erase({kind, instance});
}

}  // namespace rr::sim
