#pragma once
// The whole control plane as one deterministic state machine: commands and events with their time in, actions out. It
// never reads a clock, draws its chance from its own state, and says when it next wants to be woken.
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lb/base/journal.h"
#include "lb/base/rng.h"
#include "lb/base/time.h"
#include "lb/policy/target_group.h"
#include "sim/cloud/alarm.h"
#include "sim/cloud/double_release.h"
#include "sim/cloud/health_merge.h"
#include "sim/cloud/model.h"
#include "sim/cloud/refresh_state.h"
#include "sim/cloud/scaling_policy.h"
#include "sim/cloud/scheduled_action.h"
#include "sim/cloud/target_table.h"

namespace rr::sim {

/// What a region is made of and how fast its clock-driven parts go. All durations are AWS's own numbers; those that the
/// control plane waits for are divided by `speed` where they are used, and nowhere else.
struct RegionSettings {
  std::string name = "eu-west-1";
  std::vector<Zone> zones;
  double speed = 1;
  /// With the user's own program, whatever races against it keeps its real length: grace period, deregistration delay,
  /// health-check timeout.
  bool own_program = false;
  LoadBalancerSettings load_balancer;
  /// Others on the same nodes, with names and target groups of their own; a zonal shift is of the first one. The world
  /// of processes serves one only, and rr-sim offers no more.
  std::vector<LoadBalancerSettings> further_load_balancers{};
  std::uint16_t target_port = 8080;

