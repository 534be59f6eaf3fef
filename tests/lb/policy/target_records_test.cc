#include <gtest/gtest.h>

#include <map>

#include "lb/base/rng.h"
#include "lb/policy/target_record.h"

namespace rr {
namespace {

TEST(TargetRecords, NumbersAscendAndAreNeverGivenAgain) {
  TargetRecords records;
  EXPECT_EQ(records.find(TargetId{1}), nullptr);
  EXPECT_EQ(records.add().target, TargetId{1});
  EXPECT_EQ(records.add().target, TargetId{2});
  records.erase(TargetId{2});
  EXPECT_EQ(records.find(TargetId{2}), nullptr);
  EXPECT_EQ(records.add().target, TargetId{3});
  EXPECT_EQ(records.find(TargetId{}), nullptr);
  EXPECT_EQ(records.check(TargetId{}), nullptr) << "though it is what a free place says";
}

/// One stays while a hundred thousand come and go: they take the same few places, and few numbers are passed over.
TEST(TargetRecords, OneThatStaysIsPassedOver) {
  TargetRecords records;
  TargetRecord& stays = records.add();
  TargetId last{};
  for (int i = 0; i < 100'000; ++i) {
    TargetRecord& made = records.add();
    ASSERT_GT(made.target, last);
    last = made.target;
    ASSERT_EQ(records.find(stays.target), &stays);
    ASSERT_EQ(records.find(made.target), &made);
    records.erase(made.target);
  }
  // Two records lie in four places: of four numbers one is passed over.
  EXPECT_LE(last.value, 100'000u * 4 / 3 + 2);
}

TEST(TargetRecords, AreAsAMapOfThem) {
  Rng rng(5);
  TargetRecords records;
  std::map<std::uint32_t, TargetRecord*> expected;
  for (int i = 0; i < 20'000; ++i) {
    if (expected.size() < 3 || rng.below(1'000) < 505) {
      TargetRecord& made = records.add();
      ASSERT_TRUE(expected.empty() || made.target.value > expected.rbegin()->first);
      expected[made.target.value] = &made;
      ASSERT_EQ(records.check(made.target)->last_started, 0U) << "nothing of who was at the place before";
      records.check(made.target)->last_started = made.target.value;
    } else {
      const auto gone = std::next(expected.begin(), static_cast<long>(rng.below(expected.size())));
      records.erase(TargetId{gone->first});
      EXPECT_EQ(records.find(TargetId{gone->first}), nullptr);
      EXPECT_EQ(records.check(TargetId{gone->first}), nullptr);
      expected.erase(gone);
    }
    if (i % 100 != 0) continue;
    for (const auto& [number, record] : expected) {
      ASSERT_EQ(records.find(TargetId{number}), record);
      ASSERT_EQ(records.check(TargetId{number})->last_started, number);
    }
  }
}

}  // namespace
}  // namespace rr
