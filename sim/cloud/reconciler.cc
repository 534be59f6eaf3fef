#include "sim/cloud/reconciler.h"

#include <algorithm>

#include "lb/base/check.h"
#include "sim/cloud/activity.h"
#include "sim/cloud/refresh_window.h"

namespace rr::sim {
namespace {

/// One look at a group: the counters as they are, minus what the plan so far takes away.
class Look {
 public:
  Look(const GroupView& view, Time now, Rng& rng)
      : view_(view),
        settings_(view.group.settings),
        now_(now),
        rng_(rng),
        live_(static_cast<int>(view.counts.members.size())),
        in_service_(view.counts.in_service) {
    plan_.rebalance_surplus = view.group.rebalance_surplus;
    list_zones();
  }

  Plan run() {
    end_gone();
    end_refused_by_load_balancer();
    shrink();
    grow();
    balance();
    return std::move(plan_);
  }

 private:
  int desired() const { return view_.group.desired_capacity; }
  bool runs(ScalingProcess process) const { return !view_.group.suspended.contains(process); }
  bool balanced_only() const {
    return settings_.capacity_distribution_strategy == CapacityDistributionStrategy::kBalancedOnly;
  }
  const Instance& instance(const InstanceId& id) const { return view_.instances.at(id); }

  void list_zones() {
    for (const ZoneName& zone : settings_.zones) {
      const auto found = view_.counts.live.find(zone);
      zones_.push_back({zone, found == view_.counts.live.end() ? 0 : found->second, true});
      const auto until = view_.group.refused_until.find(zone);
      if (until == view_.group.refused_until.end()) continue;
      if (until->second > now_) {
        refusing_.insert(zone);
      } else {
        doubtful_.insert(zone);
      }
    }
    for (const auto& [zone, count] : view_.counts.live) {
      const bool listed = std::find(settings_.zones.begin(), settings_.zones.end(), zone) != settings_.zones.end();
      if (!listed && count > 0) zones_.push_back({zone, count, false});
    }
  }

  ZoneLoad& load(const ZoneName& zone) {
    const auto found = std::find_if(zones_.begin(), zones_.end(), [&](const ZoneLoad& z) { return z.zone == zone; });
    RR_CHECK(found != zones_.end(), "every live instance is in a listed zone");
    return *found;
  }

  void end(const Instance& ending, ChangeReason reason, std::string cause) {
    plan_.terminate.push_back({ending.id, reason, std::move(cause)});
    ended_.insert(ending.id);
    --load(ending.zone).instances;
    --live_;
    if (ending.lifecycle == LifecycleState::kInService) --in_service_;
  }

  ChangeReason reason_of(const Instance& unhealthy) const {
    RR_CHECK(unhealthy.end_reason.has_value(), "an instance marked Unhealthy says why");
    return *unhealthy.end_reason;
  }

  bool replaces_unhealthy() const {
    return runs(ScalingProcess::kReplaceUnhealthy) && runs(ScalingProcess::kTerminate);
  }

  void end_gone() {
    if (!replaces_unhealthy()) return;
    for (const InstanceId& id : view_.counts.unhealthy) {
      const ChangeReason reason = reason_of(instance(id));
      if (reason == ChangeReason::kElbHealthCheck) continue;
      end(instance(id), reason, taken_for_health(now_, reason));
      ++replacements_;
    }
  }

  /// What goes a few at a time: what the load balancer refuses, and after it what has lived for long enough, the oldest
  /// first. While a release or a refresh runs nothing is replaced for its age: it counts on what it sees.
  struct Replaced {
    InstanceId id;
    ChangeReason reason;
  };
  std::vector<Replaced> to_be_replaced() {
    std::vector<Replaced> found;
    for (const InstanceId& id : view_.counts.unhealthy) {
      const bool ill = !ended_.contains(id) && reason_of(instance(id)) == ChangeReason::kElbHealthCheck;
      if (ill) found.push_back({id, ChangeReason::kElbHealthCheck});
    }
    for (const Instance* one : too_old()) found.push_back({one->id, ChangeReason::kMaxInstanceLifetime});
    return found;
  }

  std::vector<const Instance*> too_old() {
    std::vector<const Instance*> found;
    if (view_.lifetime == Duration::zero() || view_.rebalance_suspended || !runs(ScalingProcess::kLaunch)) return found;
    for (const InstanceId& id : view_.counts.members) {
      const Instance& member = instance(id);
      const Time ends = member.launched + view_.lifetime;
      if (ends > now_) {
        if (!plan_.look_at || ends < *plan_.look_at) plan_.look_at = ends;
      } else if (member.healthy && member.settled_at) {
        found.push_back(&member);
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto* a, const auto* b) { return a->launched < b->launched; });
    return found;
  }

