#include "sim/cloud/instance_refresh.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace rr::sim {
namespace {

constexpr Duration kCheckpointDelay = std::chrono::hours(1);

int rounded_up(int part, int percentage) { return (part * percentage + 99) / 100; }

/// Whether an instance may be replaced now.
enum class Fitness : std::uint8_t { kTake, kDrop, kWait };

/// One look at an active refresh.
class Look {
 public:
  Look(const RefreshState& refresh, const GroupView& view, Time now)
      : refresh_(refresh),
        view_(view),
        now_(now),
        desired_(view.group.desired_capacity),
        live_(static_cast<int>(view.counts.members.size())) {}

  RefreshStep run() {
    step_.completed = completed();
    step_.reason = refresh_.status_reason;
    if (suspended(ScalingProcess::kInstanceRefresh)) {
      step_.reason = "Paused: the InstanceRefresh process of the Auto Scaling group is suspended.";
      return step_;
    }
    if (view_.alarm && watches_alarms()) {
      fail(fmt::format("The alarm {} is in the ALARM state.", *view_.alarm));
      return step_;
    }
    switch (refresh_.status) {
      case RefreshStatus::kPending:
        move(RefreshStatus::kInProgress, "");
        break;
      case RefreshStatus::kInProgress:
      case RefreshStatus::kRollbackInProgress:
      case RefreshStatus::kCancelling:
        work();
        break;
      case RefreshStatus::kBaking:
        bake();
        break;
      case RefreshStatus::kSuccessful:
      case RefreshStatus::kFailed:
      case RefreshStatus::kCancelled:
      case RefreshStatus::kRollbackSuccessful:
      case RefreshStatus::kRollbackFailed:
        break;
    }
    return step_;
  }

 private:
  bool suspended(ScalingProcess process) const { return view_.group.suspended.contains(process); }
  bool rolls_back() const { return refresh_.status == RefreshStatus::kRollbackInProgress; }
  bool watches_alarms() const {
    return refresh_.status == RefreshStatus::kInProgress || refresh_.status == RefreshStatus::kBaking;
  }
  const Instance& instance(const InstanceId& id) const { return view_.instances.at(id); }
  bool is_left(const InstanceId& id) const { return refresh_.left.contains(id); }
  Time deadline() const { return refresh_.progress_at + view_.refresh_timeout; }

  /// Whether something is pending, warming up or unhealthy that is not itself to be replaced. The first one tells.
  bool under_way() const {
    const auto is_new = [&](const InstanceId& id) { return !is_left(id); };
    const auto any_new = [&](const std::set<InstanceId>& ids) { return std::any_of(ids.begin(), ids.end(), is_new); };
    return missing() > 0 || any_new(view_.counts.unsettled) || any_new(view_.counts.unhealthy);
  }
  /// How many are not ready or not there. Those to be replaced count too, because telling them apart would cost the
  /// size of a batch at every event: while some of them are not ready, progress shows at the end of a batch only.
  int unready() const {
    return static_cast<int>(view_.counts.unsettled.size() + view_.counts.unhealthy.size()) + missing();
  }
  /// Instances still to be launched.
  int missing() const { return std::max(0, desired_ + refresh_.surplus() - live_); }
  int ready() const {
    return live_ - static_cast<int>(view_.counts.unsettled.size()) - static_cast<int>(view_.counts.unhealthy.size());
  }
  int completed() const {
    const int replaced = refresh_.total - static_cast<int>(refresh_.left.size());
    if (refresh_.batch.size == 0) return replaced;
    return std::max(0, replaced - std::min(refresh_.batch.size, unready()));
  }

  void move(RefreshStatus to, std::string reason) {
    step_.to = to;
    step_.reason = std::move(reason);
  }

