// What clients do to a tier: retries, abandoned work, the race of keep-alive, and how a load test hides a stall.
#include <fmt/format.h>

#include <cmath>

#include "lb/base/check.h"
#include "sim/laws/law_families.h"

namespace rr::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LawRow row(std::string what, std::string quantity, double theory, double measured, double tolerance,
           std::uint64_t samples, LawRow::Kind kind = LawRow::Kind::kEqual) {
  return {std::move(what), std::move(quantity), theory, measured, tolerance, kind, samples};
}

double ratio(std::uint64_t a, std::uint64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

}  // namespace

/// One user asks with exponential pauses of mean 1/r over one kept connection that the target closes after K; the node
/// learns of it delta later. P(502) = e^(-rK) (1 - e^(-r delta)).
std::vector<LawRow> measure_keep_alive_race(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  struct Race {
    double rate;
    int keep_alive;
    int delta;  // ms
  };
  const std::uint64_t requests = effort == Effort::kFull ? 4'000'000 : 400'000;
  for (const Race& one : {Race{.2, 5, 10}, Race{.2, 5, 50}, Race{1, 2, 20}}) {
    LawTierSettings settings;
    settings.profile.service = Distribution();
    settings.profile.keep_alive = seconds(one.keep_alive);
    settings.network_delay = milliseconds(one.delta);
    LawTier tier(settings, seed);
    ClientSettings clients;
    clients.users = 1;
    clients.between = Distribution::exponential(Duration(static_cast<Duration::rep>(1e9 / one.rate)));
    clients.requests = requests;
    const std::size_t user = tier.add_clients(clients);
    tier.run_for(Duration(static_cast<Duration::rep>(1.05e9 * static_cast<double>(requests) / one.rate)));
    const double share = std::exp(-one.rate * one.keep_alive) * (1 - std::exp(-one.rate * one.delta / 1e3));
    const ClientTally& tally = tier.tally(user);
    // Four standard errors of a share.
    rows.push_back(
        row(fmt::format("reuse {} a second, target's keep-alive {} s, {} ms late", one.rate, one.keep_alive, one.delta),
            "share of 502", share, ratio(tally.failed, tally.offered),
            4 * std::sqrt(share / static_cast<double>(tally.offered)), tally.offered));
  }
  LawTierSettings safe;
  safe.profile.keep_alive = seconds(70);
  safe.idle_timeout = seconds(60);
  safe.network_delay = milliseconds(50);
  LawTier tier(safe, seed);
  ClientSettings clients;
  clients.users = 1;
  clients.between = Distribution::exponential(seconds(40));
  const std::size_t user = tier.add_clients(clients);
  tier.run_for(std::chrono::hours(effort == Effort::kFull ? 10'000 : 500));
  rows.push_back(row("target's keep-alive 70 s, load balancer's idle time-out 60 s", "share of 502", 0,
                     ratio(tier.tally(user).failed, tier.tally(user).offered), 0, tier.tally(user).offered));
  return rows;
}

/// Each attempt fails with p: success 1 - p^(R+1), attempts (1 - p^(R+1)) / (1 - p).
std::vector<LawRow> measure_retries(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const std::uint64_t requests = effort == Effort::kFull ? 1'000'000 : 50'000;
  for (const auto& [p, retries] : {std::pair{.5, 3}, {.1, 2}, {1., 3}}) {
    LawTierSettings settings;
    settings.profile.error_share = p;
    settings.profile.workers = 100;
    LawTier tier(settings, seed);
    ClientSettings clients;
    clients.between = Distribution::exponential(milliseconds(10));
    clients.retries = retries;
    clients.requests = requests;
    const std::size_t stream = tier.add_clients(clients);
    tier.run_for(milliseconds(11) * static_cast<int>(requests));
    const ClientTally& tally = tier.tally(stream);
    const double all_fail = std::pow(p, retries + 1);
    const double attempts = p < 1 ? (1 - all_fail) / (1 - p) : retries + 1;
    const std::string what = fmt::format("{} % of attempts fail, {} retries", p * 100, retries);
    const double error = 4 / std::sqrt(static_cast<double>(requests));
    rows.push_back(row(what, "attempts a request", attempts, ratio(tally.attempts, tally.offered),
                       p < 1 ? attempts * error : 0, tally.offered));
    rows.push_back(row(what, "share that succeeds", 1 - all_fail, ratio(tally.ok, tally.offered), p < 1 ? error : 0,
                       tally.offered));
  }
  return rows;
}

namespace {

/// One server of 100 a second stalls for 10 s; clients wait 1 s, then try again, three times, at once. The share of the
/// requests of the last minute that succeeded.
double goodput_after_stall(double rate, std::optional<double> budget, Duration settle, std::uint64_t seed) {
  LawTierSettings settings;
  settings.profile.service = Distribution::exponential(milliseconds(10));
  LawTier tier(settings, seed);
  ClientSettings clients;
  clients.between = Distribution::exponential(Duration(static_cast<Duration::rep>(1e9 / rate)));
  clients.timeout = seconds(1);
  clients.retries = 3;
  clients.retry_budget = budget;
  const std::size_t stream = tier.add_clients(clients);
  tier.run_for(seconds(60));
  const std::string victim = tier.instances().front().value;
  RR_CHECK(
      tier.world().inject(tier.now(), {FaultKind::kHang, {FaultTargetKind::kInstance, victim}, 1, seconds(10)}).ok(),
      "it runs");
  tier.run_for(settle);
  const ClientTally before = tier.tally(stream);
  tier.run_for(seconds(60));
  const ClientTally& after = tier.tally(stream);
  return ratio(after.ok - before.ok, after.offered - before.offered);
}

}  // namespace

/// The backlog of a stall is served although nobody waits for it any more. It is worked off only when
/// lambda (1 + R) < mu: the hidden capacity is mu / (1 + R) = 25 a second, a quarter of the real one.
std::vector<LawRow> measure_metastable(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const Duration settle = std::chrono::minutes(effort == Effort::kFull ? 120 : 10);
  for (const double rate : {15., 20., 30., 60., 80.}) {
    const bool recovers = rate * 4 < 100;
    const double goodput = goodput_after_stall(rate, std::nullopt, settle, seed);
    rows.push_back(row(fmt::format("{} requests a second of 100, three retries", rate), "goodput long after the stall",
                       recovers ? 1 : 0, goodput, .02, 1, LawRow::Kind::kEqual));
  }
  for (const double rate : {30., 80.}) {
    rows.push_back(row(fmt::format("{} requests a second, retries at most 10 %", rate), "goodput long after the stall",
                       1, goodput_after_stall(rate, .1, settle, seed), .02, 1));
  }
  return rows;
}

/// 100 s of answers in 1 ms at 100 a second, then nothing for 100 s. A tool that waits for each answer before it asks
/// again sees one slow request; those who would have asked meanwhile are not in its list.
std::vector<LawRow> measure_coordinated_omission(Effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const bool closed : {true, false}) {
    LawTierSettings settings;
    settings.profile.service = Distribution::deterministic(kMillisecond);
    settings.profile.workers = 100'000;
    LawTier tier(settings, seed);
    ClientSettings clients;
    clients.users = closed ? 1 : 0;
    clients.between = Distribution::deterministic(milliseconds(closed ? 9 : 10));
    clients.until = tier.now() + seconds(200);
    const std::size_t stream = tier.add_clients(clients);
    // Behind the request of that instant.
    tier.run_for(seconds(100) + milliseconds(5));
    const std::string victim = tier.instances().front().value;
    RR_CHECK(
        tier.world().inject(tier.now(), {FaultKind::kHang, {FaultTargetKind::kInstance, victim}, 1, seconds(100)}).ok(),
        "it runs");
    tier.run_for(seconds(110));
    const LatencySummary& seen = tier.tally(stream).latency;
    const std::string what = closed ? "a closed loop of one user" : "an open loop";
    const auto add = [&](const char* quantity, double theory, Duration measured) {
      rows.push_back(row(what, quantity, theory, to_seconds(measured), .01 * theory, seen.count()));
    };
    add("mean, s", closed ? .0110 : 25.0, seen.mean());
    add("p50, s", .001, seen.percentile(.5));
    add("p75, s", closed ? .001 : 50.0, seen.percentile(.75));
    add("p99, s", closed ? .001 : 98.0, seen.percentile(.99));
  }
  return rows;
}

/// What is in the system on average is the rate of arrivals times how long each stays.
std::vector<LawRow> measure_little(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  for (const auto& [instances, load] : {std::pair{2, .5}, {4, .8}}) {
    LawTierSettings settings;
    settings.instances = instances;
    const std::uint64_t requests = effort == Effort::kFull ? 2'000'000 : 200'000;
    const ClientTally seen = run_stream(settings, load, requests, seed, {});
    const double span = to_seconds(seen.last_change - seen.first_arrival);
    const double rate = static_cast<double>(seen.offered) / span;
    rows.push_back(row(fmt::format("{} servers, load {}", instances, load), "L, from rate times stay",
                       rate * to_seconds(seen.stay) / static_cast<double>(seen.offered), seen.area / span, 1e-6,
                       seen.offered));
  }
  return rows;
}

}  // namespace rr::sim
