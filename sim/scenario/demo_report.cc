#include "sim/scenario/demo_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/console/status_view.h"

namespace rr::sim {

bool alternates(const std::vector<std::string>& hosts) {
  if (hosts.size() < 2 || std::set<std::string>(hosts.begin(), hosts.end()).size() != 2) return false;
  return std::adjacent_find(hosts.begin(), hosts.end()) == hosts.end();
}

namespace {

std::uint64_t spread(const std::map<std::string, std::uint64_t>& by_host) {
  if (by_host.empty()) return 0;
  const auto [least, most] = std::minmax_element(by_host.begin(), by_host.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->second - least->second;
}

std::uint64_t count_of(const DemoFacts& facts, FailureClass kind) {
  return facts.zone_failures[static_cast<std::size_t>(kind)];
}

void check_round_robin(const DemoFacts& facts, std::vector<std::string>& broken) {
  if (!alternates(facts.kept_connection)) broken.push_back("one kept connection did not alternate strictly");
  // Each node takes its own turns: of what one node got, the two shares differ by at most one.
  if (facts.new_connections.size() != 2 || spread(facts.new_connections) > facts.nodes) {
    broken.push_back("new connections were not shared equally: " + format_shares(facts.new_connections));
  }
}

void check_zone(const DemoFacts& facts, std::vector<std::string>& broken) {
  if (const auto count = count_of(facts, FailureClass::kUnexplained); count > 0) {
    broken.push_back(
        fmt::format("{} request{} failed for no reason that the zone's death explains", count, count == 1 ? "" : "s"));
  }
  if (const auto count = count_of(facts, FailureClass::kTakenByNodeBeforeRemoval); !facts.hang && count > 0) {
    broken.push_back(fmt::format("{} new connections were taken by a node that had no power", count));
  }
  if (!facts.time_to_detect) broken.push_back("the zone's death was not detected");
  if (!facts.time_to_replace) broken.push_back("the lost instance was not replaced");
  if (!facts.time_to_balance) broken.push_back("the balance did not return");
  if (facts.time_to_balance && facts.least_in_service_while_balancing < facts.desired) {
    broken.push_back(fmt::format("only {} of {} were in service while the group rebalanced",
                                 facts.least_in_service_while_balancing, facts.desired));
  }
}

void check_release(const DemoFacts& facts, std::vector<std::string>& broken) {
  if (!facts.released) broken.push_back("the release did not succeed: " + facts.release_outcome);
  if (facts.released && facts.most_in_service_while_releasing < 2 * facts.desired) {
    broken.push_back(fmt::format("the release never had {} instances in service", 2 * facts.desired));
  }
  if (facts.released && facts.answers_after_release == 0) broken.push_back("nothing answered after the release");
  if (facts.old_answers_after_release > 0) {
    broken.push_back(fmt::format("{} answers after the release were old", facts.old_answers_after_release));
  }
}

}  // namespace

std::vector<std::string> broken_promises(const DemoFacts& facts) {
  std::vector<std::string> broken;
  check_round_robin(facts, broken);
  check_zone(facts, broken);
  check_release(facts, broken);
  if (!facts.other_failures.empty()) {
    broken.push_back(fmt::format("{} request{} failed where none may: {}", facts.other_failures.size(),
                                 facts.other_failures.size() == 1 ? "" : "s", facts.other_failures.front()));
  }
  std::uint64_t not_sent = 0;
  for (const DemoPhase& phase : facts.phases) not_sent += phase.statistics.not_sent;
  if (not_sent > 0) broken.push_back(fmt::format("{} requests could not be sent on time", not_sent));
  return broken;
}

namespace {

// A cause a line: two of them side by side would not fit 80 columns.
std::vector<std::string> phase_rows(const DemoPhase& phase) {
  std::vector<std::string> rows{
      fmt::format("{:<26}{:>8}{:>8}", phase.name, phase.statistics.finished, phase.statistics.failed)};
  bool first = true;
  for (std::size_t i = 0; i < kRequestCauses; ++i) {
    const auto cause = static_cast<RequestCause>(i);
    if (!failed(cause) || phase.statistics.by_cause[i] == 0) continue;
    if (!first) rows.emplace_back(std::string(42, ' '));
    rows.back() += fmt::format("  {} {}", phase.statistics.by_cause[i], to_string(cause));
    first = false;
  }
  return rows;
}

std::string time_row(const std::string& name, const std::optional<Duration>& measured, double speed) {
  if (!measured) return fmt::format("{:<26}{:>16}", name, "not reached");
  const double seconds = to_seconds(*measured);
  return fmt::format("{:<26}{:>16}{:>22}", name, seconds_view(seconds), seconds_view(seconds * speed));
}

}  // namespace

std::vector<std::string> demo_table(const DemoFacts& facts) {
  std::vector<std::string> out;
  out.push_back(fmt::format("{:<26}{:>8}{:>8}  {}", "", "REQUESTS", "FAILED", "BY CAUSE"));
  for (const DemoPhase& phase : facts.phases) {
    for (std::string& row : phase_rows(phase)) out.push_back(std::move(row));
  }
  out.push_back("");
  out.push_back("while zone b was down, each failure by its evidence:");
  for (std::size_t i = 0; i < kFailureClasses; ++i) {
    out.push_back(fmt::format("  {:<54}{:>6}", to_string(static_cast<FailureClass>(i)), facts.zone_failures[i]));
  }
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < facts.unexplained.size() && i < kShown; ++i) out.push_back("    " + facts.unexplained[i]);
  if (facts.unexplained.size() > kShown)
    out.push_back(fmt::format("    and {} more", facts.unexplained.size() - kShown));
  out.push_back(fmt::format("  longest time without an answer: {}", seconds_view(to_seconds(facts.longest_silence))));
  out.push_back("");
  out.push_back(fmt::format("{:<26}{:>16}{:>22}", "", "MEASURED", "AT AWS'S DURATIONS"));
  out.push_back(time_row("time to detect", facts.time_to_detect, facts.speed));
  out.push_back(time_row("time to leave DNS", facts.time_to_remove_node, facts.speed));
  out.push_back(time_row("time to replace", facts.time_to_replace, facts.speed));
  out.push_back(time_row("time to balance again", facts.time_to_balance, facts.speed));
  out.push_back(time_row("time to release", facts.time_to_release, facts.speed));
  return out;
}

}  // namespace rr::sim
