// Instance refreshes inside the region: what instance_refresh.h decides is done here.
#include <fmt/format.h>

#include <utility>

#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/api_errors.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr std::size_t kRefreshesKept = 50;

ApiError not_found() {
  return {"ActiveInstanceRefreshNotFound",
          "The request failed because an active instance refresh or rollback for the specified Auto Scaling group was "
          "not found."};
}

ApiError irreversible() {
  return {"IrreversibleInstanceRefresh",
          "The request failed because a desired configuration was not found or an incompatible launch template (uses a "
          "Systems Manager parameter instead of an AMI ID) or launch template version ($Latest or $Default) is present "
          "on the Auto Scaling group."};
}

bool is_numbered(const LaunchTemplateSpecification& specification) { return !specification.version.starts_with('$'); }

bool can_be_rolled_back(const Group& group, const std::optional<LaunchTemplateSpecification>& desired) {
  return desired && is_numbered(group.settings.launch_template);
}

}  // namespace

std::optional<ApiError> Region::Machine::check_refresh(const Group& group, const StartInstanceRefresh& command) const {
  const RefreshPreferences& asked = command.preferences;
  if (std::optional<std::string> wrong = wrong_preferences(asked)) return validation_error(*std::move(wrong));
  for (const std::string& alarm : asked.alarms) {
    if (state_.alarms.contains(alarm)) continue;
    return validation_error(fmt::format("AlarmSpecification: the alarm {} does not exist", alarm));
  }
  if (command.desired_configuration) {
    if (std::optional<ApiError> error = check_template(*command.desired_configuration)) return error;
  }
  if (asked.auto_rollback && !can_be_rolled_back(group, command.desired_configuration)) return irreversible();
  return std::nullopt;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const StartInstanceRefresh& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  Group& group = found->second;
  if (group.active_refresh() != nullptr) {
    return ApiError{"InstanceRefreshInProgress",
                    "The request failed because an active instance refresh already exists for the specified Auto "
                    "Scaling group."};
  }
  if (release_runs_on(command.group)) {
    return ApiError{
        "ScalingActivityInProgress",
        fmt::format("A release is in progress for the AutoScalingGroup {}: wait until it has ended.", command.group)};
  }
  if (std::optional<ApiError> error = check_refresh(group, command)) return *error;
  RefreshState refresh;
  refresh.id = draw_uuid(state_.rng);
  refresh.preferences = command.preferences;
  refresh.desired_configuration = command.desired_configuration;
  const auto& policy = group.settings.maintenance_policy;
  refresh.min_healthy_percentage =
      command.preferences.min_healthy_percentage.value_or(policy ? policy->min_healthy_percentage : 90);
  // With a minimum of one's own the policy's maximum would be half of somebody else's choice.
  const bool own = command.preferences.min_healthy_percentage.has_value();
  refresh.max_healthy_percentage =
      command.preferences.max_healthy_percentage.value_or(policy && !own ? policy->max_healthy_percentage : 100);
  refresh.instance_warmup = command.preferences.instance_warmup.value_or(
      group.settings.default_instance_warmup.value_or(group.settings.health_check_grace_period));
  refresh.started = now;
  std::vector<const Instance*> members;
  for (const InstanceId& id : counts(command.group).members) members.push_back(&instance_at(id));
  set_work(refresh, refresh_order(members), now);
  refresh.instances_to_update = refresh.total;
  log(now, command.group,
      fmt::format("instance refresh {}: {} instances, {} to {} % healthy", refresh.id, refresh.total,
                  refresh.min_healthy_percentage, refresh.max_healthy_percentage));
  const Reply reply{refresh.id, refresh.total};
  group.refreshes.push_back(std::move(refresh));
  if (group.refreshes.size() > kRefreshesKept) group.refreshes.pop_front();
  mark_dirty(now, command.group);
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CancelInstanceRefresh& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  if (found->second.active_refresh() == nullptr) return not_found();
  RefreshState& refresh = found->second.refreshes.back();
  const Reply reply{refresh.id, 0};
  refresh.status_reason = kCancelledByUser;
  log(now, command.group, fmt::format("instance refresh {}: Cancelling", refresh.id));
  refresh.status = RefreshStatus::kCancelling;
  if (!command.wait_for_transitioning_instances) {
    RefreshStep step;
    step.to = RefreshStatus::kCancelled;
    step.reason = refresh.status_reason;
    take_refresh_step(now, found->second, step);
  }
  mark_dirty(now, command.group);
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const RollbackInstanceRefresh& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  Group& group = found->second;
  const RefreshState* refresh = group.active_refresh();
  const bool under_way = refresh != nullptr &&
                         (refresh->status == RefreshStatus::kPending || refresh->status == RefreshStatus::kInProgress ||
                          refresh->status == RefreshStatus::kBaking);
  if (!under_way) return not_found();
  if (!can_be_rolled_back(group, refresh->desired_configuration)) return irreversible();
  const Reply reply{refresh->id, 0};
  roll_back_refresh(now, group, "Rollback initiated by the user.");
  mark_dirty(now, command.group);
  return reply;
}

