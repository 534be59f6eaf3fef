#pragma once
// An instance refresh as the control plane keeps it, with the API's names.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/ids.h"
#include "lb/base/time.h"
#include "sim/cloud/model.h"

namespace rr::sim {

enum class RefreshStatus : std::uint8_t {
  kPending,
  kInProgress,
  kBaking,
  kCancelling,
  kRollbackInProgress,
  kSuccessful,
  kFailed,
  kCancelled,
  kRollbackSuccessful,
  kRollbackFailed,
};
std::string_view to_string(RefreshStatus status);
/// Pending, InProgress, Baking, Cancelling, RollbackInProgress: a group has at most one refresh in such a state.
bool is_active(RefreshStatus status);

enum class ScaleInProtectedInstances : std::uint8_t { kRefresh, kIgnore, kWait };
std::string_view to_string(ScaleInProtectedInstances choice);
enum class StandbyInstances : std::uint8_t { kTerminate, kIgnore, kWait };
std::string_view to_string(StandbyInstances choice);

/// StartInstanceRefresh's Preferences as they were asked for; what is not given is found by the API's defaults.
struct RefreshPreferences {
  std::optional<int> min_healthy_percentage;  // else the maintenance policy's, else 90
  std::optional<int> max_healthy_percentage;  // else the maintenance policy's, else 100
  std::optional<Duration> instance_warmup;    // else DefaultInstanceWarmup, else HealthCheckGracePeriod
  bool skip_matching = false;
  bool auto_rollback = false;
  std::vector<int> checkpoint_percentages;   // ascending; without 100 at the end not all are replaced
  std::optional<Duration> checkpoint_delay;  // else 1 h
  ScaleInProtectedInstances scale_in_protected_instances = ScaleInProtectedInstances::kWait;
  StandbyInstances standby_instances = StandbyInstances::kWait;
  std::vector<std::string> alarms;  // any of them in ALARM fails the refresh
  Duration bake_time{};
  bool operator==(const RefreshPreferences&) const = default;
};

/// What is out of range, in one line with what would be right; none when all is well.
std::optional<std::string> wrong_preferences(const RefreshPreferences& asked);

struct RollbackDetails {
  std::string reason;
  Time started;
  int percentage_complete = 0;  // PercentageCompleteOnRollback
  int instances_to_update = 0;  // InstancesToUpdateOnRollback
  bool operator==(const RollbackDetails&) const = default;
};

/// The instances of one step: some end now and are replaced, others end when their replacements are ready.
struct RefreshBatch {
  int size = 0;                            // replacements; 0: no batch is under way
  int owed = 0;                            // of them still to be launched
  std::vector<InstanceId> end_when_ready;  // as many are launched beyond the desired capacity meanwhile
  bool operator==(const RefreshBatch&) const = default;
};

struct RefreshState {
  std::string id;
  RefreshPreferences preferences;
  std::optional<LaunchTemplateSpecification> desired_configuration;
  // What the preferences came to when it began.
  int min_healthy_percentage = 90;
  int max_healthy_percentage = 100;
  Duration instance_warmup{};

  RefreshStatus status = RefreshStatus::kPending;
  std::string status_reason;
  int percentage_complete = 0;
  int instances_to_update = 0;
  Time started;
  std::optional<Time> ended;
  std::optional<RollbackDetails> rollback;

  int total = 0;                 // instances to be replaced, of the refresh or, later, of the rollback
  int completed = 0;             // of them replaced, their replacements ready; the most there ever were
  std::deque<InstanceId> order;  // in which they are replaced; may name some that are not in `left` any more
  std::set<InstanceId> left;     // whose replacement has not begun
  RefreshBatch batch;
  std::size_t next_checkpoint = 0;
  std::optional<Time> resume_at;  // the end of a checkpoint's delay
  std::optional<Time> bake_ends;
  Time progress_at;  // the last progress; an hour without any fails it
  bool operator==(const RefreshState&) const = default;

  /// How many instances it keeps beyond the desired capacity now.
  int surplus() const { return static_cast<int>(batch.end_when_ready.size()); }
};

}  // namespace rr::sim
