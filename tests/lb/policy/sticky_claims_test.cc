#include "lb/policy/sticky_claims.h"

#include <gtest/gtest.h>

namespace rr {
namespace {

const Time kLater = Time(std::chrono::hours(500'000) + std::chrono::nanoseconds(1));

TEST(StickyClaims, WhatWasWrittenIsReadAgain) {
  const TargetClaim target{0x0102030405060708, 0xFFFEFDFCFBFAF9F8, kLater};
  EXPECT_EQ(read_target_claim(write_claim(target)), target);
  const GroupClaim group{42, kLater};
  EXPECT_EQ(read_group_claim(write_claim(group)), group);
  const std::vector<TargetClaim> several{target, {1, 2, Time{}}};
  EXPECT_EQ(read_application_claims(write_claims(several)), several);
  EXPECT_EQ(read_application_claims(write_claims({})), std::vector<TargetClaim>{});
}

TEST(StickyClaims, AnotherSizeOrVersionIsNotRead) {
  auto target = write_claim(TargetClaim{1, 2, kLater});
  EXPECT_EQ(read_target_claim(std::span(target).first(target.size() - 1)), std::nullopt);
  EXPECT_EQ(read_group_claim(target), std::nullopt);
  EXPECT_EQ(read_target_claim({}), std::nullopt);
  target[0] = 2;
  EXPECT_EQ(read_target_claim(target), std::nullopt);
  auto group = write_claim(GroupClaim{1, kLater});
  group[0] = 0;
  EXPECT_EQ(read_group_claim(group), std::nullopt);
  auto several = write_claims(std::vector<TargetClaim>{{1, 2, kLater}});
  several.pop_back();
  EXPECT_EQ(read_application_claims(several), std::nullopt);
  EXPECT_EQ(read_application_claims({}), std::nullopt);
}

TEST(StickyClaims, AHundredGroupsFitIntoOneCookieAndTheOldestOfMoreGoes) {
  std::vector<TargetClaim> claims(kMaximumApplicationClaims);
  for (std::size_t i = 0; i < claims.size(); ++i) claims[i].group = i;
  EXPECT_EQ(read_application_claims(write_claims(claims)), claims);
  claims.push_back({1000, 1, kLater});
  const auto read = read_application_claims(write_claims(claims));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->size(), kMaximumApplicationClaims);
  EXPECT_EQ(read->front().group, 1U);
  EXPECT_EQ(read->back().group, 1000U);
  std::vector<unsigned char> one_more(kMaximumApplicationSize + kApplicationEntrySize, 1);
  EXPECT_EQ(read_application_claims(one_more), std::nullopt);
}

TEST(StickyNames, DependOnIdAndPort) {
  EXPECT_NE(sticky_name("i-1", 80), sticky_name("i-1", 81));
  EXPECT_NE(sticky_name("i-1", 80), sticky_name("i-2", 80));
  EXPECT_NE(sticky_name("i-1", 256), sticky_name("i-1", 1));
  EXPECT_NE(sticky_name("web"), sticky_name("api"));
  EXPECT_EQ(sticky_name("web"), sticky_name(std::string("web")));
}

}  // namespace
}  // namespace rr