  void fail(std::string why) {
    switch (refresh_.status) {
      case RefreshStatus::kRollbackInProgress:
        move(RefreshStatus::kRollbackFailed, std::move(why));
        break;
      case RefreshStatus::kCancelling:
        move(RefreshStatus::kCancelled, std::string(kCancelledByUser));
        break;
      case RefreshStatus::kPending:
      case RefreshStatus::kInProgress:
      case RefreshStatus::kBaking:
        if (refresh_.preferences.auto_rollback) return move(RefreshStatus::kRollbackInProgress, std::move(why));
        move(RefreshStatus::kFailed, std::move(why));
        break;
      case RefreshStatus::kSuccessful:
      case RefreshStatus::kFailed:
      case RefreshStatus::kCancelled:
      case RefreshStatus::kRollbackSuccessful:
      case RefreshStatus::kRollbackFailed:
        return;
    }
    end_unready_surplus();
  }

  /// What it has launched beyond the desired capacity and is not ready goes again: the scale-in that follows otherwise
  /// would look for its victims among the old ones.
  void end_unready_surplus() {
    int surplus = live_ - desired_;
    for (const auto* ids : {&view_.counts.unhealthy, &view_.counts.unsettled}) {
      for (const InstanceId& id : *ids) {
        if (surplus <= 0) return;
        if (is_left(id) || instance(id).launch_reason != ChangeReason::kInstanceRefresh) continue;
        step_.terminate.push_back(id);
        --surplus;
      }
    }
  }

  void wait(std::string reason) {
    if (now_ >= deadline()) return fail("The refresh made no progress within the time limit. " + reason);
    step_.reason = std::move(reason);
    step_.look_at = deadline();
  }

  void bake() {
    if (now_ >= *refresh_.bake_ends) return move(RefreshStatus::kSuccessful, "");
    step_.reason = "Waiting for the bake time to end.";
    step_.look_at = refresh_.bake_ends;
  }

  void work() {
    const bool ours = refresh_.batch.size > 0;
    if (ours && (refresh_.batch.owed > 0 || under_way())) return wait(what_is_awaited());
    if (suspended(ScalingProcess::kTerminate)) return wait("Waiting for the Terminate process to be resumed.");
    if (ours) {
      step_.batch_over = true;
      for (const InstanceId& id : refresh_.batch.end_when_ready) {
        if (view_.counts.members.contains(id)) step_.terminate.push_back(id);
      }
      return;
    }
    if (refresh_.status == RefreshStatus::kCancelling) {
      return move(RefreshStatus::kCancelled, std::string(kCancelledByUser));
    }
    if (at_checkpoint()) return;
    if (refresh_.left.empty()) {
      if (find_outdated() || !settle_standby()) return;
      return finish();
    }
    if (under_way()) return wait(what_is_awaited());
    plan_batch();
  }

  void finish() {
    if (rolls_back()) return move(RefreshStatus::kRollbackSuccessful, refresh_.rollback->reason);
    move(refresh_.preferences.bake_time > Duration::zero() ? RefreshStatus::kBaking : RefreshStatus::kSuccessful, "");
  }

  /// True when there is nothing to be done beyond the checkpoint now.
  bool at_checkpoint() {
    if (rolls_back()) return false;
    if (refresh_.resume_at) {
      if (now_ >= *refresh_.resume_at) {
        step_.resumed = true;
      } else {
        step_.reason = "Waiting for the checkpoint delay to end.";
        step_.look_at = refresh_.resume_at;
      }
      return true;
    }
    const std::vector<int>& checkpoints = refresh_.preferences.checkpoint_percentages;
    if (checkpoints.empty()) return false;
    if (refresh_.next_checkpoint == checkpoints.size()) {
      finish();
      return true;
    }
    const int percentage = checkpoints[refresh_.next_checkpoint];
    if (completed() * 100 < percentage * refresh_.total) return false;
    step_.checkpoint = percentage;
    return true;
  }

  /// With skip matching: a version that was published meanwhile may have made finished ones outdated again.
  bool find_outdated() {
    if (!refresh_.preferences.skip_matching || rolls_back()) return false;
    for (const InstanceId& id : view_.counts.members) {
      const Instance& one = instance(id);
      const bool matches = CurrentTemplate{one.template_name, one.template_version} == view_.launches;
      if (!matches && fitness(id) != Fitness::kDrop) step_.add.push_back(id);
    }
    return !step_.add.empty();
  }

