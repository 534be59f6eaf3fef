// What the API accepts, and AWS's words for what it refuses. Every check comes before the first change.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/cloud/activity.h"
#include "sim/cloud/address_plan.h"
#include "sim/cloud/api_errors.h"
#include "sim/cloud/region_machine.h"

namespace rr::sim {
namespace {

constexpr Duration kLeastInstanceLifetime = std::chrono::seconds(86'400);

ApiError no_such_image(const ImageId& id) {
  return {"InvalidAMIID.NotFound", fmt::format("The image id '[{}]' does not exist", id.value)};
}

ApiError no_such_template(const std::string& name) {
  return {"InvalidLaunchTemplateName.NotFoundException",
          fmt::format("The specified launch template, with template name {}, does not exist.", name)};
}

bool is_template_name(const std::string& name) {
  constexpr std::string_view kOthers = "().-/_";
  return name.size() >= 3 && name.size() <= 128 && std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != std::string_view::npos;
         });
}

/// Printable ASCII without spaces and colons.
bool is_group_name(const std::string& name) {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 33 && c <= 126 && c != ':'; });
}

std::optional<int> parse_version(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

}  // namespace

Result<Reply, ApiError> Region::Machine::run(Time now, const RegisterImage& command) {
  Image image = command.image;
  if (image.created == Time{}) image.created = now;
  if (image.id.empty()) image.id = ImageId(draw_id("ami-", state_.rng));
  const auto known = state_.images.find(image.id);
  if (known != state_.images.end()) {
    image.created = known->second.created;
    if (image == known->second) return Reply{image.id.value, 0};  // the same contents have the same id
    return ApiError{"InvalidAMIID.Duplicate",
                    fmt::format("The image id '[{}]' exists already with other contents", image.id.value)};
  }
  log(now, image.id.value, fmt::format("image of commit {}, build {}", image.commit, image.build));
  const ImageId id = image.id;
  state_.images.emplace(id, std::move(image));
  return Reply{id.value, 0};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CreateLaunchTemplate& command) {
  if (state_.launch_templates.contains(command.name)) {
    return ApiError{"InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use."};
  }
  if (!is_template_name(command.name)) {
    return ApiError{
        "InvalidLaunchTemplateName.MalformedException",
        fmt::format("Launch template name '{}': 3 to 128 letters, digits and ( ) . - / _ are right", command.name)};
  }
  if (!state_.images.contains(command.image)) return no_such_image(command.image);
  LaunchTemplate made;
  made.id = LaunchTemplateId(draw_id("lt-", state_.rng));
  made.name = command.name;
  made.versions.push_back({1, command.image, command.description, now});
  log(now, made.id.value, fmt::format("launch template {}, version 1 of {}", made.name, command.image.value));
  const Reply reply{made.id.value, 1};
  state_.launch_templates.emplace(command.name, std::move(made));
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CreateLaunchTemplateVersion& command) {
  const auto found = state_.launch_templates.find(command.name);
  if (found == state_.launch_templates.end()) return no_such_template(command.name);
  if (!state_.images.contains(command.image)) return no_such_image(command.image);
  LaunchTemplate& changed = found->second;
  const int number = changed.versions.back().number + 1;
  changed.versions.push_back({number, command.image, command.description, now});
  log(now, changed.id.value, fmt::format("version {} of {}", number, command.image.value));
  return Reply{changed.id.value, number};
}

std::optional<ApiError> Region::Machine::check_template(const LaunchTemplateSpecification& specification) const {
  const auto found = state_.launch_templates.find(specification.template_name);
  if (found == state_.launch_templates.end()) return no_such_template(specification.template_name);
  const std::string& version = specification.version;
  if (version == "$Latest" || version == "$Default") return std::nullopt;
  const std::optional<int> number = parse_version(version);
  if (number && found->second.version(*number) != nullptr) return std::nullopt;
  return ApiError{
      "InvalidLaunchTemplateId.VersionNotFound",
      fmt::format("Could not find launch template version {}: write a number that exists, $Latest or $Default",
                  version)};
}

