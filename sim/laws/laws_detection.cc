// How long a failure stays unseen, and what it costs meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "lb/base/check.h"
#include "sim/laws/law_families.h"

namespace rr::sim {
namespace {

using std::chrono::seconds;

struct Check {
  int interval;
  int timeout;
  int threshold;
  int nodes;
  bool silent;  // a blackhole, or refused at once
};

HealthCheck health_check(const Check& check) {
  HealthCheck made;
  made.interval = seconds(check.interval);
  made.timeout = seconds(check.timeout);
  made.unhealthy_threshold = check.threshold;
  made.healthy_threshold = 3;
  return made;
}

/// Each of many targets fails at a moment of its own, and may recover; when each node's view of it turned.
class Watched {
 public:
  Watched(const Check& check, int targets, std::uint64_t seed)
      : tier_(settings(check, targets), seed), chance_(seed + 1) {
    tier_.journal().set_sink([this](const JournalLine& line) {
      if (line.event.starts_with("healthy -> unhealthy")) {
        out_[line.entity] = line.time;
        ++times_out_[line.entity];
      }
      if (line.event.starts_with("unhealthy -> healthy")) back_[line.entity] = line.time;
    });
  }

  /// Spans in seconds from the failure until the last node has seen it.
  std::vector<double> detect(const Check& check) {
    const Duration round = health_check(check).interval;
    std::multimap<Duration, InstanceId> order;
    for (const InstanceId& id : tier_.instances()) order.emplace(moment(20 * round), id);
    const Time begin = tier_.now();
    for (const auto& [after, id] : order) {
      tier_.run_for(begin + after - tier_.now());
      const FaultKind kind = check.silent ? FaultKind::kBlackhole : FaultKind::kRefuse;
      RR_CHECK(tier_.world().inject(tier_.now(), {kind, {FaultTargetKind::kInstance, id.value}}).ok(), "it runs");
      failed_[id.value] = tier_.now();
    }
    tier_.run_for(20 * round);
    return spans(failed_, out_);
  }

  std::vector<double> recover(Duration round) {
    std::map<std::string, Time> healed;
    std::multimap<Duration, InstanceId> order;
    for (const InstanceId& id : tier_.instances()) order.emplace(moment(20 * round), id);
    const Time begin = tier_.now();
    for (const auto& [after, id] : order) {
      tier_.run_for(begin + after - tier_.now());
      RR_CHECK(tier_.world().heal(tier_.now(), {FaultTargetKind::kInstance, id.value}).ok(), "it had a fault");
      healed[id.value] = tier_.now();
    }
    tier_.run_for(20 * round);
    return spans(healed, back_);
  }

  bool every_node_saw(int nodes) const {
    return std::all_of(times_out_.begin(), times_out_.end(), [&](const auto& one) { return one.second == nodes; });
  }

 private:
  static LawTierSettings settings(const Check& check, int targets) {
    LawTierSettings made;
    made.instances = targets;
    made.zones = check.nodes;
    made.checks_begin_within = health_check(check).interval;
    made.health_check = health_check(check);
    made.profile.health_time = Duration{};
    return made;
  }
  Duration moment(Duration within) {
    return Duration(static_cast<Duration::rep>(chance_.below(static_cast<std::uint64_t>(within.count()))));
  }
  static std::vector<double> spans(const std::map<std::string, Time>& from, const std::map<std::string, Time>& to) {
    std::vector<double> all;
    for (const auto& [id, time] : from) {
      const auto found = to.find(id);
      all.push_back(found == to.end() ? -1 : to_seconds(found->second - time));
    }
    return all;
  }

  LawTier tier_;
  Rng chance_;
  std::map<std::string, Time> failed_, out_, back_;
  std::map<std::string, int> times_out_;
};

double mean_of(const std::vector<double>& all) {
  double sum = 0;
  for (const double one : all) sum += one;
  return sum / static_cast<double>(all.size());
}

void add_span(std::vector<LawRow>& rows, const std::string& what, const std::vector<double>& all, double least,
              double most, double mean) {
  const auto [lowest, highest] = std::minmax_element(all.begin(), all.end());
  // Four standard errors of a mean of even phases.
  const double error = 4 * (most - least) / std::sqrt(12. * static_cast<double>(all.size()));
  rows.push_back({what, "mean", mean, mean_of(all), error, LawRow::Kind::kEqual, all.size()});
  rows.push_back({what, "least", least, *lowest, 0, LawRow::Kind::kAtLeast, all.size()});
  rows.push_back({what, "most", most, *highest, 0, LawRow::Kind::kAtMost, all.size()});
}

}  // namespace

std::vector<LawRow> measure_detection(Effort effort, std::uint64_t seed) {
  std::vector<LawRow> rows;
  const int targets = effort == Effort::kFull ? 2'000 : 200;
  for (const Check& one : {Check{30, 5, 2, 1, false}, Check{30, 5, 2, 1, true}, Check{10, 5, 2, 1, false},
                           Check{10, 5, 2, 1, true}, Check{5, 2, 3, 1, true}, Check{10, 5, 2, 3, false}}) {
    Watched watched(one, targets, seed);
    const std::vector<double> spans = watched.detect(one);
    const double late = one.silent ? one.timeout : 0;
    const std::string what =
        fmt::format("every {} s, time-out {} s, threshold {}, {} node{}, {}", one.interval, one.timeout, one.threshold,
                    one.nodes, one.nodes == 1 ? "" : "s", one.silent ? "silent" : "refused");
    // Several nodes have seen it when the last of k even phases has come.
    const double mean = (one.threshold - 1) * one.interval + one.interval * one.nodes / (one.nodes + 1.) + late;
    add_span(rows, "out: " + what, spans, (one.threshold - 1) * one.interval + late,
             one.threshold * one.interval + late, mean);
    if (one.nodes > 1) continue;
    // Three successes, H = 3.
    add_span(rows, "back: " + what, watched.recover(seconds(one.interval)), 2 * one.interval, 3 * one.interval,
             2.5 * one.interval);
  }
  return rows;
}

/// lambda 100 a second over two targets; every 10 s a check, threshold 2, refused.
std::vector<LawRow> measure_errors(Effort effort, std::uint64_t seed) {
  const int trials = effort == Effort::kFull ? 400 : 40;
  Rng chance(seed);
  std::vector<double> errors;
  for (int trial = 0; trial < trials; ++trial) {
    LawTierSettings settings;
    settings.instances = 2;
    settings.health_check = health_check({10, 5, 2, 1, false});
    settings.profile.service = Distribution::deterministic(kMillisecond);
    LawTier tier(settings, chance.next());
    ClientSettings clients;
    clients.between = Distribution::deterministic(std::chrono::milliseconds(10));
    const std::size_t stream = tier.add_clients(clients);
    tier.run_for(seconds(20) + Duration(static_cast<Duration::rep>(chance.below(10'000'000'000))));
    RR_CHECK(tier.world()
                 .inject(tier.now(), {FaultKind::kCrash, {FaultTargetKind::kInstance, tier.instances().front().value}})
                 .ok(),
             "it runs");
    tier.run_for(seconds(60));
    errors.push_back(static_cast<double>(tier.tally(stream).failed));
  }
  std::vector<LawRow> rows;
  // 100 a second, half of them, for 10 to 20 s.
  add_span(rows, "100 requests a second, half of the targets dead", errors, 500 - 2, 1000 + 2, 750);
  return rows;
}

}  // namespace rr::sim
