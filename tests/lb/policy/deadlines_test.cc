#include "lb/policy/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "lb/base/rng.h"

namespace rr {
namespace {

Time at(std::int64_t second) { return Time{std::chrono::seconds(second)}; }

TEST(Deadlines, TheEarliestComesFirstAndEqualOnesInTheirOrder) {
  Deadlines list;
  EXPECT_FALSE(list.next());
  list.add(at(20), TargetId{1});
  const Deadline second = list.add(at(10), TargetId{2});
  list.add(at(10), TargetId{3});
  EXPECT_FALSE(list.due(at(9)));
  EXPECT_EQ(list.due(at(10))->target, TargetId{2});
  list.move(second, at(20));  // behind 1, which was set before
  EXPECT_EQ(list.due(at(10))->target, TargetId{3});
  EXPECT_EQ(list.coming(1), TargetId{1});
  EXPECT_EQ(list.coming(2), TargetId{2});
  EXPECT_FALSE(list.coming(3));
  EXPECT_EQ(list.size(), 3u);
}

TEST(Deadlines, WhatIsRemovedInTheMiddleLeavesAGapThatNobodySees) {
  Deadlines list;
  const Deadline first = list.add(at(1), TargetId{1});
  const Deadline middle = list.add(at(2), TargetId{2});
  const Deadline last = list.add(at(3), TargetId{3});
  list.remove(middle);
  EXPECT_EQ(list.size(), 2u);
  EXPECT_FALSE(list.coming(1));
  list.remove(first);
  EXPECT_EQ(list.next(), at(3));
  list.remove(last);
  EXPECT_FALSE(list.next());
  EXPECT_EQ(list.size(), 0u);
}

TEST(DeadlinesDeathTest, WhatIsNotPendingCannotBeRemoved) {
  Deadlines list;
  list.add(at(1), TargetId{1});
  const Deadline gone = list.add(at(2), TargetId{2});
  list.add(at(3), TargetId{3});
  list.remove(gone);
  EXPECT_DEATH(list.remove(gone), "must be pending");
}

/// The same as an ordered set does, which is slower and plainly right.
TEST(Deadlines, AreAsASetOfThem) {
  Rng rng(11);
  Deadlines list;
  std::set<Deadline> expected;
  const auto any = [&] { return *std::next(expected.begin(), static_cast<long>(rng.below(expected.size()))); };
  for (std::uint32_t i = 1; i <= 20'000; ++i) {
    const Time time = at(static_cast<std::int64_t>(rng.below(50)));
    const std::uint64_t what = rng.below(8);
    if (expected.size() < 10 || what < 2) {
      expected.insert(list.add(time, TargetId{i}));
    } else if (what < 4) {
      const Deadline gone = any();
      list.remove(gone);
      expected.erase(gone);
    } else {
      const Deadline moved = what < 7 ? *expected.begin() : any();
      expected.erase(moved);
      expected.insert(list.move(moved, time));
    }
    ASSERT_EQ(list.size(), expected.size());
    ASSERT_EQ(list.next(), expected.begin()->time);
    ASSERT_EQ(list.due(at(50)), *expected.begin());
  }
}

}  // namespace
}  // namespace rr