  void end_refused_by_load_balancer() {
    if (!replaces_unhealthy()) return;
    const auto& policy = settings_.maintenance_policy;
    if (policy && policy->min_healthy_percentage == 100) return replace_before_ending(*policy);
    const int together = policy ? window(*policy).end_first : desired() / 10;
    int beyond = excess();
    int slots = std::max(1, together) - static_cast<int>(view_.counts.unsettled.size());
    for (const auto& [id, reason] : to_be_replaced()) {
      if (in_service_ < 2 && desired() > 1) return;  // the last one in service stays, however bad
      if (beyond <= 0 && slots <= 0) return;
      if (beyond > 0) {
        --beyond;  // one too many anyway: not replaced
      } else {
        --slots;
        if (reason == ChangeReason::kElbHealthCheck) ++replacements_;
      }
      end(instance(id), reason, taken_for_health(now_, reason));
    }
  }

  RefreshWindow window(const InstanceMaintenancePolicy& policy) const {
    return refresh_window(desired(), policy.min_healthy_percentage, policy.max_healthy_percentage);
  }

  /// Launch before terminate. Worked: desired 2, one unhealthy: a third is launched; when it has settled, live 3 less
  /// desired 2 less unsettled 0 says that one may end.
  void replace_before_ending(const InstanceMaintenancePolicy& policy) {
    const std::vector<Replaced> replaced = to_be_replaced();
    int may_end = live_ - desired() - view_.surplus - static_cast<int>(view_.counts.unsettled.size());
    int remain = static_cast<int>(replaced.size());
    int ill = static_cast<int>(std::count_if(replaced.begin(), replaced.end(), [](const Replaced& one) {
      return one.reason == ChangeReason::kElbHealthCheck;
    }));
    for (const auto& [id, reason] : replaced) {
      if (may_end-- <= 0) break;
      --remain;
      if (reason == ChangeReason::kElbHealthCheck) --ill;
      end(instance(id), reason, taken_for_health(now_, reason));
    }
    replaced_first_ = std::min(remain, window(policy).size);
    replacements_ += std::clamp(desired() + view_.surplus + replaced_first_ - live_, 0, ill);
  }

  /// How many instances there should be now.
  int wanted() const { return desired() + view_.surplus + replaced_first_; }
  /// A trial launch for balance is no excess before it has settled.
  int excess() const { return live_ - wanted() - view_.counts.unsettled_trials; }

  void shrink() {
    if (!runs(ScalingProcess::kTerminate)) return;
    const int surplus = excess();
    if (surplus <= 0) {
      if (view_.counts.unsettled_trials == 0) plan_.rebalance_surplus = 0;
      return;
    }
    std::vector<const Instance*> candidates;
    for (const InstanceId& id : view_.counts.members) {
      const Instance& member = instance(id);
      if (!ended_.contains(id) && member.healthy && !member.protected_from_scale_in) candidates.push_back(&member);
    }
    const int from = live_;
    const std::size_t first = plan_.terminate.size();
    Victims victims(candidates, settings_.termination_policies, view_.current, now_, view_.hour);
    for (int i = 0; i < surplus && !victims.empty(); ++i) {
      const Instance& victim = victims.take(zones_, rng_);
      const bool balancing = plan_.rebalance_surplus > 0;
      if (balancing) --plan_.rebalance_surplus;
      end(victim, balancing ? ChangeReason::kRebalance : ChangeReason::kDesiredCapacity, "");
    }
    explain_shrinking(first, from, live_);
    plan_.all_protected = excess() > 0 && victims.empty();
  }

  /// One sentence for the whole shrinking, then one for each victim, the same Cause for all of them.
  void explain_shrinking(std::size_t first, int from, int to) {
    std::vector<std::string> sentences{shrank(now_, from, to)};
    for (std::size_t i = first; i < plan_.terminate.size(); ++i) {
      sentences.push_back(selected_for_termination(now_, plan_.terminate[i].instance));
    }
    const std::string what = join_sentences(sentences);
    for (std::size_t i = first; i < plan_.terminate.size(); ++i) {
      Plan::Terminate& item = plan_.terminate[i];
      const bool balancing = item.reason == ChangeReason::kRebalance;
      item.cause = join_sentences({balancing ? launched_to_balance(now_, settings_.zones) : view_.group.trigger, what});
    }
  }

  void grow() {
    const int need = wanted() - live_;
    if (!runs(ScalingProcess::kLaunch)) {
      plan_.replacements_owed = std::min(std::max(need, 0), view_.group.replacements_owed + replacements_);
      plan_.refresh_owed = std::min(std::max(need, 0) - plan_.replacements_owed, view_.refresh_owed);
      return;
    }
    int replacing = std::min(std::max(need, 0), view_.group.replacements_owed + replacements_);
    int refreshing = std::min(std::max(need, 0) - replacing, view_.refresh_owed);
    const int from = live_;
    const std::size_t first = plan_.launch.size();
    for (int i = 0; i < need; ++i) {
      const std::optional<ZoneName> zone = emptiest_zone(zones_, balanced_only() ? std::set<ZoneName>{} : refusing_);
      if (!zone || refusing_.contains(*zone)) break;
      launch(*zone, launch_reason(replacing, refreshing));
    }
    plan_.replacements_owed = replacing;
    plan_.refresh_owed = refreshing;
    for (std::size_t i = first; i < plan_.launch.size(); ++i) {
      plan_.launch[i].cause = launch_cause(plan_.launch[i].reason, from);
    }
    if (live_ < wanted()) look_when_a_zone_may_be_tried();
  }

