// The commands that run in virtual time and need no tier: laws, swarm, replay, pace.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/commands.h"
#include "sim/laws/law.h"
#include "sim/laws/pace.h"
#include "sim/swarm/swarm.h"

namespace rr::sim {
namespace {

using nlohmann::json;

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

/// The number that a flag gives, `otherwise` without it, nothing (and a line on standard error) when it is none.
std::optional<std::uint64_t> number_of(const CommandSpec& command, const Arguments& arguments, const std::string& flag,
                                       std::uint64_t otherwise) {
  if (!arguments.has(flag)) return otherwise;
  const std::optional<std::uint64_t> value = whole(arguments.value(flag));
  if (!value) fail(command, kExitUsage, fmt::format("{} {}: a whole number is right", flag, arguments.value(flag)));
  return value;
}

// Laws
// -------------------------------------------------------------------------------------------------------------------

const char* relation(LawRow::Kind kind) {
  switch (kind) {
    case LawRow::Kind::kEqual:
      return "=";
    case LawRow::Kind::kAtMost:
      return "<=";
    case LawRow::Kind::kAtLeast:
      return ">=";
  }
  return "?";
}

json row_document(const LawRow& row) {
  return {{"what", row.what},
          {"quantity", row.quantity},
          {"theory", row.theory},
          {"measured", row.measured},
          {"relation", relation(row.kind)},
          {"tolerance", row.tolerance},
          {"samples", row.samples},
          {"holds", row.holds()}};
}

/// True when all of its rows hold.
bool print_law(const Law& law, const std::vector<LawRow>& rows) {
  fmt::print("\n{}\n  {}\n", law.title, law.formula);
  bool all = true;
  for (const LawRow& row : rows) {
    const std::string what = row.what + ": " + row.quantity;
    fmt::print("    {:<84} {:>10.6g} {:>2} {:>10.6g}  +-{:<8.3g}{}\n", what, row.measured, relation(row.kind),
               row.theory, row.tolerance, row.holds() ? "" : "  DOES NOT HOLD");
    all = all && row.holds();
  }
  return all;
}

std::vector<Law> chosen_laws(const std::vector<std::string>& names) {
  std::vector<Law> chosen;
  for (const Law& law : laws()) {
    if (names.empty() || std::find(names.begin(), names.end(), law.name) != names.end()) chosen.push_back(law);
  }
  return chosen;
}

int unknown_law(const CommandSpec& command, const std::string& name) {
  std::string known;
  for (const Law& law : laws()) known += (known.empty() ? "" : ", ") + std::string(law.name);
  return fail(command, kExitUsage, fmt::format("{}: there is no such law; there are {}", name, known));
}

int run_laws(const CommandSpec& command, const Arguments& arguments) {
  const std::vector<std::string> names = arguments.positional();
  for (const std::string& name : names) {
    const auto same = [&](const Law& law) { return law.name == name; };
    if (std::none_of(laws().begin(), laws().end(), same)) return unknown_law(command, name);
  }
  const std::optional<std::uint64_t> seed = number_of(command, arguments, "--seed", kLawSeed);
  if (!seed) return kExitUsage;
  const Effort effort = arguments.has("--full") ? Effort::kFull : Effort::kQuick;
  bool all = true;
  json document = json::array();
  if (!arguments.has("--json")) {
    fmt::print("Measured in virtual time, beside theory. Seed {}, {}.\n", *seed,
               effort == Effort::kFull ? "in full" : "quickly (--full: longer, with narrower tolerances)");
  }
  for (const Law& law : chosen_laws(names)) {
    const std::vector<LawRow> rows = law.measure(effort, *seed);
    if (!arguments.has("--json")) {
      all = print_law(law, rows) && all;
      continue;
    }
    json& one = document.emplace_back(json{{"name", law.name}, {"title", law.title}, {"formula", law.formula}});
    for (const LawRow& row : rows) {
      one["rows"].push_back(row_document(row));
      all = all && row.holds();
    }
  }
  if (arguments.has("--json")) fmt::print("{}\n", json{{"seed", *seed}, {"laws", document}, {"hold", all}}.dump(2));
  return all ? 0 : kExitRefused;
}

// Swarm and replay
// -------------------------------------------------------------------------------------------------------

void print_outcome(const SwarmOutcome& outcome) {
  fmt::print("seed {}: {}\n", outcome.seed, outcome.tier);
  for (const std::string& trouble : outcome.troubles) fmt::print("    {}\n", trouble);
  fmt::print("    {} requests, {} lost, at rest {:.0f} s after the last fault, digest {:016x}\n", outcome.requests,
             outcome.failed, to_seconds(outcome.settled_after), outcome.digest);
  for (const std::string& loss : outcome.losses) fmt::print("    {}\n", loss);
  for (const std::string& violation : outcome.violations) fmt::print("    VIOLATED {}\n", violation);
}

int run_swarm(const CommandSpec& command, const Arguments& arguments) {
  const auto seeds = number_of(command, arguments, "--seeds", 100);
  const auto from = number_of(command, arguments, "--from", 1);
  if (!seeds || !from) return kExitUsage;
  SwarmOptions options;
  options.broken_policy = arguments.has("--broken-policy");
  std::uint64_t requests = 0, lost = 0, happenings = 0;
  std::vector<std::uint64_t> bad;
  for (std::uint64_t seed = *from; seed < *from + *seeds; ++seed) {
    const SwarmOutcome outcome = run_seed(seed, options);
    requests += outcome.requests;
    lost += outcome.failed;
    happenings += outcome.happenings;
    if (outcome.holds()) continue;
    bad.push_back(seed);
    print_outcome(outcome);
  }
  fmt::print("{} seeds from {}: {} requests, {} lost to faults, {} events; {} seeds violate an invariant\n", *seeds,
             *from, requests, lost, happenings, bad.size());
  if (bad.empty()) return 0;
  fmt::print("again: rr-sim replay {}{}\n", bad.front(), options.broken_policy ? " --broken-policy" : "");
  return kExitRefused;
}

int run_replay(const CommandSpec& command, const Arguments& arguments) {
  bool all = true;
  std::vector<std::uint64_t> seeds;
  for (const std::string& word : arguments.positional()) {
    const auto seed = whole(word);
    if (!seed) return fail(command, kExitUsage, fmt::format("{}: a seed is a whole number", word));
    seeds.push_back(*seed);
  }
  SwarmOptions options;
  options.broken_policy = arguments.has("--broken-policy");
  if (arguments.has("--journal")) {
    options.on_line = [](const JournalLine& line) {
      fmt::print("{} {:<24} {}\n", format_iso8601(line.time, 3), line.entity, line.event);
    };
  }
  for (const std::uint64_t seed : seeds) {
    const SwarmOutcome outcome = run_seed(seed, options);
    print_outcome(outcome);
    all = all && outcome.holds();
  }
  return all ? 0 : kExitRefused;
}

// Pace
// -------------------------------------------------------------------------------------------------------------------

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double memory_mib() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void print_wrong(const PaceOutcome& outcome) {
  for (const std::string& one : outcome.wrong) fmt::print("    WRONG {}\n", one);
}

/// One run, what it took of the processor, and the most memory that this process has had by its end.
struct Paced {
  PaceOutcome outcome;
  double cpu = 0;
  double mib = 0;
};

template <class Run>
Paced paced(const Run& run) {
  const double begun = cpu_seconds();
  Paced made;
  made.outcome = run();
  made.cpu = cpu_seconds() - begun;
  made.mib = memory_mib();
  return made;
}

json small_document(const Paced& small) {
  return {{"requests", small.outcome.requests},
          {"events", small.outcome.happenings},
          {"cpu_seconds", small.cpu},
          {"requests_per_cpu_second", static_cast<double>(small.outcome.requests) / small.cpu},
          {"wrong", small.outcome.wrong}};
}

json hour_document(int instances, const Paced& hour) {
  return {{"instances", instances},
          {"groups", hour.outcome.groups},
          {"checks", hour.outcome.probes},
          {"events", hour.outcome.happenings},
          {"steps", hour.outcome.steps},
          {"launches", hour.outcome.launches},
          {"cpu_seconds", hour.cpu},
          {"microseconds_per_check", hour.cpu * 1e6 / static_cast<double>(hour.outcome.probes)},
          {"mib_so_far", hour.mib},
          {"digest", fmt::format("{:016x}", hour.outcome.digest)},
          {"wrong", hour.outcome.wrong}};
}

int run_pace(const CommandSpec& command, const Arguments& arguments) {
  const auto requests = number_of(command, arguments, "--requests", 2'000'000);
  const auto most = number_of(command, arguments, "--most", 10'000);
  if (!requests || !most) return kExitUsage;
  const bool as_json = arguments.has("--json");
  const Paced small = paced([&] { return run_small_tier(*requests, kLawSeed); });
  json document{{"two_instances", small_document(small)}, {"regions", json::array()}};
  int exit = small.outcome.wrong.empty() ? 0 : kExitRefused;
  if (!as_json) {
    fmt::print("two instances: {} requests, {} events in {:.2f} s of CPU: {:.0f} requests a second\n",
               small.outcome.requests, small.outcome.happenings, small.cpu,
               static_cast<double>(small.outcome.requests) / small.cpu);
    print_wrong(small.outcome);
    fmt::print(
        "\nan hour of a region in 3 zones, checked every 10 s; a zone is lost for 10 minutes, all are refreshed\n"
        "  instances  groups     checks   launches     CPU s   us a check   MiB so far\n");
  }
  for (const int size : {2, 10, 100, 1'000, 10'000}) {
    if (static_cast<std::uint64_t>(size) > *most) break;
    const Paced hour = paced([&] { return run_region_hour(size, kLawSeed); });
    if (!hour.outcome.wrong.empty()) exit = kExitRefused;
    document["regions"].push_back(hour_document(size, hour));
    if (as_json) continue;
    fmt::print("  {:>9} {:>7} {:>10} {:>10} {:>9.2f} {:>12.2f} {:>12.0f}\n", size, hour.outcome.groups,
               hour.outcome.probes, hour.outcome.launches, hour.cpu,
               hour.cpu * 1e6 / static_cast<double>(hour.outcome.probes), hour.mib);
    print_wrong(hour.outcome);
  }
  if (as_json) fmt::print("{}\n", document.dump(2));
  return exit;
}

CommandSpec pace_command() {
  return {
      .name = "pace",
      .summary = "How fast virtual time goes here: requests a second, regions of up to 10,000.",
      .more = "Exit status: 0 done, 1 a run did not come out as it should, 2 wrong input.",
      .flags = {{"--requests", 0, "N", "through two instances (default 2000000)", ""},
                {"--most", 0, "N", "instances of the largest region (default 10000)", ""},
                {"--json", 0, "", "as JSON", ""}},
      .examples = {{"rr-sim pace --most 1000", "a few seconds"}},
      .run = run_pace,
  };
}

CommandSpec laws_command() {
  return {
      .name = "laws",
      .arguments = "[NAME]",
      .summary = "Laws of queueing and failover, measured in virtual time beside theory.",
      .more =
          "No tier is needed. The balancer's decisions are those of rr-lb, the control plane's those of rr-sim up.\n"
          "Exit status: 0 all hold, 1 one does not, 2 wrong input.",
      .flags = {{"--full", 0, "", "millions of requests a row, narrower tolerances (minutes)", ""},
                {"--seed", 0, "N", "what chance follows from", ""},
                {"--json", 0, "", "as JSON", ""}},
      .examples = {{"rr-sim laws", "all of them"}, {"rr-sim laws detection", "one"}},
      .run = run_laws,
  };
}

CommandSpec swarm_command() {
  return {
      .name = "swarm",
      .summary = "Draws tiers, faults and calls from seeds, and checks what must always hold.",
      .more =
          "First there are faults and calls, and nothing forbidden may happen; then\n"
          "there are none, and everything must come to rest within a bound.\n"
          "Exit status: 0 all seeds hold, 1 one does not, 2 wrong input.",
      .flags = {{"--seeds", 0, "N", "how many (default 100)", ""},
                {"--from", 0, "N", "the first seed (default 1)", ""},
                {"--broken-policy", 0, "", "requests go to unhealthy and leaving targets too: to see\nit caught", ""}},
      .examples = {{"rr-sim swarm --seeds 20", "20 tiers, half an hour each, in a second or two"}},
      .run = run_swarm,
  };
}

CommandSpec replay_command() {
  return {
      .name = "replay",
      .arguments = "SEED",
      .summary = "Runs one seed of the swarm again, and tells what happened.",
      .more = "Exit status: 0 it holds, 1 it violates an invariant, 2 wrong input.",
      .flags = {{"--journal", 0, "", "every line of the journal", ""}, {"--broken-policy", 0, "", "as swarm", ""}},
      .examples = {{"rr-sim replay 17", ""}},
      .run = run_replay,
  };
}

}  // namespace

std::vector<CommandSpec> virtual_commands() {
  return {laws_command(), swarm_command(), replay_command(), pace_command()};
}

}  // namespace rr::sim
