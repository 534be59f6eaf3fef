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
#include "sim/cloud/refresh_window.h"
#include "sim/cloud/tempo.h"

namespace rr::sim {

constexpr std::string_view kCancelledByUser = "Cancelled by the user.";

/// The instances of a group in the order in which they are replaced: each time the oldest of the zone with the most
/// left. (AWS does not document its order.)
std::deque<InstanceId> refresh_order(const std::vector<const Instance*>& instances);

/// What is to be done now; apply_step() changes the refresh accordingly, the caller does the rest.
struct RefreshStep {
  std::vector<InstanceId> terminate;  // end now
  std::vector<InstanceId> add;        // to be replaced too: they do not match (any more)
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
  bool look_again() const {
    return to || begin || batch_over || checkpoint || resumed || !drop.empty() || !add.empty();
  }
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