  Duration launch_time = std::chrono::milliseconds(16'500);  // EC2 pending until running (measured average)
  Duration sweep_interval = std::chrono::seconds(10);        // the group's look at health; not published by AWS
  Duration rebalance_interval = std::chrono::seconds(30);    // trial launches into an under-filled zone; not published
  Duration launch_retry = std::chrono::seconds(15);          // after a failed launch, doubling up to launch_retry_most
  Duration launch_retry_most = std::chrono::seconds(240);
  Duration node_check_interval = std::chrono::seconds(10);  // as Route 53 checks a node
  int node_check_threshold = 2;
  Duration node_check_timeout = std::chrono::seconds(4);
  Duration node_start_retry = std::chrono::seconds(10);  // after it stopped, doubling up to node_start_retry_most
  Duration node_start_retry_most = std::chrono::seconds(60);
  Duration release_timeout = std::chrono::minutes(15);  // of each phase of a double release
  Duration release_question_interval = std::chrono::seconds(2);
  Duration refresh_timeout = std::chrono::hours(1);     // an instance refresh without progress fails
  Duration terminated_visible = std::chrono::hours(1);  // how long a terminated instance is still shown
  bool terminate_when_drained = false;  // true: do not wait for the rest of the deregistration delay when idle
  bool operator==(const RegionSettings&) const = default;
};

/// All load balancers, the first one first.
std::vector<const LoadBalancerSettings*> load_balancers(const RegionSettings& settings);

// Commands: what the API accepts. -------------------------------------------------------------------------------------

struct RegisterImage {
  Image image;
  bool operator==(const RegisterImage&) const = default;
};
struct CreateLaunchTemplate {
  std::string name;
  ImageId image;
  std::string description;
  bool operator==(const CreateLaunchTemplate&) const = default;
};
struct CreateLaunchTemplateVersion {
  std::string name;
  ImageId image;
  std::string description;
  bool operator==(const CreateLaunchTemplateVersion&) const = default;
};
struct CreateAutoScalingGroup {
  GroupSettings settings;
  int desired_capacity = 2;
  bool operator==(const CreateAutoScalingGroup&) const = default;
};
struct UpdateAutoScalingGroup {
  GroupSettings settings;
  bool operator==(const UpdateAutoScalingGroup&) const = default;
};
struct SetDesiredCapacity {
  std::string group;
  int desired_capacity = 2;
  bool honor_cooldown = false;
  bool operator==(const SetDesiredCapacity&) const = default;
};
struct TerminateInstanceInAutoScalingGroup {
  InstanceId instance;
  bool should_decrement_desired_capacity = false;
  bool operator==(const TerminateInstanceInAutoScalingGroup&) const = default;
};
struct SetInstanceHealth {
  InstanceId instance;
  bool healthy = false;
  bool should_respect_grace_period = true;
  bool operator==(const SetInstanceHealth&) const = default;
};
/// The classic deployment: double the group, wait, halve it. See double_release.h.
struct StartDoubleRelease {
  std::string group;
  ImageId image;
  bool operator==(const StartDoubleRelease&) const = default;
};
/// The reply's id is the InstanceRefreshId.
struct StartInstanceRefresh {
  std::string group;
  std::optional<LaunchTemplateSpecification> desired_configuration;
  RefreshPreferences preferences;
  bool operator==(const StartInstanceRefresh&) const = default;
};
struct CancelInstanceRefresh {
  std::string group;
  bool wait_for_transitioning_instances = true;
  bool operator==(const CancelInstanceRefresh&) const = default;
};
struct RollbackInstanceRefresh {
  std::string group;
  bool operator==(const RollbackInstanceRefresh&) const = default;
};
/// At least one and up to 20 instances of one group: the first that cannot be done refuses all of them.
struct EnterStandby {
  std::vector<InstanceId> instances;
  bool should_decrement_desired_capacity = false;
  bool operator==(const EnterStandby&) const = default;
};
struct ExitStandby {
  std::vector<InstanceId> instances;
  bool operator==(const ExitStandby&) const = default;
};
struct DetachInstances {
  std::vector<InstanceId> instances;
  bool should_decrement_desired_capacity = false;
  bool operator==(const DetachInstances&) const = default;
};
struct AttachInstances {
  std::string group;
  std::vector<InstanceId> instances;
  bool operator==(const AttachInstances&) const = default;
};
struct SetInstanceProtection {
  std::vector<InstanceId> instances;
  bool protected_from_scale_in = true;
  bool operator==(const SetInstanceProtection&) const = default;
};
/// No process: all of them.
struct SuspendProcesses {
  std::string group;
  std::set<ScalingProcess> processes;
  bool operator==(const SuspendProcesses&) const = default;
};
struct ResumeProcesses {
  std::string group;
  std::set<ScalingProcess> processes;
  bool operator==(const ResumeProcesses&) const = default;
};
struct PutLifecycleHook {
  std::string group;
  LifecycleHook hook;
  bool operator==(const PutLifecycleHook&) const = default;
};
struct DeleteLifecycleHook {
  std::string group;
  std::string hook;
  bool operator==(const DeleteLifecycleHook&) const = default;
};
/// The instance is named by its id or by the action's token.
struct CompleteLifecycleAction {
  std::string group;
  std::string hook;
  LifecycleActionResult result = LifecycleActionResult::kContinue;
  InstanceId instance;
  std::string token;
  bool operator==(const CompleteLifecycleAction&) const = default;
};
struct RecordLifecycleActionHeartbeat {
  std::string group;
  std::string hook;
  InstanceId instance;
  std::string token;
  bool operator==(const RecordLifecycleActionHeartbeat&) const = default;
};
struct PutMetricAlarm {
  AlarmSettings settings;
  bool operator==(const PutMetricAlarm&) const = default;
};
struct DeleteAlarm {
  std::string alarm;
  bool operator==(const DeleteAlarm&) const = default;
};
/// Until the next period is evaluated.
struct SetAlarmState {
  std::string alarm;
  AlarmStateValue state = AlarmStateValue::kAlarm;
  std::string reason;
  bool operator==(const SetAlarmState&) const = default;
};
/// Of target tracking the name of the alarm is not given: it makes two of its own.
struct PutScalingPolicy {
  ScalingPolicy policy;
  bool operator==(const PutScalingPolicy&) const = default;
};
struct DeletePolicy {
  std::string policy;
  bool operator==(const DeletePolicy&) const = default;
};
struct ExecutePolicy {
  std::string policy;
  bool honor_cooldown = false;             // SimpleScaling
  std::optional<double> metric_value;      // StepScaling
  std::optional<double> breach_threshold;  // StepScaling
  bool operator==(const ExecutePolicy&) const = default;
};
struct PutScheduledUpdateGroupAction {
  ScheduledAction action;
  bool operator==(const PutScheduledUpdateGroupAction&) const = default;
};
struct DeleteScheduledAction {
  std::string action;
  bool operator==(const DeleteScheduledAction&) const = default;
};
/// https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html: the zone's node leaves DNS, and the
/// others route to no target of it, until the shift expires. Again for the same zone: it expires later, or earlier.
struct StartZonalShift {
  ZoneName away_from;
  Duration expires_in = std::chrono::hours(1);  // 1 minute to 3 days
  bool operator==(const StartZonalShift&) const = default;
};
struct CancelZonalShift {
  bool operator==(const CancelZonalShift&) const = default;
};
using Command = std::variant<RegisterImage, CreateLaunchTemplate, CreateLaunchTemplateVersion, CreateAutoScalingGroup,
                             UpdateAutoScalingGroup, SetDesiredCapacity, TerminateInstanceInAutoScalingGroup,
                             SetInstanceHealth, StartDoubleRelease, StartInstanceRefresh, CancelInstanceRefresh,
                             RollbackInstanceRefresh, EnterStandby, ExitStandby, DetachInstances, AttachInstances,
                             SetInstanceProtection, SuspendProcesses, ResumeProcesses, PutLifecycleHook,
                             DeleteLifecycleHook, CompleteLifecycleAction, RecordLifecycleActionHeartbeat,
                             PutMetricAlarm, DeleteAlarm, SetAlarmState, PutScalingPolicy, DeletePolicy, ExecutePolicy,
                             PutScheduledUpdateGroupAction, DeleteScheduledAction, StartZonalShift, CancelZonalShift>;

/// What a command gave back.
struct Reply {
  std::string id;  // of what was made or changed
  int number = 0;  // version number, capacity
  bool operator==(const Reply&) const = default;
};

/// AWS's error code ("ValidationError") and its text.
struct ApiError {
  std::string code;
  std::string message;
  bool operator==(const ApiError&) const = default;
};

// Events: what the world reports. -------------------------------------------------------------------------------------

struct InstanceRunning {
  InstanceId instance;
  bool operator==(const InstanceRunning&) const = default;
};
/// It does not run any more, whoever ended it.
struct InstanceStopped {
  InstanceId instance;
  std::string why;  // "exited with status 1", "killed by signal 9"
  bool operator==(const InstanceStopped&) const = default;
};
struct LaunchFailed {
  InstanceId instance;
  std::string code;  // "InsufficientInstanceCapacity"
  std::string message;
  bool operator==(const LaunchFailed&) const = default;
};
/// What one node saw of its targets: all of them, or those that have changed and that the others have not. A node is to
/// be asked at least once a health-check interval (divided by the speed), but need not be asked more often than every
/// 500 ms.
struct TargetHealthReported {
  struct Target {
    std::string id;
    std::uint16_t port = 0;
    Health health;
    std::string target_group = {};  // may stay empty while a node serves one target group
    bool operator==(const Target&) const = default;
  };
  std::string node;
  std::vector<Target> targets;
  bool others_unchanged = false;  // what is not listed is as this node last said
  bool operator==(const TargetHealthReported&) const = default;
};
/// The node has no request to that target any more, in none of its target groups.
struct TargetDrained {
  std::string node;
  std::string id;
  bool operator==(const TargetDrained&) const = default;
};
struct NodeRunning {
  std::string node;
  bool operator==(const NodeRunning&) const = default;
};
struct NodeStopped {
  std::string node;
  std::string why;
  bool operator==(const NodeStopped&) const = default;
};
/// The outcome of CheckNode; each check has exactly one, unless the node stopped.
struct NodeChecked {
  std::string node;
  bool passed = false;
  bool operator==(const NodeChecked&) const = default;
};
/// The answer to AskInstance or AskFront: what the tier says it runs. Each question is answered once, with status 0
/// when there was no answer in time.
struct VersionAnswered {
  std::optional<InstanceId> instance;  // none: through the front
  int status = 0;                      // 0: no answer
  std::string commit;                  // empty: the answer named none
  std::string served_by;               // host name, if the answer named one
  bool operator==(const VersionAnswered&) const = default;
};
/// What telemetry has reduced a period to: one value of one metric of a group; none when nothing was measured. To be
/// reported once a period (kMetricPeriod, divided by the speed) for each metric.
struct MetricReported {
  std::string group;
  Metric metric = Metric::kRequestCount;
  std::optional<double> value;
  bool operator==(const MetricReported&) const = default;
};
using Event = std::variant<InstanceRunning, InstanceStopped, LaunchFailed, TargetHealthReported, TargetDrained,
                           NodeRunning, NodeStopped, NodeChecked, VersionAnswered, MetricReported>;

// Actions: what the world is asked to do. -----------------------------------------------------------------------------

struct LaunchInstance {
  InstanceId instance;
  ZoneName zone;
  Image image;
  Address address;
  std::string host_name;
  std::string reason;
  bool operator==(const LaunchInstance&) const = default;
};
struct TerminateInstance {
  InstanceId instance;
  std::string reason;
  bool operator==(const TerminateInstance&) const = default;
};
struct StartNode {
  std::string node;
  ZoneName zone;
  Address address;
  bool operator==(const StartNode&) const = default;
};
/// The whole desired configuration of one load balancer on one node (several of one node differ in
/// load_balancer.name); to be repeated by the world until the node says it has this generation. Targets
/// carry logical addresses only: the world fills in where they are connected to.
struct ConfigureNode {
  std::string node;
  std::string zone{};
  std::uint64_t generation = 0;
  bool accepting = true;
  LoadBalancerSettings load_balancer;  // health-check times already divided by the speed
  TargetTable targets;
  bool operator==(const ConfigureNode&) const = default;
};
struct CheckNode {
  std::string node;
  Duration timeout{};
  bool operator==(const CheckNode&) const = default;
};
struct AskInstance {
  InstanceId instance;
  bool operator==(const AskInstance&) const = default;
};
struct AskFront {
  bool operator==(const AskFront&) const = default;
};
using Action =
    std::variant<LaunchInstance, TerminateInstance, StartNode, ConfigureNode, CheckNode, AskInstance, AskFront>;

// The state, as a plain value: what is written down and read back. ----------------------------------------------------

struct Group {
  GroupSettings settings;
  int desired_capacity = 0;
  Time created;
  std::optional<Time> next_sweep;
  std::optional<Time> next_rebalance;
  std::map<ZoneName, Time> refused_until;          // zones whose last launch failed: not tried again before
  std::map<ZoneName, int> refusals;                // consecutive
  int replacements_owed = 0;                       // launches still to be made in place of unhealthy instances
  int rebalance_surplus = 0;                       // launched to balance zones, not yet answered by a termination
  std::string trigger;                             // first sentence of the Cause of what the next reconcile does
  std::set<std::string> target_groups_in_service;  // one of its instances has passed a health check there
  std::set<ScalingProcess> suspended;
  std::map<std::string, LifecycleHook> hooks;  // by name
  std::optional<Time> cooldown_until;          // after the last change of the desired capacity
  bool all_protected_noted = false;            // the activity that says so has been written
  std::deque<RefreshState> refreshes;          // oldest first, the last 50; only the newest may be active
  bool operator==(const Group&) const = default;