  /// What the preferences say about instances in standby; true when they are no obstacle (any more).
  bool settle_standby() {
    const std::set<InstanceId>& standby = view_.counts.standby;
    if (standby.empty() || rolls_back()) return true;
    switch (refresh_.preferences.standby_instances) {
      case StandbyInstances::kIgnore:
        return true;
      case StandbyInstances::kTerminate:
        step_.terminate.assign(standby.begin(), standby.end());
        return true;
      case StandbyInstances::kWait:
        wait(fmt::format("Waiting for instances to leave standby. For example: {} is in standby.",
                         standby.begin()->value));
        return false;
    }
    return true;
  }

  int until_checkpoint() const {
    const std::vector<int>& checkpoints = refresh_.preferences.checkpoint_percentages;
    if (rolls_back() || checkpoints.empty()) return refresh_.total;
    return std::max(1, rounded_up(refresh_.total, checkpoints[refresh_.next_checkpoint]) - completed());
  }

  Fitness fitness(const InstanceId& id) const {
    if (!view_.counts.members.contains(id)) return Fitness::kDrop;
    const Instance& one = instance(id);
    const bool matches = CurrentTemplate{one.template_name, one.template_version} == view_.launches;
    if (refresh_.preferences.skip_matching && !rolls_back() && matches) return Fitness::kDrop;
    if (!one.protected_from_scale_in) return Fitness::kTake;
    switch (refresh_.preferences.scale_in_protected_instances) {
      case ScaleInProtectedInstances::kRefresh:
        return Fitness::kTake;
      case ScaleInProtectedInstances::kIgnore:
        return Fitness::kDrop;
      case ScaleInProtectedInstances::kWait:
        return Fitness::kWait;
    }
    return Fitness::kTake;
  }

  /// Counts what a batch takes, one instance after the other.
  struct Taking {
    RefreshWindow window;
    int room = 0;          // replacements that the batch may still have
    int end_first = 0;     // of them to be ended now
    int launch_first = 0;  // of them to be launched first
    int ready = 0;         // instances
    int gratis = 0;        // instances beyond the desired capacity: ended without a replacement
    RefreshBatch batch;
  };

  void plan_batch() {
    Taking taking;
    taking.window = refresh_window(desired_, refresh_.min_healthy_percentage, refresh_.max_healthy_percentage);
    taking.room = std::min(taking.window.size, until_checkpoint());
    taking.end_first = taking.window.end_first;
    taking.launch_first = taking.window.size - taking.window.end_first;
    taking.ready = ready();
    taking.gratis = std::max(0, live_ - desired_);
    std::optional<InstanceId> waiting;
    take_unready(taking, waiting);
    take_in_order(taking, waiting);
    if (taking.batch.size > 0) {
      step_.begin = taking.batch;
    } else if (step_.drop.empty()) {
      wait(waiting ? fmt::format("Waiting for scale-in protection to be removed. For example: {} is protected.",
                                 waiting->value)
                   : std::string("Waiting for capacity."));
    }
  }

  /// Those that are not ready go first: that costs no capacity.
  void take_unready(Taking& taking, std::optional<InstanceId>& waiting) {
    for (const auto* ids : {&view_.counts.unhealthy, &view_.counts.unsettled}) {
      for (const InstanceId& id : *ids) {
        if (taking.room == 0) return;
        if (!is_left(id)) continue;
        const Fitness fit = fitness(id);
        if (fit == Fitness::kDrop) step_.drop.push_back(id);
        if (fit == Fitness::kWait) waiting = id;
        if (fit != Fitness::kTake) continue;
        end_now(taking, id);
        --taking.end_first;
      }
    }
  }

  void end_now(Taking& taking, const InstanceId& id) {
    step_.terminate.push_back(id);
    ++taking.batch.size;
    --taking.room;
    if (taking.gratis > 0) {
      --taking.gratis;
    } else {
      ++taking.batch.owed;
    }
  }

