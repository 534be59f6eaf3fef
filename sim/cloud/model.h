#pragma once
// The nouns of the control plane as plain values, under the names of the EC2, ELBv2 and Auto Scaling APIs.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/address.h"
#include "lb/base/ids.h"
#include "lb/base/time.h"
#include "lb/policy/health_state.h"
#include "lb/policy/settings.h"

namespace rr::sim {

/// LifecycleState of the Auto Scaling API. The warm pool's states and those of a root volume's replacement are not
/// offered.
enum class LifecycleState : std::uint8_t {
  kPending,
  kPendingWait,
  kPendingProceed,
  kInService,
  kTerminating,
  kTerminatingWait,
  kTerminatingProceed,
  kTerminated,
  kEnteringStandby,
  kStandby,
  kDetaching,
  kDetached,  // no member of the group any more, but running
};
std::string_view to_string(LifecycleState state);  // "Pending:Wait"

/// EC2's instance state.
enum class InstanceState : std::uint8_t { kPending, kRunning, kShuttingDown, kTerminated, kStopping, kStopped };
std::string_view to_string(InstanceState state);  // "shutting-down"

/// Whether a move is in the table of legal moves; every move is checked against it.
bool legal(LifecycleState from, LifecycleState to);
bool legal(InstanceState from, InstanceState to);

/// Why the group ends or has started an instance; the activity's Cause and the console's sentence come from it.
enum class ChangeReason : std::uint8_t {
  kDesiredCapacity,      // a difference between desired and actual capacity
  kElbHealthCheck,       // an ELB system health check failure
  kEc2HealthCheck,       // an EC2 health check indicating it has been terminated or stopped
  kUserHealthCheck,      // SetInstanceHealth
  kReplaceUnhealthy,     // launched in response to an unhealthy instance needing to be replaced
  kRebalance,            // to balance instances in zones
  kUserRequest,          // TerminateInstanceInAutoScalingGroup
  kLaunchFailed,         // the instance that should have been launched never ran
  kInstanceRefresh,      // an instance refresh
  kMaxInstanceLifetime,  // it has run for as long as one of the group may
};

struct Image {
  ImageId id;
  std::string name;
  std::string commit;
  std::string build;
  std::string folder;                // where its immutable contents lie; the world's business
  std::vector<std::string> command;  // what an instance of it runs
  Time created;
  bool operator==(const Image&) const = default;
};

struct LaunchTemplateVersion {
  int number = 1;
  ImageId image;
  std::string description;
  Time created;
  bool operator==(const LaunchTemplateVersion&) const = default;
};

struct LaunchTemplate {
  LaunchTemplateId id;
  std::string name;
  int default_version = 1;
  std::vector<LaunchTemplateVersion> versions;  // by number, ascending; immutable once made
  bool operator==(const LaunchTemplate&) const = default;
  const LaunchTemplateVersion* version(int number) const;
};

/// What an Auto Scaling group launches from: a number, or $Latest or $Default, which are resolved at each launch.
struct LaunchTemplateSpecification {
  std::string template_name;
  std::string version = "$Default";
  bool operator==(const LaunchTemplateSpecification&) const = default;
};

/// AllocationStrategy and OldestLaunchConfiguration are taken and choose nobody: there are neither mixed instances
/// policies nor launch configurations here, so all instances are equal by them.
enum class TerminationPolicy : std::uint8_t {
  kDefault,
  kOldestInstance,
  kNewestInstance,
  kOldestLaunchTemplate,
  kClosestToNextInstanceHour,
  kOldestLaunchConfiguration,
  kAllocationStrategy,
};
std::string_view to_string(TerminationPolicy policy);
std::optional<TerminationPolicy> parse_termination_policy(std::string_view text);

enum class HealthCheckType : std::uint8_t { kEc2, kElb };

/// Least and most healthy capacity while instances are replaced, in percent of desired. Absent on a group without one.
struct InstanceMaintenancePolicy {
  int min_healthy_percentage = 100;
  int max_healthy_percentage = 200;
  bool operator==(const InstanceMaintenancePolicy&) const = default;
};

/// What becomes of a launch that a zone refuses: it is tried in another one, or in the same one until it succeeds.
enum class CapacityDistributionStrategy : std::uint8_t { kBalancedBestEffort, kBalancedOnly };
std::string_view to_string(CapacityDistributionStrategy strategy);

/// What of a group may be suspended.
/// https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
enum class ScalingProcess : std::uint8_t {
  kLaunch,
  kTerminate,
  kAddToLoadBalancer,
  kAlarmNotification,
  kAZRebalance,
  kHealthCheck,
  kInstanceRefresh,
  kReplaceUnhealthy,
  kScheduledActions,
};
std::string_view to_string(ScalingProcess process);  // "AZRebalance"
std::optional<ScalingProcess> parse_scaling_process(std::string_view text);

enum class LifecycleTransition : std::uint8_t { kLaunching, kTerminating };
std::string_view to_string(LifecycleTransition transition);  // "autoscaling:EC2_INSTANCE_LAUNCHING"
enum class LifecycleActionResult : std::uint8_t { kContinue, kAbandon };
std::string_view to_string(LifecycleActionResult result);  // "CONTINUE"

/// https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
struct LifecycleHook {
  std::string name;
  LifecycleTransition transition = LifecycleTransition::kLaunching;
  Duration heartbeat_timeout = std::chrono::seconds(3'600);
  LifecycleActionResult default_result = LifecycleActionResult::kAbandon;
  bool operator==(const LifecycleHook&) const = default;
};

/// A hook that an instance waits for.
struct LifecycleAction {
  std::string token;
  LifecycleActionResult default_result = LifecycleActionResult::kAbandon;
  Duration heartbeat{};  // as long as a heartbeat lasts
  Time ends;             // without another heartbeat
  Time ends_at_last;     // however many heartbeats come
  bool operator==(const LifecycleAction&) const = default;
};

/// An Auto Scaling group's settings. Durations are AWS's, undivided by the speed.
struct GroupSettings {
  std::string name = "web";
  int min_size = 2;
  int max_size = 4;
  LaunchTemplateSpecification launch_template;
  std::vector<ZoneName> zones;
  std::vector<std::string> target_groups;
  HealthCheckType health_check_type = HealthCheckType::kElb;
  Duration health_check_grace_period = std::chrono::seconds(60);
  std::optional<Duration> default_instance_warmup;
  std::optional<InstanceMaintenancePolicy> maintenance_policy;
  std::vector<TerminationPolicy> termination_policies{TerminationPolicy::kDefault};
  Duration default_cooldown = std::chrono::seconds(300);
  std::optional<Duration> max_instance_lifetime;  // instances are replaced after it; zero: as none
  bool new_instances_protected_from_scale_in = false;
  CapacityDistributionStrategy capacity_distribution_strategy = CapacityDistributionStrategy::kBalancedBestEffort;
  bool operator==(const GroupSettings&) const = default;
};

/// An instance as the group knows it. Whether it really runs is the world's to say: `ec2` is the last report.
struct Instance {
  InstanceId id;
  std::string group;
  ZoneName zone;
  ImageId image;
  std::string template_name;
  int template_version = 0;
  Address address;        // logical: 172.31.16.10:8080
  std::string host_name;  // ip-172-31-16-10
  LifecycleState lifecycle = LifecycleState::kPending;
  InstanceState ec2 = InstanceState::kPending;
  bool healthy = true;  // HealthStatus
  bool protected_from_scale_in = false;
  ChangeReason launch_reason = ChangeReason::kDesiredCapacity;
  std::optional<ChangeReason> end_reason;
  Time launched;                  // the activity's start
  std::optional<Time> starts_at;  // when EC2's pending time is over and the world is told to start it
  std::optional<Time> in_service_at;
  std::optional<Time> warm_at;           // when the default instance warm-up will be over
  std::optional<Time> first_healthy_at;  // first seen healthy by its target groups
  std::optional<Time> settled_at;        // in service, first health check passed, warmed up
  std::optional<Time> terminating_since;
  std::optional<Time> drain_ends;
  std::optional<Time> terminated_at;
  std::optional<Time> forget_at;           // when it vanishes from the state
  bool stop_requested = false;             // the world has been told to end it
  std::map<std::string, Time> drained_by;  // nodes that say they have drained it
  bool registered = false;                 // with the group's target groups
  std::optional<Time> deregistered_at;
  std::map<std::string, LifecycleAction>
      lifecycle_actions;        // by hook: what it waits for in Pending:Wait, Terminating:Wait
  std::optional<Time> hook_at;  // when the first of them ends
  bool operator==(const Instance&) const = default;
};

/// One launch or termination, as DescribeScalingActivities shows it.
struct ScalingActivity {
  std::uint64_t number = 0;
  std::string group;
  InstanceId instance;
  std::string description;     // "Launching a new EC2 instance: i-..."
  std::string cause;           // "At 2026-...Z ...  At ..."
  std::string status_code;     // "InProgress", "Successful", "Failed", "WaitingForELBConnectionDraining", ...
  std::string status_message;  // failures
  ZoneName zone;
  int progress = 0;
  Time started;
  std::optional<Time> ended;
  bool operator==(const ScalingActivity&) const = default;
};

/// A load-balancer node, one a zone.
struct Node {
  ZoneName zone;
  std::string name;       // "lb-eu-west-1a"
  Address address;        // logical
  bool running = false;   // the last report
  bool in_dns = false;    // accepting on the front
  int failed_checks = 0;  // consecutive, of the check that decides about DNS
  int passed_checks = 0;
  std::optional<Time> start_at;  // when to (re)start it, if it should be started
  int failed_starts = 0;         // consecutive; they stretch the next start_at
  std::optional<Time> running_since;
  bool passing = false;   // by its checks; in_dns differs only while all nodes fail (fail-open)
  bool admitted = false;  // has passed a check since it started
  std::optional<Time> next_check;
  bool check_outstanding = false;  // asked and not answered yet
  std::uint64_t generation = 0;    // of the configuration last sent, 0 since it started: none
  std::optional<Time> vouched{};   // when it last said that what it had reported of its targets still holds
  bool operator==(const Node&) const = default;
};

struct Zone {
  ZoneName name;
  Address subnet;  // 172.31.16.0 with port 0
  int prefix = 20;
  std::uint32_t next_host = 10;
  bool operator==(const Zone&) const = default;
};

}  // namespace rr::sim
