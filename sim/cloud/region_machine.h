#pragma once
// The inside of Region: its state, what can be derived from the state (counters, timers), and what happens in it.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/cloud/double_release.h"
#include "sim/cloud/instance_refresh.h"
#include "sim/cloud/reconciler.h"
#include "sim/cloud/recorder.h"
#include "sim/cloud/region.h"
#include "sim/cloud/tempo.h"

namespace rr::sim {

struct Region::Machine {
  /// What a moment in the state is waited for; equal instants are handled in this order, then by key.
  enum class TimerKind : std::uint8_t {
    kStartNode,  // Node::start_at
    kCheckNode,  // Node::next_check
    kLaunch,     // Instance::starts_at
    kWarm,       // Instance::warm_at
    kDrained,    // Instance::drain_ends
    kHook,       // Instance::hook_at
    kScheduled,  // ScheduledAction::next
    kForget,     // Instance::forget_at
    kSweep,      // Group::next_sweep
    kLook,       // Plan::look_at
    kRefresh,    // RefreshStep::look_at
  };
  struct Timer {
    Time at;
    TimerKind kind;
    std::string key;  // instance id, node or group name
    auto operator<=>(const Timer&) const = default;
  };

  Machine(RegionState from, Journal* journal);

  // From outside (region.cc, region_commands.cc, region_events.cc, region_release.cc) --------------------------------
  Result<Reply, ApiError> apply(Time now, const Command& command);
  void apply(Time now, const Event& event);
  void wake(Time now);
  std::optional<Time> next_wake() const;
  void recover(Time now, const std::set<std::string>& still_running);

  Result<Reply, ApiError> run(Time now, const RegisterImage& command);
  Result<Reply, ApiError> run(Time now, const CreateLaunchTemplate& command);
  Result<Reply, ApiError> run(Time now, const CreateLaunchTemplateVersion& command);
  Result<Reply, ApiError> run(Time now, const CreateAutoScalingGroup& command);
  Result<Reply, ApiError> run(Time now, const UpdateAutoScalingGroup& command);
  Result<Reply, ApiError> run(Time now, const SetDesiredCapacity& command);
  Result<Reply, ApiError> run(Time now, const TerminateInstanceInAutoScalingGroup& command);
  Result<Reply, ApiError> run(Time now, const SetInstanceHealth& command);
  Result<Reply, ApiError> run(Time now, const StartDoubleRelease& command);
  Result<Reply, ApiError> run(Time now, const StartInstanceRefresh& command);
  Result<Reply, ApiError> run(Time now, const CancelInstanceRefresh& command);
  Result<Reply, ApiError> run(Time now, const RollbackInstanceRefresh& command);
  Result<Reply, ApiError> run(Time now, const EnterStandby& command);
  Result<Reply, ApiError> run(Time now, const ExitStandby& command);
  Result<Reply, ApiError> run(Time now, const DetachInstances& command);
  Result<Reply, ApiError> run(Time now, const AttachInstances& command);
  Result<Reply, ApiError> run(Time now, const SetInstanceProtection& command);
  Result<Reply, ApiError> run(Time now, const SuspendProcesses& command);
  Result<Reply, ApiError> run(Time now, const ResumeProcesses& command);
  Result<Reply, ApiError> run(Time now, const PutLifecycleHook& command);
  Result<Reply, ApiError> run(Time now, const DeleteLifecycleHook& command);
  Result<Reply, ApiError> run(Time now, const CompleteLifecycleAction& command);
  Result<Reply, ApiError> run(Time now, const RecordLifecycleActionHeartbeat& command);
  Result<Reply, ApiError> run(Time now, const PutMetricAlarm& command);
  Result<Reply, ApiError> run(Time now, const DeleteAlarm& command);
  Result<Reply, ApiError> run(Time now, const SetAlarmState& command);
  Result<Reply, ApiError> run(Time now, const PutScalingPolicy& command);
  Result<Reply, ApiError> run(Time now, const DeletePolicy& command);
  Result<Reply, ApiError> run(Time now, const ExecutePolicy& command);
  Result<Reply, ApiError> run(Time now, const PutScheduledUpdateGroupAction& command);
  Result<Reply, ApiError> run(Time now, const DeleteScheduledAction& command);
  Result<Reply, ApiError> run(Time now, const StartZonalShift& command);
  Result<Reply, ApiError> run(Time now, const CancelZonalShift& command);

  void take(Time now, const InstanceRunning& event);
  void take(Time now, const InstanceStopped& event);
  void take(Time now, const LaunchFailed& event);
  void take(Time now, const TargetHealthReported& event);
  void take(Time now, const TargetDrained& event);
  void take(Time now, const NodeRunning& event);
  void take(Time now, const NodeStopped& event);
  void take(Time now, const NodeChecked& event);
  void take(Time now, const VersionAnswered& event);
  void take(Time now, const MetricReported& event);
  void owe_launch_again(const Instance& instance);