std::optional<ApiError> Region::Machine::check_settings(const GroupSettings& settings) const {
  if (!is_group_name(settings.name)) {
    return validation_error(fmt::format(
        "AutoScalingGroup name '{}': 1 to 255 characters of printable ASCII without spaces and colons", settings.name));
  }
  if (settings.min_size < 0 || settings.max_size < settings.min_size) {
    return validation_error(
        fmt::format("Max bound, {}, must be greater than or equal to min bound, {}, and min bound "
                    "must not be negative",
                    settings.max_size, settings.min_size));
  }
  if (settings.zones.empty()) {
    return validation_error("At least one Availability Zone or VPC Subnet is required.");
  }
  for (const ZoneName& zone : settings.zones) {
    const auto& zones = state_.settings.zones;
    const bool known = std::any_of(zones.begin(), zones.end(), [&](const Zone& z) { return z.name == zone; });
    const bool twice = std::count(settings.zones.begin(), settings.zones.end(), zone) > 1;
    if (!known || twice) {
      return validation_error(fmt::format("The availability zone '{}' is {}", zone.value,
                                          known ? "listed twice" : "not one of the region's"));
    }
  }
  if (std::optional<ApiError> error = check_template(settings.launch_template)) return error;
  for (const std::string& name : settings.target_groups) {
    if (!has_target_group(name)) {
      return validation_error(fmt::format(
          "One or more target groups not found. Validating load balancer configuration failed. ({})", name));
    }
  }
  if (settings.termination_policies.empty()) return validation_error("At least one termination policy is required.");
  if (settings.health_check_grace_period < Duration::zero()) {
    return validation_error("HealthCheckGracePeriod must not be negative");
  }
  if (settings.default_instance_warmup && *settings.default_instance_warmup < Duration::zero()) {
    return validation_error("DefaultInstanceWarmup must not be negative");
  }
  const Duration lifetime = settings.max_instance_lifetime.value_or(Duration::zero());
  if (lifetime != Duration::zero() && lifetime < kLeastInstanceLifetime) {
    return validation_error(
        fmt::format("MaxInstanceLifetime {}: 0 or at least {} seconds", format_duration(lifetime),
                    std::chrono::duration_cast<std::chrono::seconds>(kLeastInstanceLifetime).count()));
  }
  if (settings.default_cooldown < Duration::zero()) return validation_error("DefaultCooldown must not be negative");
  if (settings.maintenance_policy) {
    const int least = settings.maintenance_policy->min_healthy_percentage;
    const int most = settings.maintenance_policy->max_healthy_percentage;
    if (least < 0 || least > 100 || most < 100 || most > 200 || most - least > 100) {
      return validation_error(
          fmt::format("InstanceMaintenancePolicy {} to {}: MinHealthyPercentage is 0 to 100, "
                      "MaxHealthyPercentage 100 to 200, at most 100 apart",
                      least, most));
    }
  }
  return std::nullopt;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const CreateAutoScalingGroup& command) {
  const GroupSettings& settings = command.settings;
  if (state_.groups.contains(settings.name)) {
    return ApiError{"AlreadyExists", fmt::format("AutoScalingGroup by this name already exists - A group with the name "
                                                 "{} already exists",
                                                 settings.name)};
  }
  if (std::optional<ApiError> error = check_settings(settings)) return *error;
  if (command.desired_capacity < settings.min_size || command.desired_capacity > settings.max_size) {
    return validation_error(fmt::format("Desired capacity:{} must be between the specified min size:{} and max size:{}",
                                        command.desired_capacity, settings.min_size, settings.max_size));
  }
  Group& group = state_.groups[settings.name];
  group.settings = settings;
  group.created = now;
  log(now, settings.name, fmt::format("group of {} to {}", settings.min_size, settings.max_size));
  arm(group.next_sweep, now + tempo_.waits(state_.settings.sweep_interval), TimerKind::kSweep, settings.name);
  set_desired(now, group, command.desired_capacity, created_group(now, command.desired_capacity));
  return Reply{settings.name, command.desired_capacity};
}

/// Takes all that is in service out of the group's target groups, or registers it with them.
void Region::Machine::list_members(Time now, Group& group, bool registered) {
  for (const InstanceId& id : counts(group.settings.name).members) {
    Instance& instance = instance_at(id);
    if (instance.lifecycle != LifecycleState::kInService) continue;
    list_target(instance, registered);
    instance.registered = registered && !group.settings.target_groups.empty();
  }
  group.target_groups_in_service.clear();
  targets_changed(now);
}

Result<Reply, ApiError> Region::Machine::run(Time now, const UpdateAutoScalingGroup& command) {
  const auto found = state_.groups.find(command.settings.name);
  if (found == state_.groups.end()) return no_such_group(command.settings.name);
  if (release_runs_on(command.settings.name)) return release_in_progress(command.settings.name);
  if (std::optional<ApiError> error = check_settings(command.settings)) return *error;
  Group& group = found->second;
  const RefreshState* refresh = group.active_refresh();
  if (refresh != nullptr && refresh->desired_configuration &&
      group.settings.launch_template != command.settings.launch_template) {
    return validation_error(
        "An active instance refresh with a desired configuration exists. All configuration options derived from the "
        "desired configuration are not available for update while the instance refresh is active.");
  }
  const bool other_targets = group.settings.target_groups != command.settings.target_groups;
  if (other_targets) list_members(now, group, false);
  group.settings = command.settings;
  if (other_targets) list_members(now, group, true);
  const int desired = std::clamp(group.desired_capacity, group.settings.min_size, group.settings.max_size);
  set_desired(now, group, desired, updated_constraints(now, group.settings, group.desired_capacity, desired));
  return Reply{group.settings.name, desired};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const SetDesiredCapacity& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  Group& group = found->second;
  const int desired = command.desired_capacity;
  if (desired > group.settings.max_size) return above_max(desired, group.settings.max_size);
  if (desired < group.settings.min_size) return below_min(desired, group.settings.min_size);
  if (release_runs_on(command.group)) return release_in_progress(command.group);
  if (command.honor_cooldown && group.cooldown_until && now < *group.cooldown_until) {
    return in_cooldown(command.group);
  }
  if (desired != group.desired_capacity) group.cooldown_until = now + tempo_.waits(group.settings.default_cooldown);
  set_desired(now, group, desired, set_desired_capacity(now, group.desired_capacity, desired));
  return Reply{command.group, desired};
}

