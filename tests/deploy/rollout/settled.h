#pragma once
// What must be true after every job, however it ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/deploy/rollout/run.h"

namespace rr::deploy {

inline constexpr Time kStart{std::chrono::hours(24 * 365 * 56)};

/// Nothing is under way, nothing is suspended, nobody holds the lock, and one version serves alone.
inline void expect_settled(PretendAws& aws, const std::string& version, const std::string& context = "") {
  EXPECT_FALSE(aws.lock) << context;
  EXPECT_FALSE(aws.refresh_active()) << context;
  EXPECT_TRUE(aws.group.suspended.empty()) << context;
  EXPECT_EQ(aws.group.version, version) << context;
  EXPECT_EQ(aws.versions_in_service(), std::set<std::string>{version}) << context;
  EXPECT_EQ(aws.group.desired, 2) << context;
  EXPECT_EQ(aws.group.instances.size(), 2u) << context;
}

inline bool has_version(const PretendAws& aws, long number) {
  return std::any_of(aws.versions.begin(), aws.versions.end(), [&](const auto& one) { return one.number == number; });
}

}  // namespace rr::deploy