  // Timers -----------------------------------------------------------------------------------------------------------
  /// Sets the field of the state that a timer follows, and the timer with it.
  void arm(std::optional<Time>& field, std::optional<Time> at, TimerKind kind, const std::string& key);
  void fire(Time now, const Timer& timer);
  void fire_start_node(Time now, Node& node);
  void fire_check_node(Time now, Node& node);
  void fire_launch(Time now, Instance& instance);
  void fire_sweep(Time now, Group& group);

  // Instances --------------------------------------------------------------------------------------------------------
  /// An instance in the state, and in the state's other maps what is reported of it, or nullptr: found in one step. The
  /// way through three trees of ten thousand names was most of what a report of a node cost.
  struct Known {
    Instance* instance = nullptr;
    std::vector<HealthReport>* reports = nullptr;
    MergedHealth* health = nullptr;
  };
  Known* find_known(std::string_view id);
  static void expect(const Known* known);
  Known& known_at(const InstanceId& id);  // which must be known
  Instance* find_instance(const InstanceId& id);
  Instance& instance_at(const InstanceId& id);  // which must be known
  /// Every change of an instance goes through here, so that the group's counters follow.
  void change(Instance& instance, const std::function<void(Instance&)>& how);
  void move(Time now, Instance& instance, LifecycleState to, std::string_view why);
  void move(Instance& instance, InstanceState to);
  void launch(Time now, Group& group, const Plan::Launch& item);
  void refuse_zone(Time now, Group& group, const ZoneName& zone, Duration first, bool doubling);
  void put_in_service(Time now, Instance& instance);
  void settle_when_ready(Time now, Instance& instance);
  void mark_unhealthy(Time now, Instance& instance, ChangeReason reason, std::string_view why);
  void begin_termination(Time now, Instance& instance, ChangeReason reason, const std::string& cause);
  void finish_drain_when_done(Time now, Instance& instance);
  void finish_drain(Time now, Instance& instance);
  /// Out of its target groups; false when there is nothing to be waited for.
  bool deregister(Time now, Instance& instance);
  /// What comes when it has no request any more: its end, standby, or its way out of the group.
  void after_drain(Time now, Instance& instance);
  void request_stop(Instance& instance);
  void finish_termination(Time now, Instance& instance);
  /// A launch that came to nothing: the instance vanishes, as it never existed on AWS.
  void drop_failed_launch(Time now, Instance& instance, std::string_view code, std::string_view message);
  void forget(const InstanceId& id);
  bool needs_target_health(const Group& group) const;
  bool healthy_by_targets(const Instance& instance) const;
  /// `interval`: longest_report_interval().
  void take_report(Time now, const TargetHealthReported& event, const TargetHealthReported::Target& target,
                   Known& known);
  void merge_reports(Time now, Known& known, Duration interval);
  void forget_reports(const Instance& instance);
  /// Keeps suspects_ right; after each change of what it is about.
  void follow_suspect(const Known& known);
  bool nothing_expires_since(Time then, const std::set<std::string>& fresh, Duration lasts) const;
  std::vector<InstanceId> to_be_looked_at(Time now, const Group& group);
  Duration longest_report_interval() const;
  bool has_target_group(const std::string& name) const;
  Duration drain_time(const Group& group) const;
  bool grace_is_over(Time now, const Instance& instance) const;

  // Standby, attach and detach (region_members.cc) --------------------------------------------------------------------
  Result<Group*, ApiError> group_of(const std::vector<InstanceId>& ids, std::string_view state,
                                    const std::function<bool(const Instance&)>& fits);
  Result<Reply, ApiError> take_out(Time now, const std::vector<InstanceId>& ids, bool decrement, LifecycleState first);
  Result<Reply, ApiError> bring_back(Time now, Group& group, const std::vector<InstanceId>& ids, bool attaches);

  // Lifecycle hooks (region_hooks.cc) ---------------------------------------------------------------------------------
  bool wait_for_hooks(Time now, Instance& instance, LifecycleTransition transition);
  Result<Instance*, ApiError> waiting_for(const std::string& group, const std::string& hook, const InstanceId& id,
                                          const std::string& token);
  void complete_action(Time now, Instance& instance, const std::string& hook, LifecycleActionResult result);
  void abandon_launch(Time now, Instance& instance, const std::string& token);
  void arm_hooks(Instance& instance);
  void fire_hooks(Time now, Instance& instance);

