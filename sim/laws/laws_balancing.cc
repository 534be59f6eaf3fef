// Who is chosen: d choices, least outstanding requests, and what they make of targets that fail fast or hang.
#include <fmt/format.h>

#include "lb/base/check.h"
#include "sim/laws/law_families.h"
#include "sim/laws/theory.h"

namespace rr::sim {
namespace {

constexpr Duration kService = std::chrono::milliseconds(10);

double in_units(Duration span) { return static_cast<double>(span.count()) / static_cast<double>(kService.count()); }

/// Of `choices` targets drawn at random the one with the fewest requests. No ALB has it; theory has.
Chooser choices_of(int choices) {
  return [choices](Time, Rng& rng, BalancerGroup& group) -> std::optional<TargetId> {
    const InstancePool* best = nullptr;
    for (int i = 0; i < choices; ++i) {
      // Ids of targets count from 1, and here none is ever forgotten.
      const TargetId drawn{static_cast<std::uint32_t>(1 + rng.below(group.pools().size() - 1))};
      const InstancePool* one = group.pool(drawn);
      if (best == nullptr || one->outstanding < best->outstanding) best = one;
    }
    return best->target;
  };
}

LawRow row(std::string what, std::string quantity, double theory, double measured, double tolerance,
           std::uint64_t samples, LawRow::Kind kind = LawRow::Kind::kEqual) {
  return {std::move(what), std::move(quantity), theory, measured, tolerance, kind, samples};
}

}  // namespace

/// The closed form is of infinitely many servers: 100 of them queue up to 3 % longer (an independent simulation
/// has 2.648 and 2.079 at 0.9).
std::vector<LawRow> measure_choices(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const std::uint64_t count = effort == Effort::kFull ? 4'000'000 : 250'000;
  for (const auto& [load, choices] : {std::pair{.7, 2}, {.9, 2}, {.9, 3}, {.9, 5}}) {
    LawTierSettings settings;
    settings.instances = 100;
    const ClientTally seen = run_stream(settings, load, count, seed, choices_of(choices));
    const double expected = theory::choices_sojourn(load, choices);
    rows.push_back(row(fmt::format("best of {}, load {}", choices, load), "mean sojourn", expected,
                       in_units(seen.latency.mean()), .04 * expected, seen.latency.count()));
  }
  return rows;
}

/// W(M/M/n) <= W(least outstanding) <= W(best of 3) <= W(best of 2) <= W(round robin) <= W(random): each is measured,
/// and its theory is the one before it, which it must not be below (1 % for chance).
std::vector<LawRow> measure_ordering(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const std::uint64_t count = effort == Effort::kFull ? 8'000'000 : 400'000;
  const double load = .9;
  const int servers = 10;
  double before = theory::mmc_sojourn(load * servers, 1, servers);
  struct Way {
    const char* name;
    Algorithm algorithm;
    int choices;
  };
  for (const Way& way : {Way{"least outstanding requests", Algorithm::kLeastOutstandingRequests, 0},
                         Way{"best of 3", Algorithm::kRoundRobin, 3}, Way{"best of 2", Algorithm::kRoundRobin, 2},
                         Way{"round robin", Algorithm::kRoundRobin, 0}, Way{"random", Algorithm::kWeightedRandom, 0}}) {
    LawTierSettings settings;
    settings.instances = servers;
    settings.algorithm = way.algorithm;
    const Chooser chooser = way.choices > 0 ? choices_of(way.choices) : Chooser();
    const ClientTally seen = run_stream(settings, load, count, seed, chooser);
    const double mean = in_units(seen.latency.mean());
    rows.push_back(row(fmt::format("{}, {} servers, load {}", way.name, servers, load),
                       "mean sojourn, not below the line before", before, mean, .01 * before, seen.latency.count(),
                       LawRow::Kind::kAtLeast));
    if (way.algorithm == Algorithm::kLeastOutstandingRequests) {
      rows.push_back(row("the same", "mean sojourn, by an independent simulation", 1.903, mean, .04 * 1.903,
                         seen.latency.count()));
    }
    before = mean;
  }
  return rows;
}

namespace {

struct Attraction {
  double share;        // of the requests that went to the bad target
  std::uint64_t seen;  // requests
};

/// One of `servers` is bad: it answers errors after 1 ms, or hangs; the others need 100 ms. `users` ask without a
/// pause.
Attraction measure_attraction(int servers, Algorithm algorithm, bool hangs, Effort effort, std::uint64_t seed) {
  LawTierSettings settings;
  settings.instances = servers;
  settings.algorithm = algorithm;
  settings.profile.service = Distribution::exponential(std::chrono::milliseconds(100));
  settings.profile.workers = 1'000;
  settings.profile.error_time = std::chrono::milliseconds(1);
  LawTier tier(settings, seed);
  const std::string bad = tier.instances().front().value;
  const FaultKind kind = hangs ? FaultKind::kHang : FaultKind::kErrorAnswers;
  RR_CHECK(tier.world().inject(tier.now(), {kind, {FaultTargetKind::kInstance, bad}, hangs ? 1.0 : 100.0}).ok(),
           "the fault can be done");
  ClientSettings clients;
  clients.users = 100 * servers;
  clients.between = Distribution::deterministic(std::chrono::microseconds(1));
  clients.timeout = std::chrono::hours(10);
  const std::size_t users = tier.add_clients(clients);
  tier.run_for(std::chrono::seconds(effort == Effort::kFull ? 60 : 5));
  const ClientTally& tally = tier.tally(users);
  const InstancePool* pool = tier.world().group(LawTier::node(tier.zones().front()), "web")->pool(TargetId{1});
  if (hangs) return {static_cast<double>(pool->outstanding) / clients.users, tally.offered};
  return {static_cast<double>(tally.failed) / static_cast<double>(tally.failed + tally.ok), tally.failed + tally.ok};
}

}  // namespace

/// With least outstanding requests the fast failures attract: in each of N targets there are as many requests, so the
/// bad one's share is (1/t_f) / (1/t_f + (N-1)/t_h). A hanging one holds its equal share of what is in flight, no more.
std::vector<LawRow> measure_attractions(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const int servers : {4, 10}) {
    const double expected = 1'000. / (1'000. + (servers - 1) * 10.);
    const Attraction fast = measure_attraction(servers, Algorithm::kLeastOutstandingRequests, false, effort, seed);
    rows.push_back(row(fmt::format("1 of {} fails in 1 ms, others need 100 ms", servers),
                       "share of the bad one, least outstanding", expected, fast.share, .01, fast.seen));
    const Attraction turn = measure_attraction(servers, Algorithm::kRoundRobin, false, effort, seed);
    rows.push_back(row("the same", "share of the bad one, round robin", 1. / servers, turn.share, .01, turn.seen));
    const Attraction hung = measure_attraction(servers, Algorithm::kLeastOutstandingRequests, true, effort, seed);
    rows.push_back(row(fmt::format("1 of {} hangs", servers), "its share of what is in flight, least outstanding",
                       1. / servers, hung.share, .01, hung.seen));
  }
  return rows;
}

}  // namespace rr::sim
