// What two runs must have in common, and what they need not: the comparison itself is tested with journals that are
// made wrong on purpose.
#include "sim/scenario/partial_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "sim/scenario/play_virtual.h"

namespace rr::sim {
namespace {

std::vector<JournalLine> journal(const std::string& text) {
  std::vector<JournalLine> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t space = line.find(' ');
    lines.push_back({Time{}, line.substr(0, space), line.substr(space + 1)});
  }
  return lines;
}

/// A zone is lost and its instance replaced: as rr-sim up writes it.
const char* const kLost =
    "web desired capacity 0 -> 2\n"
    "i-1 Pending in eu-west-1a, version 1: difference between desired and actual capacity\n"
    "i-2 Pending in eu-west-1b, version 1: difference between desired and actual capacity\n"
    "lb-eu-west-1b running\n"
    "lb-eu-west-1b in DNS\n"
    "lb-eu-west-1b passes its checks\n"
    "i-1 Pending -> InService: running and registered\n"
    "i-2 Pending -> InService: running and registered\n"
    "i-1 target initial -> healthy \n"
    "i-2 target initial -> healthy \n"
    "eu-west-1b FAULT power-loss: everything in the zone is gone\n"
    "i-2 target healthy -> unhealthy Target.FailedHealthChecks\n"
    "lb-eu-west-1b out of DNS\n"
    "i-2 Unhealthy: ELB system health check failure\n"
    "i-2 InService -> Terminating: ELB system health check failure\n"
    "i-3 Pending in eu-west-1b, version 1: unhealthy instance needing to be replaced\n"
    "i-3 launch failed in eu-west-1b: InsufficientInstanceCapacity\n"
    "i-4 Pending in eu-west-1a, version 1: unhealthy instance needing to be replaced\n"
    "i-4 Pending -> InService: running and registered\n"
    "i-4 target initial -> healthy \n";

std::vector<std::string> compare(const std::vector<JournalLine>& one, const std::vector<JournalLine>& other) {
  return differences(partial_order(one), "one", partial_order(other), "other");
}

std::size_t at(const std::vector<JournalLine>& lines, const std::string& entity, const std::string& beginning) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const JournalLine& line) {
    return line.entity == entity && line.event.rfind(beginning, 0) == 0;
  });
  EXPECT_NE(found, lines.end()) << entity << " " << beginning;
  return static_cast<std::size_t>(found - lines.begin());
}

TEST(PartialOrder, NamesInstancesByTheirZoneAndTurn) {
  EXPECT_EQ(
      instance_roles(journal(kLost)),
      (std::map<std::string, std::string>{{"i-1", "eu-west-1a#1"}, {"i-2", "eu-west-1b#1"}, {"i-4", "eu-west-1a#2"}}));
}

TEST(PartialOrder, TiesCausesToWhatFollowsFromThem) {
  const auto before = partial_order(journal(kLost)).before;
  const auto tied = [&](const std::string& first, const std::string& second) {
    return before.contains({first, second});
  };
  EXPECT_TRUE(tied("eu-west-1b: fault power-loss", "eu-west-1b#1: detected"));
  EXPECT_TRUE(tied("eu-west-1b#1: detected", "eu-west-1b#1: ejected: ELB system health check failure"));
  EXPECT_TRUE(tied("eu-west-1b#1: ejected: ELB system health check failure",
                   "eu-west-1a#2: launched, version 1: unhealthy instance needing to be replaced"));
  EXPECT_TRUE(
      tied("eu-west-1a#2: launched, version 1: unhealthy instance needing to be replaced", "eu-west-1a#2: in service"));
  EXPECT_TRUE(tied("eu-west-1b: fault power-loss", "lb-eu-west-1b: out of DNS"));
  EXPECT_TRUE(tied("eu-west-1b: fault power-loss", "eu-west-1b: a launch fails"));
  EXPECT_FALSE(tied("lb-eu-west-1b: out of DNS", "eu-west-1b#1: detected"));
  EXPECT_FALSE(tied("eu-west-1b#1: detected", "lb-eu-west-1b: out of DNS"));
}

