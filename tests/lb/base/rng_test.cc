#include "lb/base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace rr {
namespace {

TEST(Rng, GivesTheReferenceSequence) {
  // xoshiro256starstar.c of Blackman and Vigna from the state 1, 2, 3, 4.
  Rng random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  for (const std::uint64_t expected :
       {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL, 607988272756665600ULL,
        16172922978634559625ULL, 8476171486693032832ULL, 10595114339597558777ULL, 2904607092377533576ULL}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Rng, IsSeededBySplitmix64) {
  // splitmix64.c of Vigna from the seed 1234567.
  const std::array<std::uint64_t, 4> expected{6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
                                              4593380528125082431ULL};
  EXPECT_EQ(Rng(1234567).state(), expected);
  EXPECT_NE(Rng(0).state(), (std::array<std::uint64_t, 4>{}));
}

TEST(Rng, GoesOnFromAWrittenState) {
  Rng random(7);
  for (int i = 0; i < 100; ++i) random.next();
  Rng again(random.state());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(again.next(), random.next());
}

TEST(RngDeathTest, AStateOfZerosCrashes) {
  EXPECT_DEATH(Rng(std::array<std::uint64_t, 4>{}), "zeros");
  EXPECT_DEATH(Rng(1).below(0), "below 0");
}

TEST(Rng, BelowStaysBelowAndIsEven) {
  Rng random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
  EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
  // 70,000 draws of 7: 10,000 each; the standard deviation is sqrt(70,000 x 1/7 x 6/7) = 92.6, five of them are 463.
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 463);
}

TEST(Rng, UnitIsWithinZeroAndOne) {
  Rng random(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  // The mean of 10,000 has a standard deviation of 1 / sqrt(12 x 10,000) = 0.0029.
  EXPECT_NEAR(sum / 10'000, 0.5, 0.015);
}

}  // namespace
}  // namespace rr
