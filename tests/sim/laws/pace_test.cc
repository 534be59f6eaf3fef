// A region through a bad hour: whatever its size, all are in service after it, and the same seed goes the same way.
#include "sim/laws/pace.h"

#include <gtest/gtest.h>

namespace rr::sim {
namespace {

TEST(Pace, ARegionComesThroughTheLossOfAZoneAndARefreshOfAll) {
  for (const int size : {2, 10, 200}) {
    const PaceOutcome hour = run_region_hour(size, 1);
    EXPECT_EQ(hour.wrong, std::vector<std::string>{}) << size;
    // Three nodes check each instance every 10 s: 360 times.
    EXPECT_NEAR(static_cast<double>(hour.probes), 3. * 360 * size, .1 * 3 * 360 * size) << size;
    EXPECT_GE(hour.launches, 2u * static_cast<unsigned>(size)) << "all were launched, and launched anew";
  }
  EXPECT_EQ(run_region_hour(20, 7).digest, run_region_hour(20, 7).digest);
  EXPECT_NE(run_region_hour(20, 7).digest, run_region_hour(20, 8).digest);
}

TEST(Pace, ASmallTierAnswersAll) {
  const PaceOutcome small = run_small_tier(50'000, 1);
  EXPECT_EQ(small.wrong, std::vector<std::string>{});
  EXPECT_EQ(small.requests, 50'000u);
}

}  // namespace
}  // namespace rr::sim
