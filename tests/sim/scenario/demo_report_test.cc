// The demo's promises: each one broken alone must be found, and the table fits a terminal.
#include "sim/scenario/demo_report.h"

#include <gtest/gtest.h>

#include <functional>

namespace rr::sim {
namespace {

DemoFacts good() {
  DemoFacts facts;
  facts.speed = 10;
  facts.phases = {{"round robin", {}}, {"zone b is down", {}}};
  facts.kept_connection = {"a", "b", "a", "b"};
  facts.new_connections = {{"a", 11}, {"b", 9}};
  facts.zone_failures = {3, 2, 0, 0};
  facts.time_to_detect = 1200 * kMillisecond;
  facts.time_to_remove_node = 1500 * kMillisecond;
  facts.time_to_replace = 4 * kSecond;
  facts.time_to_balance = 9 * kSecond;
  facts.time_to_release = 12 * kSecond;
  facts.least_in_service_while_balancing = 2;
  facts.most_in_service_while_releasing = 4;
  facts.released = true;
  facts.answers_after_release = 60;
  return facts;
}

TEST(DemoReport, NothingIsBrokenWhenAllIsWell) { EXPECT_EQ(broken_promises(good()), std::vector<std::string>{}); }

TEST(DemoReport, EachPromiseIsChecked) {
  const struct {
    const char* what;
    std::function<void(DemoFacts&)> change;
  } kTable[] = {
      {"alternate",
       [](DemoFacts& f) {
         f.kept_connection = {"a", "a", "b", "b"};
       }},
      {"alternate",
       [](DemoFacts& f) {
         f.kept_connection = {"a", "a", "a"};
       }},
      {"shared equally",
       [](DemoFacts& f) {
         f.new_connections = {{"a", 12}, {"b", 9}};
       }},
      {"shared equally",
       [](DemoFacts& f) {
         f.new_connections = {{"a", 20}};
       }},
      {"no reason",
       [](DemoFacts& f) {
         f.zone_failures = {0, 0, 0, 1};
       }},
      {"no power",
       [](DemoFacts& f) {
         f.zone_failures = {0, 0, 1, 0};
       }},
      {"not detected", [](DemoFacts& f) { f.time_to_detect.reset(); }},
      {"not replaced", [](DemoFacts& f) { f.time_to_replace.reset(); }},
      {"balance", [](DemoFacts& f) { f.time_to_balance.reset(); }},
      {"only 1 of 2", [](DemoFacts& f) { f.least_in_service_while_balancing = 1; }},
      {"did not succeed: too slow",
       [](DemoFacts& f) {
         f.released = false;
         f.release_outcome = "too slow";
       }},
      {"never had 4", [](DemoFacts& f) { f.most_in_service_while_releasing = 3; }},
      {"nothing answered", [](DemoFacts& f) { f.answers_after_release = 0; }},
      {"were old", [](DemoFacts& f) { f.old_answers_after_release = 1; }},
      {"where none may: reset (release)", [](DemoFacts& f) { f.other_failures = {"reset (release)"}; }},
      {"on time", [](DemoFacts& f) { f.phases[1].statistics.not_sent = 1; }},
  };
  for (const auto& row : kTable) {
    DemoFacts facts = good();
    row.change(facts);
    const auto broken = broken_promises(facts);
    ASSERT_EQ(broken.size(), 1U) << row.what;
    EXPECT_NE(broken[0].find(row.what), std::string::npos) << broken[0];
  }
}

TEST(DemoReport, AFrozenNodeMayTakeConnectionsUntilItsRemoval) {
  DemoFacts facts = good();
  facts.zone_failures = {0, 0, 7, 0};
  facts.hang = true;
  EXPECT_TRUE(broken_promises(facts).empty());
}

TEST(DemoReport, TheTableFitsAndSaysBothKindsOfTime) {
  DemoFacts facts = good();
  LoadStatistics& down = facts.phases[1].statistics;
  down.finished = 362;
  down.failed = 47;
  down.by_cause[static_cast<std::size_t>(RequestCause::kBadGateway)] = 46;
  down.by_cause[static_cast<std::size_t>(RequestCause::kClosed)] = 1;
  const auto table = demo_table(facts);
  EXPECT_LE(table.size(), 22U) << "it must fit a screen of 24 lines";
  std::string all;
  for (const std::string& line : table) {
    EXPECT_LE(line.size(), 80U) << line;
    all += line + "\n";
  }
  EXPECT_NE(all.find("1.2 s                  12 s"), std::string::npos) << all;
}

}  // namespace
}  // namespace rr::sim