  // Activities -------------------------------------------------------------------------------------------------------
  enum class ActivityKind : std::uint8_t { kLaunch, kTerminate };
  void begin_activity(Time now, ActivityKind kind, const Instance& instance, const std::string& cause,
                      const std::string& description);
  void progress_activity(ActivityKind kind, const InstanceId& instance, std::string_view status, int progress);
  void end_activity(Time now, ActivityKind kind, const InstanceId& instance, std::string_view status,
                    std::string_view message = {});
  ScalingActivity* open_activity(ActivityKind kind, const InstanceId& instance);
  void add_activity(ScalingActivity activity);

  // Groups -----------------------------------------------------------------------------------------------------------
  GroupCounts& counts(const std::string& group) { return counts_[group]; }
  CurrentTemplate resolve(const LaunchTemplateSpecification& specification) const;
  CurrentTemplate current_template(const GroupSettings& settings) const { return resolve(settings.launch_template); }
  GroupView view_of(const Group& group);
  void mark_dirty(Time now, const std::string& group);
  void reconcile_group(Time now, Group& group);
  void note_all_protected(Time now, Group& group, bool all_protected);
  void set_desired(Time now, Group& group, int desired, std::string trigger);
  bool release_runs_on(const std::string& group) const;
  std::optional<ApiError> check_settings(const GroupSettings& settings) const;

  // Nodes and targets ------------------------------------------------------------------------------------------------
  void targets_changed(Time now);
  void node_down(Time now, Node& node, std::string_view why);
  void configure_nodes(Time now);
  ConfigureNode configuration(const Node& node, const LoadBalancerSettings& settings) const;
  /// With all target groups of its group, or with none of them.
  void list_target(const Instance& instance, bool registered);
  void list_members(Time now, Group& group, bool registered);

  // Release ----------------------------------------------------------------------------------------------------------
  ReleaseView release_view() const;
  void advance_release(Time now);
  void enter_phase(Time now, DoublePhase phase);
  void roll_back_release(Time now, Group& group);
  Duration release_deadline(DoublePhase phase, const Group& group) const;

  // Alarms, policies, scheduled actions (region_scaling.cc) -----------------------------------------------------------
  void alarm_changed(Time now, const Alarm& alarm);
  void trigger_policies(Time now, const Alarm& alarm, double value);
  /// One of the alarms that the group's instance refresh watches and that is in ALARM.
  std::optional<std::string> refresh_alarm(const Group& group) const;
  ScalingView scaling_view(const Group& group);
  void begin_cooldown(Time now, Group& group, const ScalingPolicy& policy);
  void erase_tracking_alarms(const ScalingPolicy& policy);
  std::optional<Time> next_time(const ScheduledAction& action, Time after) const;
  void fire_scheduled(Time now, ScheduledAction& action);

  // Instance refresh -------------------------------------------------------------------------------------------------
  /// What a launch of the group uses now.
  CurrentTemplate launch_template_of(const Group& group) const;
  std::optional<ApiError> check_refresh(const Group& group, const StartInstanceRefresh& command) const;
  void advance_refresh(Time now, Group& group);
  void forget_refresh_work(const Instance& instance);
  void leave_refresh(const Instance& instance);
  void join_refresh(const Instance& instance);
  void take_refresh_step(Time now, Group& group, const RefreshStep& step);
  void roll_back_refresh(Time now, Group& group, std::string reason);
  std::optional<ApiError> check_template(const LaunchTemplateSpecification& specification) const;

  void log(Time now, std::string_view entity, std::string_view event);
  Time advance_clock(Time now);

  RegionState state_;
  Tempo tempo_;
  Journal* journal_;
  Recorder* recorder_ = nullptr;
  std::vector<Action> actions_;

  // Derived from the state.
  std::set<Timer> timers_;
  std::unordered_map<std::string_view, Known> index_;  // by the instances' own ids; never iterated
  std::map<std::string, GroupCounts> counts_;
  std::map<std::string, std::optional<Time>> look_at_;     // by group
  std::map<std::string, std::optional<Time>> refresh_at_;  // by group
  std::map<std::string, std::set<InstanceId>> leaving_;    // by group: terminating, not terminated
  std::map<std::string, std::set<InstanceId>> suspects_;   // by group: seen unhealthy by targets, or stopped
  /// When a group last looked at all of its members, and which nodes then ran and had vouched for what they had said so
  /// lately that no report of theirs could be out of date.
  struct Look {
    Time at;
    std::set<std::string> fresh;
  };
  std::map<std::string, std::optional<Look>> looks_;  // by group
  std::map<std::string, Time> heard_;                 // by node: when it last reported
  TargetTable targets_;                               // the registered instances
  std::set<Address> addresses_;                       // of instances that are not terminated
  std::map<std::pair<ActivityKind, InstanceId>, std::uint64_t> open_activities_;

  // Work that waits for the next wake, with the instant it came up at.
  std::map<std::string, Time> dirty_;
  std::optional<Time> configure_at_;
  std::optional<Time> release_at_;
};

}  // namespace rr::sim
