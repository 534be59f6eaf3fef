// What the control plane adds: how long a replacement and a refresh take, and what the loss of a zone leaves.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lb/base/check.h"
#include "sim/cloud/address_plan.h"
#include "sim/laws/law_families.h"
#include "sim/virtual/virtual_run.h"

namespace rr::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kInterval = seconds(10);
constexpr Duration kTimeout = seconds(5);
constexpr int kThreshold = 2;
constexpr Duration kSweep = seconds(7);  // apart from the checks' 10 s, so that their phases mix
constexpr Duration kBoot = seconds(2);

/// A group in one zone under a control plane, with times that do not vary.
struct Tier {
  static RegionSettings settings() {
    RegionSettings made;
    made.zones = default_zones("eu-west-1", 1);
    made.sweep_interval = kSweep;
    TargetGroupSettings targets;
    targets.name = "web";
    targets.health_check.interval = kInterval;
    targets.health_check.timeout = kTimeout;
    targets.health_check.unhealthy_threshold = kThreshold;
    targets.deregistration_delay = Duration{};
    made.load_balancer.target_groups = {targets};
    return made;
  }
  static VirtualWorldSettings world_settings() {
    VirtualWorldSettings made;
    made.zones = settings().zones;
    made.profile.boot = Distribution::deterministic(kBoot);
    made.profile.health_time = Duration{};
    return made;
  }

  Tier(std::uint64_t seed, int size)
      : region(start, settings(), seed, &journal), world(world_settings(), seed, &journal), run(start, region, world) {
    Image image;
    image.commit = "one";
    const ImageId id(run.command(RegisterImage{image}).value().id);
    RR_CHECK(run.command(CreateLaunchTemplate{"web", id, ""}).ok(), "a template");
    GroupSettings group;
    group.launch_template = {"web", "1"};
    group.target_groups = {"web"};
    group.zones = {settings().zones.front().name};
    group.max_size = 2 * size;
    group.health_check_grace_period = Duration{};
    RR_CHECK(run.command(CreateAutoScalingGroup{group, size}).ok(), "a group");
    run.run_for(minutes(3));
  }

  const Time start{seconds(1'700'000'000)};
  Journal journal;
  Region region;
  VirtualWorld world;
  VirtualRun run;
};

LawRow row(std::string what, std::string quantity, double theory, double measured, double tolerance,
           std::uint64_t samples, LawRow::Kind kind = LawRow::Kind::kEqual) {
  return {std::move(what), std::move(quantity), theory, measured, tolerance, kind, samples};
}

double replacement_time(std::uint64_t seed) {
  Tier tier(seed, 2);
  Rng chance(seed);
  const Duration phase(static_cast<Duration::rep>(chance.below(static_cast<std::uint64_t>((kInterval * 7).count()))));
  tier.run.run_for(phase);
  const Time hung = tier.run.now();
  const std::string victim = tier.world.living().front().value;
  RR_CHECK(tier.world.inject(hung, {FaultKind::kHang, {FaultTargetKind::kInstance, victim}}).ok(), "it runs");
  std::optional<Time> whole;
  tier.journal.set_sink([&](const JournalLine& line) {
    if (line.event == "initial -> healthy") whole = line.time;
  });
  tier.run.run_for(minutes(5));
  return whole ? to_seconds(*whole - hung) : -1;
}

}  // namespace

/// T = detection + what the node tells within 1 s + half a sweep + launch 16.5 s + until the first check that is
/// passed. The first check is at once, before the program listens; so it is the second one that passes, an interval
/// later.
std::vector<LawRow> measure_replacement(Effort effort, std::uint64_t seed) {
  const int trials = effort == Effort::kFull ? 1'000 : 100;
  Rng chance(seed);
  std::vector<double> all;
  for (int trial = 0; trial < trials; ++trial) all.push_back(replacement_time(chance.next()));
  const double interval = to_seconds(kInterval);
  const double fixed = to_seconds(kTimeout) + 1 + 16.5 + interval;
  const double sweep = to_seconds(kSweep);
  double sum = 0;
  for (const double one : all) sum += one;
  const std::string what = "one of two hangs, until two are healthy again";
  // Two even phases: of the failure between two checks, and of the sweep; four standard errors.
  const double error = 4 * std::sqrt((interval * interval + sweep * sweep) / 12 / trials);
  const auto samples = static_cast<std::uint64_t>(trials);
  return {row(what, "mean, s", fixed + (kThreshold - .5) * interval + sweep / 2, sum / trials, error, samples),
          row(what, "least, s", fixed + (kThreshold - 1) * interval, *std::min_element(all.begin(), all.end()), 0,
              samples, LawRow::Kind::kAtLeast),
          row(what, "most, s", fixed + kThreshold * interval + sweep, *std::max_element(all.begin(), all.end()), 0,
              samples, LawRow::Kind::kAtMost)};
}

/// ceil(N / b) * (launch + warm-up): each batch ends and launches at one instant, and is over when the last of it is
/// warm.
std::vector<LawRow> measure_refresh(Effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const auto& [size, least_healthy, batch] : {std::tuple{4, 50, 2}, {10, 90, 1}, {10, 70, 3}}) {
    Tier tier(seed, size);
    StartInstanceRefresh refresh;
    refresh.group = "web";
    refresh.preferences.min_healthy_percentage = least_healthy;
    refresh.preferences.instance_warmup = seconds(60);
    const Time began = tier.run.now();
    RR_CHECK(tier.run.command(refresh).ok(), "a refresh");
    const auto over = [&] {
      return tier.region.state().groups.at("web").refreshes.back().status == RefreshStatus::kSuccessful;
    };
    RR_CHECK(tier.run.run_until(began + std::chrono::hours(2), over), "it comes to its end");
    const int batches = (size + batch - 1) / batch;
    rows.push_back(row(fmt::format("refresh of {}, at least {} % healthy: {} batches", size, least_healthy, batches),
                       "seconds", batches * (16.5 + 60), to_seconds(tier.run.now() - began), .1 * batches, 1));
  }
  return rows;
}