  const RefreshState* active_refresh() const {
    return refreshes.empty() || !is_active(refreshes.back().status) ? nullptr : &refreshes.back();
  }
};

struct RegionState {
  static constexpr int kVersion = 8;
  RegionSettings settings;
  Rng rng{0};
  Time as_of;  // of the last command, event or wake that counted
  std::uint64_t next_activity = 1;
  std::uint64_t generation = 0;          // the last one given to any node
  std::uint64_t targets_generation = 0;  // of the last change of the registered targets
  std::map<ImageId, Image> images;
  std::map<std::string, LaunchTemplate> launch_templates;  // by name
  std::map<std::string, Group> groups;                     // by name
  std::map<InstanceId, Instance> instances;                // terminated ones stay visible for an hour, as on AWS
  std::map<std::string, Node> nodes;                       // by name
  std::deque<ScalingActivity> activities;                  // oldest first; the last 1,000
  std::map<InstanceId, std::vector<HealthReport>> reports;
  std::map<InstanceId, MergedHealth> target_health;
  std::optional<DoubleRelease> release;                      // the one in progress or the last one
  std::map<std::string, Alarm> alarms;                       // by name
  std::map<std::string, ScalingPolicy> policies;             // by name
  std::map<std::string, ScheduledAction> scheduled_actions;  // by name
  bool operator==(const RegionState&) const = default;
};

class Recorder;

class Region {
 public:
  /// `seed` decides ids and ties. Nothing runs yet: the group is made by commands; nodes start at the first wake.
  Region(Time now, RegionSettings settings, std::uint64_t seed, Journal* journal);
  /// Goes on from a state that was written down.
  Region(RegionState state, Journal* journal);
  ~Region();
  Region(Region&&) noexcept;
  Region& operator=(Region&&) noexcept;

  /// Who writes down what the region accepts, or nobody (nullptr); see recorder.h. It must outlive its use here.
  void set_recorder(Recorder* recorder);

  /// From the API. A refused command changes nothing; an accepted one has been written down when this returns.
  Result<Reply, ApiError> apply(Time now, const Command& command);
  /// From the world. Events about what is not known (any more) are ignored.
  void apply(Time now, const Event& event);
  /// Does what is due at `now`; after it next_wake() is later. To be called at next_wake() and after every apply
  /// (events of one instant may be applied together before it). Does nothing when nothing is due.
  void wake(Time now);
  /// What the world must do, in order; empties the list. What led to it has been written down when this returns.
  std::vector<Action> take_actions();
  std::optional<Time> next_wake() const;

  /// After a restart: everything that ran is gone but what the world has found still running (instance ids and node
  /// names). Marks instances and nodes accordingly. `now` must not be before state().as_of: after a jump of the wall
  /// clock the driver's clock starts at the later of the two.
  void recover(Time now, const std::set<std::string>& still_running = {});

  const RegionState& state() const;

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace rr::sim
