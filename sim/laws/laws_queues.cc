// One queue, or equal ones side by side: M/M/1, M/M/c, M/M/c/K, M/G/1, and round robin's E_n/M/1.
#include <fmt/format.h>

#include "sim/laws/law_families.h"
#include "sim/laws/law_tier.h"
#include "sim/laws/theory.h"

namespace rr::sim {
namespace {

constexpr Duration kService = std::chrono::milliseconds(10);  // the unit of all spans below

double in_units(Duration span) { return static_cast<double>(span.count()) / static_cast<double>(kService.count()); }

}  // namespace

ClientTally run_stream(LawTierSettings settings, double load, std::uint64_t requests, std::uint64_t seed,
                       const Chooser& chooser) {
  LawTier tier(settings, seed);
  if (chooser) tier.world().set_chooser(chooser);
  const double rate = load * settings.instances * settings.profile.workers;
  ClientSettings clients;
  clients.between =
      Distribution::exponential(Duration(static_cast<Duration::rep>(static_cast<double>(kService.count()) / rate)));
  clients.timeout = std::chrono::hours(10);
  clients.requests = requests;
  // The first tenth fills the queues.
  const auto warm = static_cast<double>(requests) / 10 / rate * to_seconds(kService);
  clients.measured_from = tier.now() + Duration(static_cast<Duration::rep>(warm * 1e9));
  const std::size_t stream = tier.add_clients(clients);
  tier.run_for(Duration(static_cast<Duration::rep>(warm * 10 * 1e9)));
  do tier.run_for(kSecond);
  while (tier.tally(stream).offered < requests);
  tier.run_dry(stream);
  tier.world().check(tier.now());
  return tier.tally(stream);
}

namespace {

LawRow row(std::string what, std::string quantity, double theory, double measured, double relative,
           std::uint64_t samples) {
  return {std::move(what), std::move(quantity), theory, measured, theory * relative, LawRow::Kind::kEqual, samples};
}

/// Mean and 99th percentile of what an exponential sojourn has.
void add_exponential(std::vector<LawRow>& rows, const std::string& what, double mean, const ClientTally& seen,
                     double relative) {
  const std::uint64_t count = seen.latency.count();
  rows.push_back(row(what, "mean sojourn", mean, in_units(seen.latency.mean()), relative, count));
  rows.push_back(row(what, "p99 sojourn", theory::exponential_percentile(mean, .99),
                     in_units(seen.latency.percentile(.99)), 2 * relative, count));
}

struct Case {
  int servers;
  double load;
  std::uint64_t quick;  // requests
  std::uint64_t full;
  double quick_tolerance;
};

std::uint64_t requests(const Case& one, Effort effort) { return effort == Effort::kFull ? one.full : one.quick; }
double tolerance(const Case& one, Effort effort) { return effort == Effort::kFull ? .03 : one.quick_tolerance; }

}  // namespace

std::vector<LawRow> measure_mm1(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const Case& one : {Case{1, .5, 100'000, 1'000'000, .04}, Case{4, .8, 250'000, 2'000'000, .06},
                          Case{1, .9, 400'000, 8'000'000, .12}, Case{10, .7, 250'000, 1'000'000, .04}}) {
    LawTierSettings settings;
    settings.instances = one.servers;
    settings.algorithm = Algorithm::kWeightedRandom;
    const ClientTally seen = run_stream(settings, one.load, requests(one, effort), seed, {});
    add_exponential(rows, fmt::format("{} server{}, load {}", one.servers, one.servers == 1 ? "" : "s", one.load),
                    theory::mm1_sojourn(one.load, 1), seen, tolerance(one, effort));
  }
  return rows;
}