/// N equal zones, one is lost: each survivor has N/(N-1) of its load. Above 1 the queue grows by lambda - c mu.
std::vector<LawRow> measure_zone_loss(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const double load = .6;
  const Duration window = minutes(effort == Effort::kFull ? 60 : 5);
  constexpr int kWorkers = 10;
  constexpr double kServiceRate = 100;  // of a worker, a second
  for (const int zones : {2, 3, 4}) {
    LawTierSettings settings;
    settings.instances = zones;
    settings.zones = zones;
    settings.front = Front::kShared;
    settings.profile.workers = kWorkers;
    settings.health_check.interval = seconds(5);
    settings.health_check.timeout = seconds(2);
    LawTier tier(settings, seed);
    ClientSettings clients;
    const double rate = load * zones * kWorkers * kServiceRate;
    clients.between = Distribution::exponential(Duration(static_cast<Duration::rep>(1e9 / rate)));
    clients.timeout = std::chrono::hours(10);
    const std::size_t stream = tier.add_clients(clients);
    tier.run_for(seconds(20));
    const std::string zone = tier.zones().front().name.value;
    RR_CHECK(tier.world().inject(tier.now(), {FaultKind::kPowerLoss, {FaultTargetKind::kZone, zone}}).ok(), "a zone");
    tier.run_for(seconds(20));
    const ClientTally before = tier.tally(stream);
    tier.run_for(window);
    const ClientTally& after = tier.tally(stream);
    const double capacity = (zones - 1) * kWorkers * kServiceRate * to_seconds(window);
    const double offered = static_cast<double>(after.offered - before.offered) / capacity;
    const double served = static_cast<double>(after.ok - before.ok) / capacity;
    const double expected = load * zones / (zones - 1);
    const std::string what = fmt::format("{} zones at {}, one is lost", zones, load);
    rows.push_back(row(what, "load of a survivor", expected, offered, .02, after.offered - before.offered));
    rows.push_back(
        row(what, "what it serves of its capacity", std::min(1., expected), served, .02, after.ok - before.ok));
    if (expected < 1) continue;
    const double growth =
        static_cast<double>(static_cast<std::int64_t>(after.in_flight - before.in_flight)) / to_seconds(window);
    const double surplus = rate - (zones - 1) * kWorkers * kServiceRate;
    rows.push_back(
        row(what, "requests more in the queue each second", surplus, growth, .05 * surplus, after.in_flight));
  }
  return rows;
}

}  // namespace rr::sim