  void take_in_order(Taking& taking, std::optional<InstanceId>& waiting) {
    for (const InstanceId& id : refresh_.order) {
      if (taking.room <= 0) return;
      const bool seen = view_.counts.unhealthy.contains(id) || view_.counts.unsettled.contains(id);
      if (!is_left(id) || seen) continue;
      const Fitness fit = fitness(id);
      if (fit == Fitness::kDrop) step_.drop.push_back(id);
      if (fit == Fitness::kWait) waiting = id;
      if (fit != Fitness::kTake) continue;
      if (!take_ready(taking, id)) return;
    }
  }

  bool take_ready(Taking& taking, const InstanceId& id) {
    const bool spare = taking.ready - 1 >= taking.window.required;
    const bool forced = taking.window.empty && taking.window.end_first > 0 && taking.batch.size == 0;
    if ((taking.gratis > 0 && spare) || (taking.end_first > 0 && (spare || forced))) {
      if (taking.gratis == 0) --taking.end_first;
      --taking.ready;
      end_now(taking, id);
      return true;
    }
    if (taking.launch_first <= 0) return false;
    --taking.launch_first;
    --taking.room;
    ++taking.batch.size;
    ++taking.batch.owed;
    taking.batch.end_when_ready.push_back(id);
    return true;
  }

  std::string what_is_awaited() const {
    for (const auto* ids : {&view_.counts.unsettled, &view_.counts.unhealthy}) {
      for (const InstanceId& id : *ids) {
        if (is_left(id)) continue;
        const Instance& one = instance(id);
        if (!one.healthy) {
          return fmt::format("Waiting for unhealthy instances to be replaced. For example: {} is unhealthy.", id.value);
        }
        if (one.lifecycle != LifecycleState::kInService) {
          return fmt::format("Waiting for new instances to come into service. For example: {} is {}.", id.value,
                             to_string(one.lifecycle));
        }
        if (!one.warm_at) {
          return fmt::format("Waiting for instances to become healthy. For example: {} has not passed a health check.",
                             id.value);
        }
        return fmt::format("Waiting for instances to warm up before continuing. For example: {} is warming up.",
                           id.value);
      }
    }
    return "Waiting for instances to be launched.";
  }

  const RefreshState& refresh_;
  const GroupView& view_;
  const Time now_;
  const int desired_;
  const int live_;
  RefreshStep step_;
};

}  // namespace

std::string_view to_string(RefreshStatus status) {
  switch (status) {
    case RefreshStatus::kPending:
      return "Pending";
    case RefreshStatus::kInProgress:
      return "InProgress";
    case RefreshStatus::kBaking:
      return "Baking";
    case RefreshStatus::kCancelling:
      return "Cancelling";
    case RefreshStatus::kRollbackInProgress:
      return "RollbackInProgress";
    case RefreshStatus::kSuccessful:
      return "Successful";
    case RefreshStatus::kFailed:
      return "Failed";
    case RefreshStatus::kCancelled:
      return "Cancelled";
    case RefreshStatus::kRollbackSuccessful:
      return "RollbackSuccessful";
    case RefreshStatus::kRollbackFailed:
      return "RollbackFailed";
  }
  return "";
}

bool is_active(RefreshStatus status) { return status <= RefreshStatus::kRollbackInProgress; }

std::string_view to_string(ScaleInProtectedInstances choice) {
  switch (choice) {
    case ScaleInProtectedInstances::kRefresh:
      return "Refresh";
    case ScaleInProtectedInstances::kIgnore:
      return "Ignore";
    case ScaleInProtectedInstances::kWait:
      return "Wait";
  }
  return "";
}

std::string_view to_string(StandbyInstances choice) {
  switch (choice) {
    case StandbyInstances::kTerminate:
      return "Terminate";
    case StandbyInstances::kIgnore:
      return "Ignore";
    case StandbyInstances::kWait:
      return "Wait";
  }
  return "";
}

std::deque<InstanceId> refresh_order(const std::vector<const Instance*>& instances) {
  std::map<ZoneName, std::deque<const Instance*>> by_zone;
  for (const Instance* instance : instances) by_zone[instance->zone].push_back(instance);
  for (auto& [zone, there] : by_zone) {
    std::sort(there.begin(), there.end(), [](const Instance* a, const Instance* b) {
      return a->launched != b->launched ? a->launched < b->launched : a->id < b->id;
    });
  }
  std::deque<InstanceId> order;
  while (order.size() < instances.size()) {
    auto fullest = by_zone.begin();
    for (auto zone = by_zone.begin(); zone != by_zone.end(); ++zone) {
      if (zone->second.size() > fullest->second.size()) fullest = zone;
    }
    order.push_back(fullest->second.front()->id);
    fullest->second.pop_front();
  }
  return order;
}