std::vector<LawRow> measure_mmc(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const Case& one : {Case{2, .8, 250'000, 2'000'000, .05}, Case{4, .8, 250'000, 2'000'000, .05},
                          Case{16, .9, 250'000, 2'000'000, .05}, Case{100, .9, 250'000, 2'000'000, .03}}) {
    LawTierSettings settings;
    settings.profile.workers = one.servers;
    const ClientTally seen = run_stream(settings, one.load, requests(one, effort), seed, {});
    rows.push_back(row(fmt::format("{} workers, load {}", one.servers, one.load), "mean sojourn",
                       theory::mmc_sojourn(one.load * one.servers, 1, one.servers), in_units(seen.latency.mean()),
                       tolerance(one, effort), seen.latency.count()));
  }
  return rows;
}

std::vector<LawRow> measure_mmck(Effort effort, std::uint64_t seed) {
  struct Bound {
    double lambda;
    int servers;
    int room;
  };
  std::vector<LawRow> rows;
  const std::uint64_t count = effort == Effort::kFull ? 2'000'000 : 200'000;
  const double relative = effort == Effort::kFull ? .02 : .06;
  for (const Bound& one : {Bound{.9, 1, 10}, Bound{1.5, 1, 10}, Bound{1.8, 2, 10}, Bound{2.4, 2, 12}}) {
    LawTierSettings settings;
    settings.profile.workers = one.servers;
    settings.profile.queue_limit = static_cast<std::uint32_t>(one.room - one.servers);
    const ClientTally seen = run_stream(settings, one.lambda / one.servers, count, seed, {});
    const theory::Bounded expected = theory::mmck(one.lambda, 1, one.servers, one.room);
    const std::string what = fmt::format("lambda {}, {} worker{}, room for {}", one.lambda, one.servers,
                                         one.servers == 1 ? "" : "s", one.room);
    const double refused = static_cast<double>(seen.failed) / static_cast<double>(seen.offered);
    rows.push_back(row(what, "share refused", expected.refused, refused, relative, seen.offered));
    rows.push_back(
        row(what, "mean sojourn", expected.sojourn, in_units(seen.latency.mean()), relative, seen.latency.count()));
  }
  return rows;
}

std::vector<LawRow> measure_mg1(Effort effort, std::uint64_t seed) {
  struct Service {
    Distribution time;
    const char* name;
    double quick_tolerance;
  };
  std::vector<LawRow> rows;
  const double load = .8;
  for (const Service& one : {Service{Distribution::deterministic(kService), "deterministic", .04},
                             Service{Distribution::erlang(kService, 4), "Erlang-4", .04},
                             Service{Distribution::exponential(kService), "exponential", .06},
                             Service{Distribution::lognormal(kService, 1), "lognormal, cv^2 1", .08},
                             Service{Distribution::hyperexponential(kService, 4), "hyperexponential, cv^2 4", .10},
                             Service{Distribution::hyperexponential(kService, 16), "hyperexponential, cv^2 16", .25}}) {
    LawTierSettings settings;
    settings.profile.service = one.time;
    const std::uint64_t count = effort == Effort::kFull ? 8'000'000 : 300'000;
    const ClientTally seen = run_stream(settings, load, count, seed, {});
    const double relative = effort == Effort::kFull ? one.quick_tolerance / 3 : one.quick_tolerance;
    rows.push_back(row(fmt::format("{}, load {}", one.name, load), "mean wait",
                       theory::mg1_wait(load, 1, one.time.squared_cv()), in_units(seen.latency.mean()) - 1, relative,
                       seen.latency.count()));
  }
  return rows;
}

std::vector<LawRow> measure_round_robin(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const Case& one : {Case{2, .5, 150'000, 1'000'000, .03}, Case{2, .8, 250'000, 2'000'000, .05},
                          Case{4, .8, 250'000, 2'000'000, .05}, Case{4, .9, 400'000, 8'000'000, .10},
                          Case{10, .9, 400'000, 8'000'000, .10}}) {
    LawTierSettings settings;
    settings.instances = one.servers;
    const ClientTally seen = run_stream(settings, one.load, requests(one, effort), seed, {});
    add_exponential(rows, fmt::format("{} servers, load {}", one.servers, one.load),
                    theory::round_robin_sojourn(one.servers, one.load, 1), seen, tolerance(one, effort));
  }
  return rows;
}

}  // namespace rr::sim
