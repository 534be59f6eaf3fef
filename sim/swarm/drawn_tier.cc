#include "sim/swarm/drawn_tier.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/cloud/address_plan.h"

namespace rr::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// From `least` to `most`, both included.
int between(Rng& rng, int least, int most) {
  return least + static_cast<int>(rng.below(static_cast<std::uint64_t>(most - least + 1)));
}
bool chance(Rng& rng, int percent) { return between(rng, 1, 100) <= percent; }

TargetGroupSettings draw_target_group(Rng& rng) {
  TargetGroupSettings made;
  made.name = "web";
  made.health_check.interval = seconds(between(rng, 5, 15));
  made.health_check.timeout = seconds(between(rng, 2, 4));
  made.health_check.healthy_threshold = between(rng, 2, 5);
  made.health_check.unhealthy_threshold = between(rng, 2, 4);
  made.deregistration_delay = seconds(between(rng, 0, 60));
  made.algorithm = static_cast<Algorithm>(between(rng, 0, 2));
  made.anomaly_mitigation = made.algorithm == Algorithm::kWeightedRandom && chance(rng, 50);
  if (made.algorithm == Algorithm::kRoundRobin && chance(rng, 30)) made.slow_start = seconds(between(rng, 30, 90));
  return made;
}

GroupSettings draw_group(Rng& rng, int desired, const std::vector<Zone>& zones) {
  GroupSettings made;
  made.launch_template = {"web", "1"};
  made.target_groups = {"web"};
  for (const Zone& zone : zones) made.zones.push_back(zone.name);
  made.min_size = between(rng, 1, desired);
  made.max_size = between(rng, desired, 2 * desired);
  made.health_check_grace_period = seconds(between(rng, 0, 60));
  if (chance(rng, 50)) made.default_instance_warmup = seconds(between(rng, 0, 60));
  if (chance(rng, 30)) made.maintenance_policy = InstanceMaintenancePolicy{100, between(rng, 110, 200)};
  if (chance(rng, 30)) made.termination_policies = {static_cast<TerminationPolicy>(between(rng, 0, 4))};
  made.new_instances_protected_from_scale_in = chance(rng, 10);
  if (chance(rng, 20)) made.capacity_distribution_strategy = CapacityDistributionStrategy::kBalancedOnly;
  return made;
}

