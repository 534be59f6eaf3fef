#pragma once
// The members of each event, and the events' names.
#include <array>

#include "sim/cloud/region.h"
#include "sim/store/fields.h"

namespace rr::sim {

template <>
struct AlternativeNames<Event> {
  static constexpr std::array kNames{"InstanceRunning", "InstanceStopped", "LaunchFailed", "TargetHealthReported",
                                     "TargetDrained",   "NodeRunning",     "NodeStopped",  "NodeChecked",
                                     "VersionAnswered", "MetricReported"};
};

void fields(Of<InstanceRunning> auto& value, auto&& visit) {
  auto& [instance] = value;
  RR_FIELD(instance);
}
void fields(Of<InstanceStopped> auto& value, auto&& visit) {
  auto& [instance, why] = value;
  RR_FIELD(instance), RR_FIELD(why);
}
void fields(Of<LaunchFailed> auto& value, auto&& visit) {
  auto& [instance, code, message] = value;
  RR_FIELD(instance), RR_FIELD(code), RR_FIELD(message);
}
void fields(Of<TargetHealthReported::Target> auto& value, auto&& visit) {
  auto& [id, port, health, target_group] = value;
  RR_FIELD(id), RR_FIELD(port), RR_FIELD(health), RR_FIELD(target_group);
}
void fields(Of<TargetHealthReported> auto& value, auto&& visit) {
  auto& [node, targets, others_unchanged] = value;
  RR_FIELD(node), RR_FIELD(targets), RR_FIELD(others_unchanged);
}
void fields(Of<TargetDrained> auto& value, auto&& visit) {
  auto& [node, id] = value;
  RR_FIELD(node), RR_FIELD(id);
}
void fields(Of<NodeRunning> auto& value, auto&& visit) {
  auto& [node] = value;
  RR_FIELD(node);
}
void fields(Of<NodeStopped> auto& value, auto&& visit) {
  auto& [node, why] = value;
  RR_FIELD(node), RR_FIELD(why);
}
void fields(Of<NodeChecked> auto& value, auto&& visit) {
  auto& [node, passed] = value;
  RR_FIELD(node), RR_FIELD(passed);
}
void fields(Of<VersionAnswered> auto& value, auto&& visit) {
  auto& [instance, status, commit, served_by] = value;
  RR_FIELD(instance), RR_FIELD(status), RR_FIELD(commit), RR_FIELD(served_by);
}
void fields(Of<MetricReported> auto& value, auto&& visit) {
  auto& [group, metric, value_] = value;
  RR_FIELD(group), RR_FIELD(metric), visit("value", value_);
}

}  // namespace rr::sim