TEST(PartialOrder, DoesNotMindOtherNamesTimesAndWhatHappensSideBySide) {
  const std::vector<JournalLine> one = journal(kLost);
  std::vector<JournalLine> other = one;
  for (JournalLine& line : other) {
    line.time += std::chrono::hours(1);
    if (line.entity.rfind("i-", 0) == 0) line.entity += "f00d";
  }
  // Out of DNS before the instance is found: nobody promises which of them is first.
  std::swap(other[at(other, "i-2f00d", "target healthy")], other[at(other, "lb-eu-west-1b", "out of DNS")]);
  // Out of DNS and in again before it passes its checks: others passed theirs first.
  const auto running = static_cast<std::ptrdiff_t>(at(other, "lb-eu-west-1b", "in DNS"));
  other.insert(other.begin() + running + 1,
               {{Time{}, "lb-eu-west-1b", "out of DNS"}, {Time{}, "lb-eu-west-1b", "in DNS"}});
  // In virtual time a fault reads so.
  other[at(other, "eu-west-1b", "FAULT")].event = "fault: power-loss ";
  // Another launch that came to nothing.
  const auto failed = static_cast<std::ptrdiff_t>(at(other, "i-3f00d", "launch failed"));
  other.insert(other.begin() + failed + 1,
               {{Time{}, "i-9", "Pending in eu-west-1b, version 1: unhealthy instance needing to be replaced"},
                {Time{}, "i-9", "launch failed in eu-west-1b: InsufficientInstanceCapacity"}});
  EXPECT_EQ(compare(one, other), std::vector<std::string>{});
}

TEST(PartialOrder, MindsWhatIsMissingAndWhatIsTheOtherWayRound) {
  const std::vector<JournalLine> one = journal(kLost);
  const struct {
    const char* entity;
    const char* event;
    const char* other_entity;
    const char* other_event;
  } swapped[] = {
      {"eu-west-1b", "FAULT", "i-2", "target healthy"},             // detected before it was done
      {"i-2", "InService ->", "i-4", "Pending in"},                 // launched before it was ejected
      {"i-4", "Pending in", "i-4", "Pending ->"},                   // in service before it was launched
      {"i-2", "target healthy", "i-2", "InService ->"},             // ejected before it was detected
      {"eu-west-1b", "FAULT", "lb-eu-west-1b", "out of DNS"},       // out of DNS for no reason
      {"web", "desired capacity", "i-1", "Pending in"},             // launched before anybody wanted it
      {"lb-eu-west-1b", "running", "lb-eu-west-1b", "passes its"},  // in DNS before it ran
  };
  for (const auto& pair : swapped) {
    std::vector<JournalLine> other = one;
    std::swap(other[at(one, pair.entity, pair.event)], other[at(one, pair.other_entity, pair.other_event)]);
    EXPECT_NE(compare(one, other), std::vector<std::string>{}) << pair.entity << " " << pair.event;
    EXPECT_NE(compare(other, one), std::vector<std::string>{}) << pair.entity << " " << pair.event;
  }
  for (const std::size_t lost :
       {at(one, "i-4", "target initial"), at(one, "lb-eu-west-1b", "out of DNS"), at(one, "i-3", "launch failed")}) {
    std::vector<JournalLine> other = one;
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(lost));
    EXPECT_NE(compare(one, other), std::vector<std::string>{}) << one[lost].event;
  }
}

/// The stock scenarios of scenarios/, which the process tests play by real processes as well.
std::vector<std::string> stock() {
  std::vector<std::string> files;
  for (const auto& one : std::filesystem::directory_iterator(RR_ROOT "/scenarios"))
    files.push_back(one.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(StockScenarios, GoTheirWayInVirtualTimeWhateverTheSeed) {
  ASSERT_GE(stock().size(), 10u);
  for (const std::string& file : stock()) {
    const Result<Scenario> scenario = read_scenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.error().message;
    const Played once = play_virtual(*scenario, 1);
    ASSERT_FALSE(once.failure) << once.failure->message;
    EXPECT_EQ(once.steps.size(), scenario->steps.size());
    EXPECT_EQ(play_virtual(*scenario, 1).journal, once.journal) << file;
    const Played other = play_virtual(*scenario, 2);
    EXPECT_NE(other.journal, once.journal) << file;
    EXPECT_EQ(compare(once.journal, other.journal), std::vector<std::string>{}) << file;
  }
}

/// Every pair that is tied has its line moved behind the other's: the comparison must see each of them.
TEST(StockScenarios, AnyReorderingOfWhatIsTiedIsSeen) {
  for (const std::string& file : stock()) {
    const std::vector<JournalLine> one = play_virtual(read_scenario(file).value(), 1).journal;
    const PartialOrder order = partial_order(one);
    std::size_t seen = 0;
    for (std::size_t line = 0; line + 1 < one.size(); ++line) {
      std::vector<JournalLine> other = one;
      std::rotate(other.begin() + static_cast<std::ptrdiff_t>(line),
                  other.begin() + static_cast<std::ptrdiff_t>(line) + 1, other.end());
      if (!(partial_order(other) == order)) ++seen;
    }
    // Only the last event of each entity, and what is no event at all, may go to the end unseen.
    EXPECT_GE(seen, order.events.size() / 2) << file;
  }
}

}  // namespace
}  // namespace rr::sim
