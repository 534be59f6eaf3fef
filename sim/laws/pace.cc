#include "sim/laws/pace.h"

#include <fmt/format.h>

#include "lb/base/check.h"
#include "sim/laws/law_tier.h"
#include "sim/virtual/virtual_run.h"

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kMostGroups = 10;

std::string group_name(int number) { return fmt::format("web-{}", number); }

/// Three zones with room for more than the 4,091 hosts of a default subnet.
std::vector<Zone> wide_zones() {
  std::vector<Zone> zones;
  for (const char letter : {'a', 'b', 'c'}) {
    const auto block = static_cast<std::uint8_t>(letter - 'a');
    zones.push_back({ZoneName(std::string("eu-west-1") + letter), Address::v4(10, block, 0, 0, 0), 16});
  }
  return zones;
}

LoadBalancerSettings wide_balancer(int number) {
  LoadBalancerSettings made;
  made.name = fmt::format("lb-{}", number);
  TargetGroupSettings& targets = made.target_groups.emplace_back();
  targets.name = group_name(number);
  targets.health_check.interval = seconds(10);
  targets.health_check.healthy_threshold = 2;
  targets.deregistration_delay = seconds(30);
  made.listeners.emplace_back().default_action = ForwardAction{{{targets.name, 1}}};
  return made;
}

RegionSettings wide_settings(int groups) {
  RegionSettings settings;
  settings.zones = wide_zones();
  settings.terminated_visible = minutes(5);
  settings.load_balancer = wide_balancer(0);
  for (int i = 1; i < groups; ++i) settings.further_load_balancers.push_back(wide_balancer(i));
  return settings;
}

class Counter final : public RunObserver {
 public:
  void on_step(Time) override { ++steps; }
  void on_action(Time, const Action& action) override {
    if (std::holds_alternative<LaunchInstance>(action)) ++launches;
  }
  std::uint64_t steps = 0;
  std::uint64_t launches = 0;
};

struct Hour {
  Hour(int instances, std::uint64_t seed)
      : size(instances),
        groups(instances < kMostGroups ? 1 : kMostGroups),
        region(start, wide_settings(groups), seed, &journal),
        world(world_settings(), seed, &journal),
        run(start, region, world, &counter) {
    run.check_every(UINT64_MAX / 2);  // one at the end
  }

  static VirtualWorldSettings world_settings() {
    VirtualWorldSettings settings;
    settings.zones = wide_zones();
    settings.links.same_zone.latency = std::chrono::microseconds(250);
    settings.links.cross_zone.latency = std::chrono::microseconds(700);
    return settings;
  }

  void build() {
    Image image;
    image.commit = "one";
    const ImageId id(run.command(RegisterImage{image}).value().id);
    run.command(CreateLaunchTemplate{"web", id, ""}).value();
    for (int i = 0; i < groups; ++i) {
      GroupSettings group;
      group.name = group_name(i);
      group.launch_template = {"web", "1"};
      group.target_groups = {group.name};
      for (const Zone& zone : wide_zones()) group.zones.push_back(zone.name);
      group.min_size = 1;
      group.max_size = 2 * size / groups;
      run.command(CreateAutoScalingGroup{group, size / groups}).value();
    }
  }
  void refresh() {
    for (int i = 0; i < groups; ++i) {
      StartInstanceRefresh refresh;
      refresh.group = group_name(i);
      refresh.preferences.instance_warmup = Duration{};
      run.command(refresh).value();
    }
  }
  /// What is not as it should be.
  void look(const char* when, std::vector<std::string>& wrong) const {
    std::size_t settled = 0;
    for (const auto& [id, one] : region.state().instances) {
      settled += one.lifecycle == LifecycleState::kInService && one.settled_at && one.healthy ? 1 : 0;
    }
    const auto wanted = static_cast<std::size_t>(size / groups * groups);
    if (settled != wanted) wrong.push_back(fmt::format("{}: {} of {} are in service", when, settled, wanted));
  }

  const Time start{seconds(1'700'000'000)};
  int size;
  int groups;
  Journal journal;
  Counter counter;
  Region region;
  VirtualWorld world;
  VirtualRun run;
};

}  // namespace

PaceOutcome run_small_tier(std::uint64_t requests, std::uint64_t seed) {
  LawTierSettings settings;
  settings.instances = 2;
  settings.zones = 1;
  settings.links.same_zone.latency = std::chrono::microseconds(250);
  settings.links.outside.latency = std::chrono::milliseconds(5);
  settings.profile.workers = 4;
  settings.health_check.interval = seconds(10);
  LawTier tier(settings, seed);
  ClientSettings clients;
  clients.between = Distribution::exponential(std::chrono::microseconds(2'500));  // half of 2 x 4 workers of 10 ms
  clients.requests = requests;
  const std::size_t stream = tier.add_clients(clients);
  while (tier.tally(stream).offered < requests) tier.run_for(seconds(10));
  tier.run_dry(stream);
  PaceOutcome outcome;
  outcome.requests = tier.tally(stream).ok;
  outcome.probes = tier.world().counters().probes;
  outcome.happenings = tier.world().happenings();
  outcome.digest = tier.journal().digest() ^ static_cast<std::uint64_t>(tier.tally(stream).latency.sum().count());
  if (outcome.requests != requests)
    outcome.wrong.push_back(fmt::format("{} requests failed", tier.tally(stream).failed));
  return outcome;
}

PaceOutcome run_region_hour(int instances, std::uint64_t seed) {
  Hour hour(instances, seed);
  PaceOutcome outcome;
  hour.build();
  hour.run.run_until(hour.start + minutes(10));
  hour.look("after 10 minutes", outcome.wrong);
  const Fault dark{FaultKind::kPowerLoss, {FaultTargetKind::kZone, wide_zones().front().name.value}, 1, minutes(10)};
  RR_CHECK(hour.world.inject(hour.run.now(), dark).ok(), "there is such a zone");
  hour.run.run_until(hour.start + minutes(20));
  hour.look("ten minutes after a zone was lost", outcome.wrong);
  hour.run.run_until(hour.start + minutes(30));
  hour.look("before the refresh", outcome.wrong);
  hour.refresh();
  hour.run.run_until(hour.start + minutes(60));
  hour.look("at the end", outcome.wrong);
  for (const auto& [name, group] : hour.region.state().groups) {
    const RefreshStatus status = group.refreshes.back().status;
    if (status != RefreshStatus::kSuccessful) {
      outcome.wrong.push_back(fmt::format("the refresh of {} is {}", name, to_string(status)));
    }
  }
  hour.world.check(hour.run.now());
  for (const std::string& one : hour.world.violations()) outcome.wrong.push_back(one);
  outcome.groups = hour.groups;
  outcome.probes = hour.world.counters().probes;
  outcome.happenings = hour.world.happenings();
  outcome.steps = hour.counter.steps;
  outcome.launches = hour.counter.launches;
  outcome.digest = hour.journal.digest();
  return outcome;
}

}  // namespace rr::sim