RefreshStep advance(const RefreshState& refresh, const GroupView& view, Time now) {
  return Look(refresh, view, now).run();
}

void set_work(RefreshState& refresh, std::deque<InstanceId> order, Time now) {
  refresh.order = std::move(order);
  refresh.left = {refresh.order.begin(), refresh.order.end()};
  refresh.total = static_cast<int>(refresh.order.size());
  refresh.completed = 0;
  refresh.batch = {};
  refresh.progress_at = now;
}

void begin_rollback(RefreshState& refresh, std::string reason, std::deque<InstanceId> order, Time now) {
  refresh.rollback = RollbackDetails{std::move(reason), now, refresh.percentage_complete, refresh.instances_to_update};
  refresh.status = RefreshStatus::kRollbackInProgress;
  refresh.status_reason = refresh.rollback->reason;
  refresh.resume_at.reset();
  refresh.bake_ends.reset();
  set_work(refresh, std::move(order), now);
}

namespace {

void begin_batch(RefreshState& refresh, const RefreshStep& step) {
  refresh.batch = *step.begin;
  for (const InstanceId& id : step.terminate) refresh.left.erase(id);
  for (const InstanceId& id : refresh.batch.end_when_ready) refresh.left.erase(id);
  while (!refresh.order.empty() && !refresh.left.contains(refresh.order.front())) refresh.order.pop_front();
}

void take_checkpoint(RefreshState& refresh, Time now, const Tempo& tempo) {
  ++refresh.next_checkpoint;
  if (refresh.next_checkpoint == refresh.preferences.checkpoint_percentages.size()) return;
  refresh.resume_at = now + tempo.waits(refresh.preferences.checkpoint_delay.value_or(kCheckpointDelay));
}

void take_counters(RefreshState& refresh, const RefreshStep& step, Time now) {
  if (step.completed > refresh.completed) {
    refresh.completed = step.completed;
    refresh.progress_at = now;
  }
  if (refresh.rollback) {
    const int from = refresh.rollback->percentage_complete;
    refresh.percentage_complete = refresh.total == 0 ? 0 : from - from * refresh.completed / refresh.total;
    return;
  }
  refresh.percentage_complete = refresh.total == 0 ? 100 : 100 * refresh.completed / refresh.total;
  refresh.instances_to_update = static_cast<int>(refresh.left.size());
}

}  // namespace

void apply_step(RefreshState& refresh, const RefreshStep& step, Time now, const Tempo& tempo) {
  if (refresh.left.empty()) refresh.order.clear();  // it names nothing that is left, and nothing may be in it twice
  for (const InstanceId& id : step.add) {
    refresh.left.insert(id);
    refresh.order.push_back(id);
    ++refresh.total;
  }
  for (const InstanceId& id : step.drop) {
    if (refresh.left.erase(id) > 0) --refresh.total;  // it does not count, neither as replaced nor as to be replaced
  }
  if (step.begin) begin_batch(refresh, step);
  if (step.batch_over) refresh.batch = {};
  if (step.checkpoint) take_checkpoint(refresh, now, tempo);
  if (step.resumed) refresh.resume_at.reset();
  if (step.resumed) refresh.progress_at = now;
  refresh.status_reason = step.reason;
  take_counters(refresh, step, now);
  if (!step.to || *step.to == RefreshStatus::kRollbackInProgress) return;
  refresh.status = *step.to;
  if (*step.to == RefreshStatus::kBaking) refresh.bake_ends = now + tempo.waits(refresh.preferences.bake_time);
  if (is_active(refresh.status)) return;
  refresh.ended = now;
  refresh.batch = {};
  refresh.order.clear();
  refresh.left.clear();
}

}  // namespace rr::sim