  /// What the next launch is for: those owed come first.
  static ChangeReason launch_reason(int& replacing, int& refreshing) {
    if (replacing > 0) {
      --replacing;
      return ChangeReason::kReplaceUnhealthy;
    }
    if (refreshing > 0) {
      --refreshing;
      return ChangeReason::kInstanceRefresh;
    }
    return ChangeReason::kDesiredCapacity;
  }

  std::string launch_cause(ChangeReason reason, int from) const {
    if (reason == ChangeReason::kReplaceUnhealthy) return replaced_unhealthy(now_);
    if (reason == ChangeReason::kInstanceRefresh) return launched_for_refresh(now_);
    return join_sentences({view_.group.trigger, started_instances(now_, from, live_)});
  }

  void launch(const ZoneName& zone, ChangeReason reason) {
    plan_.launch.push_back({zone, reason, ""});
    ++load(zone).instances;
    ++live_;
  }

  void balance() {
    const bool steady = plan_.terminate.empty() && plan_.launch.empty() && live_ == desired() &&
                        view_.counts.unsettled.empty() && view_.counts.unhealthy.empty();
    const bool may = runs(ScalingProcess::kAZRebalance) && runs(ScalingProcess::kLaunch);
    if (!steady || !may || view_.rebalance_suspended || !zone_to_fill(zones_, {})) return;
    const std::optional<ZoneName> zone = zone_to_fill(zones_, refusing_);
    const std::optional<Time> not_before = view_.group.next_rebalance;
    if (!zone || (not_before && *not_before > now_)) {
      look_when_a_zone_may_be_tried();
      if (zone || (not_before && plan_.look_at && *not_before > *plan_.look_at)) plan_.look_at = not_before;
      return;
    }
    const int allowance = settings_.max_size + std::max(1, settings_.max_size / 10) - live_;
    int moves = doubtful_.contains(*zone) ? 1 : std::min(allowance, moves_to_balance(zones_));
    for (; moves > 0; --moves) {
      const std::optional<ZoneName> next = zone_to_fill(zones_, refusing_);
      if (!next) break;
      launch(*next, ChangeReason::kRebalance);
      plan_.launch.back().cause = launched_to_balance(now_, settings_.zones);
    }
  }

  void look_when_a_zone_may_be_tried() {
    for (const ZoneName& zone : refusing_) {
      const Time until = view_.group.refused_until.at(zone);
      if (!plan_.look_at || until < *plan_.look_at) plan_.look_at = until;
    }
  }

  const GroupView& view_;
  const GroupSettings& settings_;
  const Time now_;
  Rng& rng_;
  std::vector<ZoneLoad> zones_;
  std::set<ZoneName> refusing_;  // not to be tried yet
  std::set<ZoneName> doubtful_;  // refused last time, may be tried again
  std::set<InstanceId> ended_;
  int live_;
  int in_service_;
  int replacements_ = 0;
  int replaced_first_ = 0;  // unhealthy ones that stay until their replacements have settled
  Plan plan_;
};

}  // namespace

void GroupCounts::count(const Instance& instance, int sign) {
  bool is_live = false;
  switch (instance.lifecycle) {
    case LifecycleState::kPending:
    case LifecycleState::kPendingWait:
    case LifecycleState::kPendingProceed:
      is_live = true;
      break;
    case LifecycleState::kInService:
      is_live = true;
      in_service += sign;
      break;
    case LifecycleState::kTerminating:
    case LifecycleState::kTerminatingWait:
    case LifecycleState::kTerminatingProceed:
    case LifecycleState::kTerminated:
    case LifecycleState::kDetaching:
    case LifecycleState::kDetached:
      break;
    case LifecycleState::kEnteringStandby:
    case LifecycleState::kStandby:
      if (sign > 0) {
        standby.insert(instance.id);
      } else {
        standby.erase(instance.id);
      }
      break;
  }
  if (!is_live) return;
  const auto put = [&](std::set<InstanceId>& ids) {
    if (sign > 0) {
      ids.insert(instance.id);
    } else {
      ids.erase(instance.id);
    }
  };
  live[instance.zone] += sign;
  put(members);
  if (!instance.healthy) {
    put(unhealthy);
  } else if (!instance.settled_at) {
    put(unsettled);
    if (instance.launch_reason == ChangeReason::kRebalance) unsettled_trials += sign;
  }
}

Plan reconcile(const GroupView& view, Time now, Rng& rng) { return Look(view, now, rng).run(); }

}  // namespace rr::sim
