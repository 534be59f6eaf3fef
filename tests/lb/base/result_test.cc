#include "lb/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace rr {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{"odd"};
  return number / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4).ok());
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error().message, "odd");
  EXPECT_EQ(half(4), half(4));
  EXPECT_FALSE(half(4) == half(3));
  EXPECT_TRUE(Status(Ok{}).ok());
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, TheWrongQuestionCrashesWithItsReason) {
  EXPECT_DEATH(static_cast<void>(half(3).value()), "value\\(\\) of a failed Result");
  EXPECT_DEATH(static_cast<void>(half(4).error()), "error\\(\\) of a good Result");
}

}  // namespace
}  // namespace rr
