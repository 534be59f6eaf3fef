#include "lb/proxy/cookie_seal.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lb/policy/settings.h"

namespace rr {
namespace {

const std::string kKey(64, '7');
constexpr TargetClaim kTarget{1, 2, Time(Duration(3))};
constexpr GroupClaim kGroup{4, Time(Duration(5))};

template <class Claim>
std::string sealed(CookieSeal& seal, const Claim& claim) {
  std::string value;
  seal.seal(value, claim);
  return value;
}

TEST(CookieSeal, ValuesLookLikeAwss) {
  CookieSeal seal(kKey, "app");
  const std::string target = sealed(seal, kTarget);
  EXPECT_EQ(target.size(), 128U);
  EXPECT_EQ(target.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
            std::string::npos)
      << "no padding either";
  EXPECT_EQ(sealed(seal, kGroup).size(), 172U);
  EXPECT_NE(sealed(seal, kTarget), target) << "the same says something else each time";
  // 2401 bytes, nonce and tag: a cookie of 4 K holds a hundred groups.
  EXPECT_LT(sealed(seal, std::span<const TargetClaim>(std::vector<TargetClaim>(100, kTarget))).size(), 4096U - 100);
}

TEST(CookieSeal, AnotherNodeWithTheKeyUnderstandsThem) {
  CookieSeal one(kKey, "app"), other(kKey, "app");
  EXPECT_EQ(other.open_target(sealed(one, kTarget)), kTarget);
  EXPECT_EQ(other.open_group(sealed(one, kGroup)), kGroup);
  const std::vector<TargetClaim> several{kTarget, {7, 8, Time{}}};
  EXPECT_EQ(other.open_application(sealed(one, std::span<const TargetClaim>(several))), several);
}

TEST(CookieSeal, NobodyElseDoes) {
  CookieSeal seal(kKey, "app");
  const std::string target = sealed(seal, kTarget);
  EXPECT_EQ(CookieSeal(kKey, "shop").open_target(target), std::nullopt) << "another load balancer";
  EXPECT_EQ(CookieSeal(std::string(64, '8'), "app").open_target(target), std::nullopt) << "another key";
  EXPECT_EQ(CookieSeal("", "app").open_target(target), std::nullopt) << "a key of its own";
  CookieSeal drawn("", "app"), drawn_too("", "app");
  EXPECT_EQ(drawn.open_target(sealed(drawn, kTarget)), kTarget);
  EXPECT_EQ(drawn_too.open_target(sealed(drawn, kTarget)), std::nullopt);
}

TEST(CookieSeal, ACookieOfOneKindIsNoneOfAnother) {
  CookieSeal seal(kKey, "app");
  EXPECT_EQ(seal.open_group(sealed(seal, kTarget)), std::nullopt);
  EXPECT_EQ(seal.open_application(sealed(seal, kTarget)), std::nullopt);
  EXPECT_EQ(seal.open_target(sealed(seal, kGroup)), std::nullopt);
  EXPECT_EQ(seal.open_target(sealed(seal, std::span<const TargetClaim>(&kTarget, 1))), std::nullopt);
}

TEST(CookieSeal, WhatWasChangedInAnyPlaceIsNothing) {
  CookieSeal seal(kKey, "app");
  const std::string value = sealed(seal, kTarget);
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string changed = value;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(seal.open_target(changed), std::nullopt) << i;
    EXPECT_EQ(seal.open_target(value.substr(0, i)), std::nullopt) << i;
  }
  for (const std::string& wrong : {value + "A", value + "AAAA", value + "====", " " + value, std::string(16'000, 'A'),
                                   std::string("_remove_"), std::string("%2B") + value.substr(3)}) {
    EXPECT_EQ(seal.open_target(wrong), std::nullopt);
    EXPECT_EQ(seal.open_group(wrong), std::nullopt);
    EXPECT_EQ(seal.open_application(wrong), std::nullopt);
  }
  EXPECT_EQ(seal.open_target(value), kTarget);
}

TEST(CookieSeal, DrawnKeysDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.insert(draw_cookie_key());
  EXPECT_EQ(keys.size(), 100U);
  for (const std::string& key : keys) {
    EXPECT_EQ(key.size(), kCookieKeyDigits);
    EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

}  // namespace
}  // namespace rr
