#pragma once
// What an instance refresh does next.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/ids.h"
#include "lb/base/time.h"
#include "sim/cloud/reconciler.h"
#include "sim/cloud/refresh_state.h"
#include "sim/cloud/tempo.h"

namespace rr::sim {

constexpr std::string_view kCancelledByUser = "Cancelled by the user.";

/// How many instances one batch replaces, and how many of those end before their replacements are ready. At least one
/// is replaced, even where the window between the least and the most healthy capacity is empty: below 100 % least it is
/// the least that is broken, at 100 % the most. Least is rounded up, most down. For two instances:
///
///     least/most   required allowed   size  end first
///      90/100          2       2        1       1      the minimum is broken: one stays
///      50/100          1       2        1       1
///       0/100          0       2        2       2      an outage
///     100/100          2       2        1       0      the maximum is broken: three for a while
///     100/200          2       4        2       0
///      50/150          1       3        2       1
struct RefreshWindow {
  int required = 0;   // least ready instances
  int allowed = 0;    // most instances
  int size = 1;       // replaced together
  int end_first = 1;  // of them ended before their replacements are ready
  bool empty = true;  // the window has no room: one of the two is broken by one instance
  bool operator==(const RefreshWindow&) const = default;
};
RefreshWindow refresh_window(int desired, int min_healthy_percentage, int max_healthy_percentage);

/// The instances of a group in the order in which they are replaced: each time the oldest of the zone with the most
/// left. (AWS does not document its order.)
std::deque<InstanceId> refresh_order(const std::vector<const Instance*>& instances);

/// What is to be done now; apply_step() changes the refresh accordingly, the caller does the rest.
struct RefreshStep {
  std::vector<InstanceId> terminate;  // end now
  std::vector<InstanceId> drop;       // to be replaced no more: skipped, ignored
  std::optional<RefreshBatch> begin;  // a batch, its `owed` launches to be made
  bool batch_over = false;
  std::optional<RefreshStatus> to;  // the next status
  std::string reason;               // its StatusReason
  std::optional<int> checkpoint;    // reached: its percentage
  bool resumed = false;             // the checkpoint's delay is over
  int completed = 0;
  std::optional<Time> look_at;  // when time alone makes more possible
  bool operator==(const RefreshStep&) const = default;
  /// Whether it changed something that makes another look at the same instant worth while.
  bool look_again() const { return to || begin || batch_over || checkpoint || resumed || !drop.empty(); }
};

/// Looks at an active refresh of the group in `view`.
///
/// - A batch begins when nothing else of the group is under way, and is over when every instance launched for it is in
///   service, through its first health check and warm. What is unhealthy or not ready among those to be replaced goes
///   first: it costs nothing.
/// - A batch never goes beyond the next checkpoint.
/// - Without progress for `view.refresh_timeout` it fails, or begins to roll back; a rollback fails.
/// - With RollbackInProgress the same steps replace what the refresh had launched.
RefreshStep advance(const RefreshState& refresh, const GroupView& view, Time now);

/// Takes a step into the state: counters, status, batch. A step to RollbackInProgress is taken by begin_rollback().
void apply_step(RefreshState& refresh, const RefreshStep& step, Time now, const Tempo& tempo);

/// What is to be replaced from now on, by the refresh or by its rollback.
void set_work(RefreshState& refresh, std::deque<InstanceId> order, Time now);

/// Begins the way back; `order` are the instances that it has launched.
void begin_rollback(RefreshState& refresh, std::string reason, std::deque<InstanceId> order, Time now);

}  // namespace rr::sim
