// Groups: what a look at one decides is done here.
#include <fmt/format.h>

#include <utility>

#include "sim/cloud/activity.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr Duration kInstanceHour = std::chrono::hours(1);

}  // namespace

CurrentTemplate Region::Machine::resolve(const LaunchTemplateSpecification& specification) const {
  const LaunchTemplate& launch_template = state_.launch_templates.at(specification.template_name);
  const std::string& version = specification.version;
  if (version == "$Latest") return {launch_template.name, launch_template.versions.back().number};
  if (version == "$Default") return {launch_template.name, launch_template.default_version};
  return {launch_template.name, std::stoi(version)};
}

void Region::Machine::mark_dirty(Time now, const std::string& group) { dirty_.emplace(group, now); }

void Region::Machine::reconcile_group(Time now, Group& group) {
  const std::string name = group.settings.name;
  advance_refresh(now, group);
  const Plan plan = reconcile(view_of(group), now, state_.rng);
  group.replacements_owed = plan.replacements_owed;
  if (group.active_refresh() != nullptr) {
    const int owed = std::exchange(group.refreshes.back().batch.owed, plan.refresh_owed);
    // Nothing is launched because nothing is missing any more: the batch may be over.
    if (owed > 0 && plan.refresh_owed == 0 && plan.launch.empty()) mark_dirty(now, name);
  }
  group.rebalance_surplus = plan.rebalance_surplus;
  note_all_protected(now, group, plan.all_protected);
  for (const Plan::Terminate& item : plan.terminate) {
    begin_termination(now, instance_at(item.instance), item.reason, item.cause);
  }
  for (const Plan::Launch& item : plan.launch) {
    if (item.reason == ChangeReason::kRebalance) {
      group.next_rebalance = now + tempo_.waits(state_.settings.rebalance_interval);
    }
    launch(now, group, item);
  }
  const bool reached = static_cast<int>(counts(name).members.size()) == group.desired_capacity;
  if (reached || !plan.terminate.empty() || !plan.launch.empty()) group.trigger.clear();
  if (!plan.terminate.empty()) mark_dirty(now, name);  // what ended may have made room for the next one
  arm(look_at_[name], plan.look_at, TimerKind::kLook, name);
}

/// Once, until it is not so any more.
void Region::Machine::note_all_protected(Time now, Group& group, bool all_protected) {
  if (all_protected && !group.all_protected_noted) {
    log(now, group.settings.name, "all remaining instances are protected from scale-in");
    add_activity({.group = group.settings.name,
                  .instance = {},
                  .description = std::string(kAllProtected),
                  .cause = group.trigger,
                  .status_code = "Cancelled",
                  .status_message = std::string(kAllProtected),
                  .zone = {},
                  .progress = 100,
                  .started = now,
                  .ended = now});
  }
  group.all_protected_noted = all_protected;
}

GroupView Region::Machine::view_of(const Group& group) {
  const RefreshState* refresh = group.active_refresh();
  return {.group = group,
          .instances = state_.instances,
          .counts = counts(group.settings.name),
          .current = current_template(group.settings),
          .hour = tempo_.waits(kInstanceHour),
          .lifetime = tempo_.waits(group.settings.max_instance_lifetime.value_or(Duration::zero())),
          .rebalance_suspended = release_runs_on(group.settings.name) || refresh != nullptr,
          .surplus = refresh == nullptr ? 0 : refresh->surplus(),
          .refresh_owed = refresh == nullptr ? 0 : refresh->batch.owed,
          .launches = launch_template_of(group),
          .refresh_timeout = tempo_.waits(state_.settings.refresh_timeout),
          .alarm = refresh_alarm(group)};
}

void Region::Machine::set_desired(Time now, Group& group, int desired, std::string trigger) {
  if (desired != group.desired_capacity) {
    log(now, group.settings.name, fmt::format("desired capacity {} -> {}", group.desired_capacity, desired));
    group.trigger = std::move(trigger);
    group.desired_capacity = desired;
  }
  mark_dirty(now, group.settings.name);
}

bool Region::Machine::release_runs_on(const std::string& group) const {
  return state_.release && state_.release->in_progress() && state_.release->group == group;
}

}  // namespace rr::sim