LinkSettings draw_links(Rng& rng) {
  LinkSettings made;
  if (chance(rng, 25)) return made;
  made.same_zone.latency = std::chrono::microseconds(between(rng, 50, 400));
  made.cross_zone.latency = std::chrono::microseconds(between(rng, 400, 1'500));
  made.outside.latency = milliseconds(between(rng, 1, 60));
  if (chance(rng, 50)) made.cross_zone.jitter = milliseconds(between(rng, 1, 5));
  return made;
}

InstanceProfile draw_profile(Rng& rng) {
  InstanceProfile made;
  made.boot = Distribution::exponential(seconds(between(rng, 1, 10)));
  made.service = chance(rng, 50) ? Distribution::lognormal(milliseconds(between(rng, 5, 40)), 1)
                                 : Distribution::exponential(milliseconds(between(rng, 5, 40)));
  made.workers = between(rng, 20, 60);
  return made;
}

std::vector<LifecycleHook> draw_hooks(Rng& rng) {
  std::vector<LifecycleHook> made;
  for (const char* name : {"hook-a", "hook-b"}) {
    if (!chance(rng, 30)) continue;
    made.push_back(draw_hook(rng));
    made.back().name = name;
  }
  return made;
}

/// An alarm that clients or faults can bring about, with a policy of its own half the time.
void draw_alarm(Rng& rng, DrawnTier& tier) {
  AlarmSettings alarm{.name = "alarm", .group = "web"};
  alarm.metric = static_cast<Metric>(between(rng, 0, 4));
  const bool of_hosts = alarm.metric == Metric::kHealthyHostCount || alarm.metric == Metric::kUnHealthyHostCount;
  alarm.threshold = of_hosts ? between(rng, 0, tier.desired) : between(rng, 1, 1'500);
  alarm.comparison = static_cast<ComparisonOperator>(between(rng, 0, 3));
  alarm.evaluation_periods = between(rng, 1, 3);
  alarm.treat_missing_data = static_cast<TreatMissingData>(between(rng, 0, 3));
  tier.alarms.push_back(alarm);
  if (chance(rng, 50)) return;
  ScalingPolicy policy{.name = "by-alarm", .group = "web", .alarm = alarm.name};
  policy.type = chance(rng, 50) ? PolicyType::kSimpleScaling : PolicyType::kStepScaling;
  policy.adjustment_type = static_cast<AdjustmentType>(between(rng, 0, 2));
  const bool exact = policy.adjustment_type == AdjustmentType::kExactCapacity;
  const int by = exact ? between(rng, 1, 2 * tier.desired) : between(rng, -2, 3);
  policy.scaling_adjustment = by;
  policy.cooldown = seconds(between(rng, 0, 120));
  if (policy.type == PolicyType::kStepScaling) {
    policy.cooldown.reset();
    policy.step_adjustments = {{std::nullopt, 0.0, by}, {0.0, std::nullopt, exact ? by : by + 1}};
  }
  tier.policies.push_back(policy);
}

void draw_scaling(Rng& rng, DrawnTier& tier) {
  if (chance(rng, 40)) draw_alarm(rng, tier);
  if (!chance(rng, 30)) return;
  ScalingPolicy tracking{.name = "tracking", .group = "web"};
  tracking.target_value = between(rng, 50, 1'500);
  tracking.disable_scale_in = chance(rng, 30);
  tier.policies.push_back(tracking);
}

}  // namespace

LifecycleHook draw_hook(Rng& rng) {
  LifecycleHook made;
  made.name = "hook";
  made.transition = static_cast<LifecycleTransition>(between(rng, 0, 1));
  made.heartbeat_timeout = seconds(between(rng, 30, 240));
  made.default_result = static_cast<LifecycleActionResult>(between(rng, 0, 1));
  return made;
}

std::string DrawnTier::describe() const {
  const TargetGroupSettings& targets = region.load_balancer.target_groups.front();
  return fmt::format("{} zones, {} to {} instances, {} now, {}, checks every {}, {} hooks, {} alarms, {} policies{}",
                     region.zones.size(), group.min_size, group.max_size, desired, to_string(targets.algorithm),
                     format_duration(targets.health_check.interval), hooks.size(), alarms.size(), policies.size(),
                     calm ? ", calm" : "");
}

DrawnTier draw_tier(Rng& rng) {
  DrawnTier made;
  made.region.zones = default_zones("eu-west-1", between(rng, 2, 3));
  made.region.load_balancer.target_groups = {draw_target_group(rng)};
  made.region.load_balancer.listeners.emplace_back().default_action = ForwardAction{{{"web", 1}}};
  made.region.load_balancer.zonal_shift_enabled = chance(rng, 70);
  made.region.terminate_when_drained = chance(rng, 50);
  made.world.zones = made.region.zones;
  made.world.links = draw_links(rng);
  made.world.profile = draw_profile(rng);
  made.world.front = chance(rng, 70) ? Front::kDns : Front::kShared;
  made.desired = chance(rng, 75) ? between(rng, 2, 6) : between(rng, 7, 15);
  made.group = draw_group(rng, made.desired, made.region.zones);
  made.refresh.min_healthy_percentage = between(rng, 0, 10) * 10;
  made.refresh.instance_warmup = seconds(between(rng, 0, 30));
  made.clients.between = Distribution::exponential(milliseconds(between(rng, 25, 200)));
  made.clients.timeout = seconds(between(rng, 3, 10));
  made.clients.retries = between(rng, 0, 2);
  made.hooks = draw_hooks(rng);
  made.calm = chance(rng, 20);
  made.troubles = made.calm ? 1 : between(rng, 5, 20);
  if (!made.calm) draw_scaling(rng, made);
  if (made.calm) made.group.new_instances_protected_from_scale_in = false;  // nobody would let the refresh go on
  return made;
}

Fault draw_fault(Rng& rng, const DrawnTier& tier, const VirtualWorld& world) {
  const auto rows = fault_kinds();
  const FaultKindRow& row = rows[rng.below(rows.size())];
  const FaultTargetKind kind = row.targets[rng.below(row.targets.size())];
  const std::vector<Zone>& zones = tier.region.zones;
  const std::vector<InstanceId> living = world.living();
  const Zone& zone = zones[rng.below(zones.size())];
  const std::string instance = living.empty() ? "i-none" : living[rng.below(living.size())].value;
  Fault made{row.kind, {kind, ""}, row.otherwise, std::nullopt};
  switch (kind) {
    case FaultTargetKind::kZone:
      made.target.name = zone.name.value;
      break;
    case FaultTargetKind::kInstance:
      made.target.name = instance;
      break;
    case FaultTargetKind::kNode:
      made.target.name = node_name(zone.name);
      break;
    case FaultTargetKind::kLink:
      made.target = link_target(node_name(zone.name), instance);
      break;
    case FaultTargetKind::kControlPlane:
      break;
  }
  if (row.unit == AmountUnit::kPercent) made.amount = between(rng, 1, 100);
  if (row.unit == AmountUnit::kSpan) made.amount = std::max(row.least, between(rng, 1, 40) / 4.0);
  if (row.lasts) made.lasts = seconds(between(rng, 5, 240));
  return made;
}

}  // namespace rr::sim
