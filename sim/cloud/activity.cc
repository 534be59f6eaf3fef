#include "sim/cloud/activity.h"

#include <fmt/format.h>

namespace rr::sim {
namespace {

/// The machine that AWS's sentence about a lack of capacity names.
constexpr std::string_view kInstanceType = "t3.micro";

std::string zones_text(const std::vector<ZoneName>& zones, std::string_view separator) {
  std::string text;
  for (const ZoneName& zone : zones) {
    if (!text.empty()) text += separator;
    text += zone.value;
  }
  return text;
}

/// ", shrinking the capacity from 2 to 1", or nothing when it stayed as it was.
std::string capacity_change(int from, int to) {
  if (from == to) return "";
  return fmt::format(", {} the capacity from {} to {}", to < from ? "shrinking" : "increasing", from, to);
}

std::string by_user(Time now, const InstanceId& instance, std::string_view what, int from, int to) {
  return at(now, fmt::format("instance {} was {} in response to a user request{}", instance.value, what,
                             capacity_change(from, to)));
}

}  // namespace

std::string at(Time time, std::string_view text) { return fmt::format("At {} {}.", format_iso8601(time, 0), text); }

std::string join_sentences(const std::vector<std::string>& sentences) {
  std::string cause;
  for (const std::string& sentence : sentences) {
    if (!cause.empty() && !sentence.empty()) cause += "  ";
    cause += sentence;
  }
  return cause;
}

std::string created_group(Time now, int to) {
  return at(now,
            fmt::format("a user request created an AutoScalingGroup changing the desired capacity from 0 to {}", to));
}

std::string set_desired_capacity(Time now, int from, int to) {
  return at(now,
            fmt::format("a user request explicitly set group desired capacity changing the desired capacity from {} "
                        "to {}",
                        from, to));
}

std::string updated_constraints(Time now, const GroupSettings& settings, int from, int to) {
  return at(now, fmt::format("a user request update of AutoScalingGroup constraints to min: {}, max: {}, desired: {} "
                             "changing the desired capacity from {} to {}",
                             settings.min_size, settings.max_size, to, from, to));
}

std::string triggered_policy(Time now, const std::string& alarm, const std::string& policy, int from, int to) {
  return at(now, fmt::format("a monitor alarm {} in state ALARM triggered policy {} changing the desired capacity from "
                             "{} to {}",
                             alarm, policy, from, to));
}

std::string executed_policy(Time now, const std::string& policy, int from, int to) {
  return at(now, fmt::format("a user request executed policy {} changing the desired capacity from {} to {}", policy,
                             from, to));
}

std::string scheduled_constraints(Time now, const GroupSettings& settings, int from, int to) {
  return at(now,
            fmt::format("a scheduled action update of AutoScalingGroup constraints to min: {}, max: {}, desired: {} "
                        "changing the desired capacity from {} to {}",
                        settings.min_size, settings.max_size, to, from, to));
}

std::string started_instances(Time now, int from, int to) {
  return at(now, fmt::format("an instance was started in response to a difference between desired and actual capacity, "
                             "increasing the capacity from {} to {}",
                             from, to));
}

std::string replaced_unhealthy(Time now) {
  return at(now, "an instance was launched in response to an unhealthy instance needing to be replaced");
}

std::string launched_for_refresh(Time now) {
  return at(now, "an instance was launched in response to an instance refresh");
}

std::string taken_for_refresh(Time now, const InstanceId& instance) {
  return join_sentences({at(now, "an instance was taken out of service in response to an instance refresh"),
                         selected_for_termination(now, instance)});
}

std::string launched_to_balance(Time now, const std::vector<ZoneName>& zones) {
  return at(now,
            fmt::format("instances were launched to balance instances in zones {} with other zones resulting in more "
                        "than desired number of instances in the group",
                        zones_text(zones, " ")));
}

std::string shrank(Time now, int from, int to) {
  return at(now,
            fmt::format("an instance was taken out of service in response to a difference between desired and actual "
                        "capacity, shrinking the capacity from {} to {}",
                        from, to));
}

std::string selected_for_termination(Time now, const InstanceId& instance) {
  return at(now, fmt::format("instance {} was selected for termination", instance.value));
}

std::string taken_by_user(Time now, const InstanceId& instance, int from, int to) {
  return by_user(now, instance, "taken out of service", from, to);
}

std::string moved_to_standby(Time now, const InstanceId& instance, int from, int to) {
  return by_user(now, instance, "moved to standby", from, to);
}

std::string moved_out_of_standby(Time now, const InstanceId& instance, int from, int to) {
  return by_user(now, instance, "moved out of standby", from, to);
}

std::string detached_by_user(Time now, const InstanceId& instance, int from, int to) {
  return by_user(now, instance, "detached", from, to);
}

std::string attached_by_user(Time now, const InstanceId& instance, int from, int to) {
  return by_user(now, instance, "attached", from, to);
}

std::string taken_for_hook(Time now) {
  return at(now, "an instance was taken out of service in response to an abandoned lifecycle action");
}

std::string taken_for_health(Time now, ChangeReason reason) {
  return at(now, fmt::format("an instance was taken out of service in response to {}{}",
                             reason == ChangeReason::kUserHealthCheck ? "a " : "an ", to_string(reason)));
}

std::string launching(const InstanceId& instance) {
  return fmt::format("Launching a new EC2 instance: {}", instance.value);
}

std::string launching_failed(std::string_view status_message) {
  return fmt::format("Launching a new EC2 instance.  Status Reason: {}", status_message);
}

std::string terminating(const InstanceId& instance) {
  return fmt::format("Terminating EC2 instance: {}", instance.value);
}

std::string detaching(const InstanceId& instance) { return fmt::format("Detaching EC2 instance: {}", instance.value); }

std::string attaching(const InstanceId& instance) {
  return fmt::format("Attaching an existing EC2 instance: {}", instance.value);
}

std::string to_standby(const InstanceId& instance) {
  return fmt::format("Moving EC2 instance to Standby: {}", instance.value);
}

std::string out_of_standby(const InstanceId& instance) {
  return fmt::format("Moving EC2 instance out of Standby: {}", instance.value);
}

std::string launch_failure(std::string_view code, std::string_view message, const ZoneName& zone,
                           const std::vector<ZoneName>& group_zones) {
  if (code.starts_with("Client.")) return std::string(message);
  if (code != "InsufficientInstanceCapacity") {
    const std::string_view stop = message.empty() || message.ends_with('.') ? "" : ".";
    return fmt::format("{}{}{}Launching EC2 instance failed.", message, stop, message.empty() ? "" : " ");
  }
  std::vector<ZoneName> others;
  for (const ZoneName& other : group_zones) {
    if (other != zone) others.push_back(other);
  }
  const std::string choosing = others.empty() ? "" : " or choosing " + zones_text(others, ", ");
  return fmt::format(
      "We currently do not have sufficient {} capacity in the Availability Zone you requested ({}). Our system will be "
      "working on provisioning additional capacity. You can currently get {} capacity by not specifying an "
      "Availability "
      "Zone in your request{}. Launching EC2 instance failed.",
      kInstanceType, zone.value, kInstanceType, choosing);
}

std::string_view to_string(ChangeReason reason) {
  switch (reason) {
    case ChangeReason::kDesiredCapacity:
      return "difference between desired and actual capacity";
    case ChangeReason::kElbHealthCheck:
      return "ELB system health check failure";
    case ChangeReason::kEc2HealthCheck:
      return "EC2 health check indicating it has been terminated or stopped";
    case ChangeReason::kUserHealthCheck:
      return "user health-check";
    case ChangeReason::kReplaceUnhealthy:
      return "unhealthy instance needing to be replaced";
    case ChangeReason::kRebalance:
      return "balance instances in zones";
    case ChangeReason::kUserRequest:
      return "user request";
    case ChangeReason::kLaunchFailed:
      return "failed launch";
    case ChangeReason::kInstanceRefresh:
      return "instance refresh";
    case ChangeReason::kMaxInstanceLifetime:
      return "instance exceeding its maximum instance lifetime";
  }
  return "";
}

}  // namespace rr::sim
