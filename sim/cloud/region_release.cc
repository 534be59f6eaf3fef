// The double release inside the region: what release.h decides is done here.
#include <fmt/format.h>

#include <utility>

#include "sim/cloud/activity.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

/// Questions are requests to real processes: not more often than this.
constexpr Duration kLeastQuestionInterval = std::chrono::milliseconds(50);

}  // namespace

ReleaseView Region::Machine::release_view() const {
  const DoubleRelease& release = *state_.release;
  ReleaseView view;
  const auto add = [&](const InstanceId& id, bool live) {
    const Instance& instance = state_.instances.at(id);
    view.members.push_back({.id = id,
                            .host_name = instance.host_name,
                            .is_new = instance.template_version == release.template_version,
                            .live = live,
                            .in_service = live && instance.lifecycle == LifecycleState::kInService && instance.healthy,
                            .healthy = healthy_by_targets(instance)});
  };
  if (const auto found = counts_.find(release.group); found != counts_.end()) {
    for (const InstanceId& id : found->second.members) add(id, true);
  }
  if (const auto found = leaving_.find(release.group); found != leaving_.end()) {
    for (const InstanceId& id : found->second) add(id, false);
  }
  return view;
}

/// What races against the program comes on top: its grace period while it starts, the drain while it ends.
Duration Region::Machine::release_deadline(DoublePhase phase, const Group& group) const {
  const Duration timeout = tempo_.waits(state_.settings.release_timeout);
  if (phase == DoublePhase::kDoubling) return timeout + tempo_.races(group.settings.health_check_grace_period);
  return timeout + drain_time(group);
}

void Region::Machine::enter_phase(Time now, DoublePhase phase) {
  DoubleRelease& release = *state_.release;
  release.phase = phase;
  release.phase_began = now;
  release.deadline = now + release_deadline(phase, state_.groups.at(release.group));
  log(now, release.group,
      fmt::format("release of {}: {}{}{}", release.image.value, to_string(phase), release.outcome.empty() ? "" : ": ",
                  release.outcome));
  if (release.in_progress()) {
    if (!release_at_ || now < *release_at_) release_at_ = now;
    return;
  }
  release.ended = now;
  release.next_question.reset();
  release_at_.reset();
  mark_dirty(now, release.group);  // balancing was suspended meanwhile
}

void Region::Machine::roll_back_release(Time now, Group& group) {
  DoubleRelease& release = *state_.release;
  release.rolled_back = true;
  group.settings.launch_template.version = release.previous_specification;
  const int from = group.desired_capacity;
  set_desired(now, group, release.original_capacity, set_desired_capacity(now, from, release.original_capacity));
  const std::set<InstanceId> members = counts(release.group).members;
  for (const InstanceId& id : members) {
    Instance& instance = instance_at(id);
    if (instance.template_version != release.template_version) continue;
    begin_termination(now, instance, ChangeReason::kUserRequest, taken_by_user(now, id, from, from - 1));
  }
}

void Region::Machine::advance_release(Time now) {
  release_at_.reset();
  DoubleRelease& release = *state_.release;
  Group& group = state_.groups.at(release.group);
  const ReleaseStep step = advance(release, release_view(), now);
  if (release.next_question && *release.next_question <= now) {
    const Duration interval = tempo_.waits(state_.settings.release_question_interval);
    release.next_question = now + std::max(interval, kLeastQuestionInterval);
  }
  for (const InstanceId& id : step.ask) {
    release.asked.insert(id);
    actions_.push_back(AskInstance{id});
  }
  for (int i = 0; i < step.ask_front; ++i) actions_.push_back(AskFront{});
  release.front_asked += step.ask_front;
  if (step.desired) {
    set_desired(now, group, *step.desired, set_desired_capacity(now, group.desired_capacity, *step.desired));
  }
  if (step.end) {
    ++release.ended_singly;
    const int capacity = group.desired_capacity;
    begin_termination(now, instance_at(*step.end), ChangeReason::kUserRequest,
                      taken_by_user(now, *step.end, capacity, capacity));
  }
  if (step.roll_back) roll_back_release(now, group);
  if (!step.to) return;
  release.outcome = step.outcome;
  enter_phase(now, *step.to);
}

}  // namespace rr::sim
