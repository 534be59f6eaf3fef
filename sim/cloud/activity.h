#pragma once
// What scaling activities say. Descriptions, Causes and messages are worded as the Auto Scaling API words them, because
// people and scripts search for these sentences.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-verify-scaling-activity.html
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/ids.h"
#include "lb/base/time.h"
#include "sim/cloud/model.h"

namespace rr::sim {

/// "At 2026-11-22T20:45:42Z <text>."
std::string at(Time time, std::string_view text);
/// Sentences of a Cause, joined by two spaces; empty ones are left out.
std::string join_sentences(const std::vector<std::string>& sentences);

// Triggers: why the group wants another capacity.
std::string created_group(Time now, int to);
std::string set_desired_capacity(Time now, int from, int to);
std::string updated_constraints(Time now, const GroupSettings& settings, int from, int to);

std::string triggered_policy(Time now, const std::string& alarm, const std::string& policy, int from, int to);
std::string executed_policy(Time now, const std::string& policy, int from, int to);
/// (AWS's sentence for scheduled actions is not known; this is how it is remembered.)
std::string scheduled_constraints(Time now, const GroupSettings& settings, int from, int to);

// Effects: what was done about it.
std::string started_instances(Time now, int from, int to);
std::string replaced_unhealthy(Time now);
std::string launched_for_refresh(Time now);
std::string launched_to_balance(Time now, const std::vector<ZoneName>& zones);
std::string shrank(Time now, int from, int to);
std::string selected_for_termination(Time now, const InstanceId& instance);
/// Out of service by user request; `to` differs from `from` when the desired capacity was decremented with it.
std::string taken_by_user(Time now, const InstanceId& instance, int from, int to);
std::string moved_to_standby(Time now, const InstanceId& instance, int from, int to);
std::string moved_out_of_standby(Time now, const InstanceId& instance, int from, int to);
std::string detached_by_user(Time now, const InstanceId& instance, int from, int to);
std::string attached_by_user(Time now, const InstanceId& instance, int from, int to);
/// Its launch was abandoned by a lifecycle hook. (AWS's sentence for it is not known.)
std::string taken_for_hook(Time now);
/// Out of service for an instance refresh, and its being selected for it.
std::string taken_for_refresh(Time now, const InstanceId& instance);
/// Out of service for its health: kElbHealthCheck, kEc2HealthCheck or kUserHealthCheck.
std::string taken_for_health(Time now, ChangeReason reason);

std::string launching(const InstanceId& instance);
std::string launching_failed(std::string_view status_message);
std::string terminating(const InstanceId& instance);
std::string detaching(const InstanceId& instance);
std::string attaching(const InstanceId& instance);
std::string to_standby(const InstanceId& instance);
std::string out_of_standby(const InstanceId& instance);
constexpr std::string_view kAllProtected =
    "Could not scale to desired capacity because all remaining instances are protected from scale-in.";

/// The StatusMessage of a failed launch. A lack of capacity is told in AWS's words, with the other zones; for other
/// codes the world's own message is kept.
std::string launch_failure(std::string_view code, std::string_view message, const ZoneName& zone,
                           const std::vector<ZoneName>& group_zones);

/// The reason for a person: "ELB system health check failure".
std::string_view to_string(ChangeReason reason);

}  // namespace rr::sim