Result<Reply, ApiError> Region::Machine::run(Time now, const TerminateInstanceInAutoScalingGroup& command) {
  Instance* instance = find_instance(command.instance);
  const bool there = instance != nullptr && instance->lifecycle != LifecycleState::kTerminated &&
                     instance->lifecycle != LifecycleState::kDetached;
  if (!there) return no_such_instance(command.instance);
  Group& group = state_.groups.at(instance->group);
  const int from = group.desired_capacity;
  const int to = command.should_decrement_desired_capacity ? from - 1 : from;
  if (to < from && release_runs_on(instance->group)) return release_in_progress(instance->group);
  if (to < from && to < group.settings.min_size) {
    return validation_error(fmt::format(
        "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min "
        "size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
        group.settings.min_size));
  }
  if (instance->terminating_since) return Reply{instance->id.value, group.desired_capacity};  // on its way already
  const Reply reply{instance->id.value, to};
  if (to != from) {
    log(now, group.settings.name, fmt::format("desired capacity {} -> {}", from, to));
    group.desired_capacity = to;
  }
  begin_termination(now, *instance, ChangeReason::kUserRequest, taken_by_user(now, instance->id, from, to));
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const SetInstanceHealth& command) {
  Instance* instance = find_instance(command.instance);
  if (instance == nullptr || instance->lifecycle == LifecycleState::kTerminated) {
    return no_such_instance(command.instance);
  }
  const Reply reply{instance->id.value, 0};
  if (instance->terminating_since || instance->healthy == command.healthy) return reply;
  if (command.healthy) {
    if (instance->ec2 == InstanceState::kStopped) return reply;  // EC2's check is always on
    change(*instance, [](Instance& i) {
      i.healthy = true;
      i.end_reason.reset();
    });
    settle_when_ready(now, *instance);
    mark_dirty(now, instance->group);
    return reply;
  }
  if (command.should_respect_grace_period && !grace_is_over(now, *instance)) return reply;
  mark_unhealthy(now, *instance, ChangeReason::kUserHealthCheck, "");
  return reply;
}

Result<Reply, ApiError> Region::Machine::run(Time now, const StartDoubleRelease& command) {
  const auto found = state_.groups.find(command.group);
  if (found == state_.groups.end()) return no_such_group(command.group);
  const auto image = state_.images.find(command.image);
  if (image == state_.images.end()) return no_such_image(command.image);
  if (state_.release && state_.release->in_progress()) return release_in_progress(state_.release->group);
  Group& group = found->second;
  if (group.active_refresh() != nullptr) {
    return ApiError{"ScalingActivityInProgress",
                    fmt::format("An instance refresh is in progress for the AutoScalingGroup {}: wait until it has "
                                "ended, or cancel it.",
                                command.group)};
  }
  const int original = group.desired_capacity;
  if (original == 0) return validation_error("A release needs at least one instance; the desired capacity is 0.");
  if (2 * original > group.settings.max_size) return above_max(2 * original, group.settings.max_size);
  const GroupCounts& members = counts(command.group);
  const bool steady = static_cast<int>(members.members.size()) == original && members.in_service == original &&
                      members.unhealthy.empty() && members.unsettled.empty() && leaving_[command.group].empty();
  if (!steady) {
    return ApiError{
        "ScalingActivityInProgress",
        fmt::format("The AutoScalingGroup {} is not steady ({} of {} instances settled, {} terminating): wait "
                    "until it is.",
                    command.group, members.in_service - static_cast<int>(members.unsettled.size()), original,
                    leaving_[command.group].size())};
  }
  LaunchTemplate& changed = state_.launch_templates.at(group.settings.launch_template.template_name);
  DoubleRelease release;
  release.group = command.group;
  release.image = command.image;
  release.commit = image->second.commit;
  release.previous_version = current_template(group.settings).version;
  release.previous_specification = group.settings.launch_template.version;
  release.template_version = changed.versions.back().number + 1;
  release.original_capacity = original;
  release.started = now;
  release.next_question = now;
  changed.versions.push_back({release.template_version, command.image, "double release", now});
  log(now, changed.id.value, fmt::format("version {} of {}", release.template_version, command.image.value));
  group.settings.launch_template.version = std::to_string(release.template_version);
  state_.release = release;
  enter_phase(now, DoublePhase::kDoubling);
  set_desired(now, group, 2 * original, set_desired_capacity(now, original, 2 * original));
  return Reply{changed.id.value, release.template_version};
}

}  // namespace rr::sim
