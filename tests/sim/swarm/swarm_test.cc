// Tiers drawn at random, with faults on (nothing forbidden happens) and then off (everything comes to rest).
#include "sim/swarm/swarm.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace rr::sim {
namespace {

bool long_run() {
  const char* all = std::getenv("RR_LONG");
  return all != nullptr && *all != '\0';
}

std::string told(const SwarmOutcome& outcome) {
  std::string all = "rr-sim replay " + std::to_string(outcome.seed) + ": " + outcome.tier + "\n";
  for (const std::string& one : outcome.troubles) all += "  " + one + "\n";
  for (const std::string& one : outcome.violations) all += "  VIOLATED " + one + "\n";
  return all;
}

TEST(Swarm, NothingForbiddenHappensAndEverythingComesToRest) {
  const std::uint64_t seeds = long_run() ? 300 : 60;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SwarmOutcome outcome = run_seed(seed);
    EXPECT_TRUE(outcome.holds()) << told(outcome);
    failed += outcome.failed;
  }
  EXPECT_GT(failed, 0u);  // the faults were felt
}

TEST(Swarm, ASeedGoesTheSameWayEachTime) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const SwarmOutcome once = run_seed(seed);
    const SwarmOutcome again = run_seed(seed);
    EXPECT_EQ(once.digest, again.digest) << seed;
    EXPECT_EQ(once.happenings, again.happenings) << seed;
    EXPECT_EQ(once.troubles, again.troubles) << seed;
    digests.insert(once.digest);
  }
  EXPECT_EQ(digests.size(), 5u);
}

TEST(Swarm, APolicyThatIsBrokenOnPurposeIsCaught) {
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const SwarmOutcome outcome = run_seed(seed, {.broken_policy = true});
    if (outcome.holds()) continue;
    ++caught;
    // The same seed shows it again.
    EXPECT_EQ(run_seed(seed, {.broken_policy = true}).violations, outcome.violations);
  }
  // Each of these tiers has targets that are new, ill or leaving beside healthy ones for a while.
  EXPECT_EQ(caught, 10);
}

}  // namespace
}  // namespace rr::sim
