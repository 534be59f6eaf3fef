// Scenarios: played in virtual time or by real processes, and what both have in common compared.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <fstream>

#include "sim/commands.h"
#include "sim/scenario/image_builder.h"
#include "sim/scenario/partial_order.h"
#include "sim/scenario/play_real.h"
#include "sim/scenario/play_virtual.h"

namespace rr::sim {
namespace {

constexpr double kStandardSpeed = 50;
constexpr double kMostSpeed = 1000;

/// Nothing when it is no such number.
template <class Number>
std::optional<Number> number_in(const std::string& text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

int print_played(const CommandSpec& command, const Scenario& scenario, const Played& played, const std::string& how) {
  fmt::print("{}, {}\n", scenario.file, how);
  for (const StepDone& step : played.steps) fmt::print("  {:>8.1f} s  {}\n", to_seconds(step.at), step.said);
  if (played.failure) return fail(command, kExitRefused, played.failure->message);
  const PartialOrder order = partial_order(played.journal);
  fmt::print("{} journal lines: {} events, {} of them tied to one before\n", played.journal.size(), order.events.size(),
             order.before.size());
  return 0;
}

bool write_journal(const std::string& file, const std::vector<JournalLine>& lines) {
  std::ofstream out(file);
  for (const JournalLine& line : lines)
    out << format_iso8601(line.time) << ' ' << line.entity << ' ' << line.event << '\n';
  return static_cast<bool>(out.flush());
}

Played play(const Scenario& scenario, bool real, double speed, std::uint64_t seed) {
  if (!real) return play_virtual(scenario, seed);
  return play_real(scenario, {speed, seed, find_program("rr-lb"), find_program("rr-webapp")});
}

int run_scenario(const CommandSpec& command, const Arguments& arguments) {
  const std::string world = arguments.value("--world", "virtual");
  const bool real = world == "real";
  if (!real && world != "virtual") {
    return fail(command, kExitUsage, fmt::format("--world {}: virtual or real is right", world));
  }
  const auto seed = number_in<std::uint64_t>(arguments.value("--seed", "1"), 0, UINT64_MAX);
  if (!seed)
    return fail(command, kExitUsage, fmt::format("--seed {}: a whole number is right", arguments.value("--seed")));
  const auto speed = number_in<double>(arguments.value("--speed", fmt::format("{}", kStandardSpeed)), 1, kMostSpeed);
  if (!speed) {
    return fail(command, kExitUsage,
                fmt::format("--speed {}: a number from 1 to {} is right", arguments.value("--speed"), kMostSpeed));
  }
  const Result<Scenario> scenario = read_scenario(arguments.positional().front());
  if (!scenario) return fail(command, kExitUsage, scenario.error().message);
  if (real && (find_program("rr-lb").empty() || find_program("rr-webapp").empty())) {
    return fail(command, kExitNotStarted, "rr-lb or rr-webapp is neither beside rr-sim nor on PATH");
  }
  const Played played = play(*scenario, real, *speed, *seed);
  const std::string how = real ? fmt::format("real processes, {} times as fast as AWS, seed {}", *speed, *seed)
                               : fmt::format("virtual time, seed {}", *seed);
  if (arguments.has("--journal") && !write_journal(arguments.value("--journal"), played.journal)) {
    return fail(command, kExitUsage, fmt::format("--journal {}: cannot be written", arguments.value("--journal")));
  }
  const int exit = print_played(command, *scenario, played, how);
  if (exit != 0 || !arguments.has("--order")) return exit;
  for (const auto& [first, second] : partial_order(played.journal).before) fmt::print("  {}  <  {}\n", first, second);
  return 0;
}

Result<std::vector<JournalLine>> read_journal(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Error{fmt::format("{}: cannot be read", file)};
  std::vector<JournalLine> lines;
  for (std::string text; std::getline(in, text);) {
    const std::size_t entity = text.find(' ');
    const std::size_t event = entity == std::string::npos ? entity : text.find(' ', entity + 1);
    if (event == std::string::npos) {
      return Error{fmt::format("{}:{}: a time, a name and an event are right", file, lines.size() + 1)};
    }
    // What is compared is the order of the lines; their times are the runs' own.
    lines.push_back({Time{}, text.substr(entity + 1, event - entity - 1), text.substr(event + 1)});
  }
  return lines;
}

int run_compare(const CommandSpec& command, const Arguments& arguments) {
  const std::string& one = arguments.positional()[0];
  const std::string& other = arguments.positional()[1];
  const auto ones = read_journal(one);
  if (!ones) return fail(command, kExitUsage, ones.error().message);
  const auto others = read_journal(other);
  if (!others) return fail(command, kExitUsage, others.error().message);
  const PartialOrder order = partial_order(*ones);
  const std::vector<std::string> found = differences(order, one, partial_order(*others), other);
  for (const std::string& difference : found) fmt::print("{}\n", difference);
  if (!found.empty()) return fail(command, kExitRefused, fmt::format("{} differences", found.size()));
  fmt::print("the same {} events, in the same order where they have to do with each other ({} pairs)\n",
             order.events.size(), order.before.size());
  return 0;
}

CommandSpec run_command() {
  return {
      .name = "scenario run",
      .arguments = "FILE",
      .summary = "Plays a scenario in a tier of its own, in virtual time or by real processes.",
      .more =
          "The printed times are AWS's, from the beginning. The tier is gone when it is over.\n"
          "Exit status: 0 played to its end, 1 a step failed, 2 wrong input, 3 could not start.",
      .flags = {{"--world", 0, "WORLD", "virtual (default) or real", ""},
                {"--speed", 0, "N", "of real processes (default 50)", ""},
                {"--seed", 0, "N", "what ids and chance follow from (default 1)", ""},
                {"--journal", 0, "FILE", "write the journal there, to be compared", ""},
                {"--order", 0, "", "print which events came before which", ""}},
      .examples = {{"rr-sim scenario run scenarios/zone-power-loss.yaml", "in a few milliseconds"},
                   {"rr-sim scenario run scenarios/zone-power-loss.yaml --world real", "the same with processes"}},
      .run = run_scenario,
  };
}

CommandSpec compare_command() {
  return {
      .name = "scenario compare",
      .arguments = "JOURNAL JOURNAL",
      .summary = "Compares what happened in two runs: which events, and in which order.",
      .more =
          "When they happened is not compared, and neither is the order of what has nothing to do with each "
          "other. Exit status: 0 the same, 1 not the same, 2 wrong input.",
      .examples = {{"rr-sim scenario compare virtual.log real.log", ""}},
      .run = run_compare,
  };
}

}  // namespace

std::vector<CommandSpec> scenario_commands() { return {run_command(), compare_command()}; }

}  // namespace rr::sim
