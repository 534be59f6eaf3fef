// change_targets() is set_targets() for those who know what has changed.
#include <gtest/gtest.h>

#include <algorithm>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/journal.h"
#include "lb/base/rng.h"
#include "lb/policy/target_group.h"

namespace rr {
namespace {

using std::chrono::seconds;

TargetSpec spec(int number, int wire) {
  const auto low = static_cast<std::uint8_t>(number);
  return {.id = "i-" + std::to_string(number),
          .address = Address::v4(172, 31, 16, low, 8080),
          .wire = Address::v4(127, 31, 16, low, static_cast<std::uint16_t>(wire)),
          .zone = number % 2 == 0 ? "eu-west-1a" : "eu-west-1b"};
}

TargetGroupSettings settings() {
  TargetGroupSettings made;
  made.name = "web";
  made.deregistration_delay = seconds(7);
  made.slow_start = seconds(30);
  return made;
}

/// Two groups hear of the same, one of all there is and one of what is new, and write the same journal.
TEST(TargetGroupChange, ComesToTheSameAsTheWholeList) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    Journal whole_journal;
    Journal changes_journal;
    TargetGroup whole(settings(), &whole_journal);
    TargetGroup changes(settings(), &changes_journal);
    std::map<std::string, TargetSpec> listed;
    Time now{seconds(1'000)};
    for (int step = 0; step < 300; ++step) {
      now += seconds(rng.below(3));
      std::vector<TargetSpec> added;
      std::vector<std::pair<std::string, std::uint16_t>> removed;
      for (int number = 0; number < 12; ++number) {
        const TargetSpec one = spec(number, 9'000 + static_cast<int>(rng.below(2)));
        const bool is_listed = listed.contains(one.id);
        const std::uint64_t what = rng.below(10);
        if (is_listed && what == 0) {
          removed.emplace_back(one.id, one.address.port);
          listed.erase(one.id);
        } else if (what == 1 && (!is_listed || listed.at(one.id) != one)) {
          added.push_back(one);  // new, back again, or elsewhere
          listed[one.id] = one;
        }
      }
      std::vector<TargetSpec> all;
      for (const auto& [id, one] : listed) all.push_back(one);
      std::vector<std::pair<std::string_view, std::uint16_t>> gone(removed.begin(), removed.end());
      // In the order of the whole list.
      std::sort(added.begin(), added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
      whole.set_targets(now, all);
      changes.change_targets(now, added, gone);
      std::vector<TargetId> ended;
      std::vector<ProbeDue> due;
      for (TargetGroup* group : {&whole, &changes}) {
        ended.clear();
        due.clear();
        group->expire_drains(now, ended);
        group->due_probes(now, due);
        for (const ProbeDue& one : due) {
          const int status = (one.target.value + static_cast<std::uint32_t>(step)) % 7 == 0 ? 500 : 200;
          group->expect(one.target);
          group->observe(now, one.target, one.sequence, {ProbeOutcome::Kind::kAnswered, status});
        }
      }
      ASSERT_EQ(whole_journal.digest(), changes_journal.digest()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(whole.next_wake(), changes.next_wake()) << "seed " << seed << ", step " << step;
    }
    ASSERT_FALSE(whole.status().empty());
  }
}

TEST(TargetGroupChange, WhatIsNotKnownCannotBeTakenAway) {
  TargetGroup group(settings(), nullptr);
  const std::vector<std::pair<std::string_view, std::uint16_t>> unknown{{"i-9", 8080}};
  group.change_targets(Time{seconds(1)}, std::vector{spec(1, 9'000)}, unknown);
  ASSERT_EQ(group.status().size(), 1u);
  EXPECT_EQ(group.status().front().health.state, TargetState::kInitial);
}

}  // namespace
}  // namespace rr