CurrentTemplate Region::Machine::launch_template_of(const Group& group) const {
  const RefreshState* refresh = group.active_refresh();
  const bool forward = refresh != nullptr && refresh->desired_configuration && !refresh->rollback;
  return resolve(forward ? *refresh->desired_configuration : group.settings.launch_template);
}

void Region::Machine::roll_back_refresh(Time now, Group& group, std::string reason) {
  RefreshState& refresh = group.refreshes.back();
  const CurrentTemplate back = current_template(group.settings);
  std::vector<const Instance*> members;
  for (const InstanceId& id : counts(group.settings.name).members) {
    const Instance& instance = instance_at(id);
    if (CurrentTemplate{instance.template_name, instance.template_version} != back) members.push_back(&instance);
  }
  log(now, group.settings.name, fmt::format("instance refresh {}: RollbackInProgress: {}", refresh.id, reason));
  begin_rollback(refresh, std::move(reason), refresh_order(members), now);
}

void Region::Machine::take_refresh_step(Time now, Group& group, const RefreshStep& step) {
  const std::string name = group.settings.name;
  for (const InstanceId& id : step.terminate) {
    begin_termination(now, instance_at(id), ChangeReason::kInstanceRefresh, taken_for_refresh(now, id));
  }
  RefreshState& refresh = group.refreshes.back();
  apply_step(refresh, step, now, tempo_);
  if (step.checkpoint) {
    log(now, name, fmt::format("instance refresh {}: checkpoint of {} % reached", refresh.id, *step.checkpoint));
  }
  if (!step.to) return;
  if (*step.to == RefreshStatus::kRollbackInProgress) return roll_back_refresh(now, group, step.reason);
  log(now, name,
      fmt::format("instance refresh {}: {}{}{}", refresh.id, to_string(*step.to), step.reason.empty() ? "" : ": ",
                  step.reason));
  if (*step.to == RefreshStatus::kSuccessful && refresh.desired_configuration) {
    group.settings.launch_template = *refresh.desired_configuration;
  }
}

/// At most one batch begins: what it ends makes room that the next reconcile fills.
void Region::Machine::advance_refresh(Time now, Group& group) {
  const std::string& name = group.settings.name;
  std::optional<Time> look_at;
  while (group.active_refresh() != nullptr) {
    const RefreshStep step = advance(group.refreshes.back(), view_of(group), now);
    take_refresh_step(now, group, step);
    look_at = step.look_at;
    if (!step.look_again() || step.begin) break;
  }
  arm(refresh_at_[name], look_at, TimerKind::kRefresh, name);
}

/// It ends, whoever ends it, and what replaces it has the new configuration.
void Region::Machine::forget_refresh_work(const Instance& instance) {
  Group& group = state_.groups.at(instance.group);
  if (group.active_refresh() != nullptr) group.refreshes.back().left.erase(instance.id);
}

/// It leaves the group, and counts neither as replaced nor as to be replaced.
void Region::Machine::leave_refresh(const Instance& instance) {
  Group& group = state_.groups.at(instance.group);
  if (group.active_refresh() == nullptr) return;
  RefreshState& refresh = group.refreshes.back();
  if (refresh.left.erase(instance.id) > 0) --refresh.total;
}

/// An instance that comes back while a refresh is under way has the old configuration and is replaced too.
void Region::Machine::join_refresh(const Instance& instance) {
  Group& group = state_.groups.at(instance.group);
  const RefreshState* active = group.active_refresh();
  if (active == nullptr || active->rollback) return;
  RefreshState& refresh = group.refreshes.back();
  if (instance.launched >= refresh.started || !refresh.left.insert(instance.id).second) return;
  std::erase(refresh.order, instance.id);  // where it was when it went
  refresh.order.push_back(instance.id);
  ++refresh.total;
}

}  // namespace rr::sim
