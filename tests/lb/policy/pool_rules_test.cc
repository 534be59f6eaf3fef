// Which kept connection takes the next request, and when one is dropped.
#include "lb/policy/pool_rules.h"

#include <gtest/gtest.h>

#include <vector>

namespace rr {
namespace {

struct Connection : ListLink<IdleTag> {
  explicit Connection(int the_name) : name(the_name) {}
  int name;
  Time idle_since{};
};

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(PoolRules, WhatBecomesOfAConnectionAfterItsRequest) {
  PoolSettings settings;
  settings.maximum_idle = 2;
  struct Case {
    bool reusable, draining;
    std::size_t idle_now;
    PoolVerdict verdict;
  };
  for (const Case& one : std::vector<Case>{{true, false, 0, PoolVerdict::kKeep},
                                           {true, false, 1, PoolVerdict::kKeep},
                                           {true, false, 2, PoolVerdict::kDropSurplus},
                                           {true, true, 0, PoolVerdict::kDropDraining},
                                           {false, false, 0, PoolVerdict::kDropUnclean},
                                           {false, true, 2, PoolVerdict::kDropUnclean}}) {
    EXPECT_EQ(to_string(PoolRules::on_return(one.reusable, one.draining, one.idle_now, settings)),
              to_string(one.verdict));
  }
}

TEST(PoolRules, AnIdleConnectionExpiresAtTheTimeoutAndNotBefore) {
  const PoolSettings settings;
  EXPECT_FALSE(PoolRules::expired(at(100), at(160) - Duration(1), settings));
  EXPECT_TRUE(PoolRules::expired(at(100), at(160), settings));
}

TEST(PoolRules, TheNetworkDelayIsByZoneAndUnknownZonesAreTheSame) {
  PoolSettings settings;
  settings.network_delay_same_zone = kMillisecond;
  settings.network_delay_cross_zone = 2 * kMillisecond;
  EXPECT_EQ(PoolRules::network_delay("a", settings), kMillisecond) << "the node has no zone";
  settings.zone = "a";
  EXPECT_EQ(PoolRules::network_delay("a", settings), kMillisecond);
  EXPECT_EQ(PoolRules::network_delay("", settings), kMillisecond);
  EXPECT_EQ(PoolRules::network_delay("b", settings), 2 * kMillisecond);
}

TEST(PoolRules, AClosedConnectionIsTakenUntilTheNewsIsThere) {
  EXPECT_TRUE(PoolRules::believed_open(at(10), 2 * kSecond, at(10)));
  EXPECT_TRUE(PoolRules::believed_open(at(10), 2 * kSecond, at(12) - Duration(1)));
  EXPECT_FALSE(PoolRules::believed_open(at(10), 2 * kSecond, at(12)));
  EXPECT_FALSE(PoolRules::believed_open(at(10), Duration::zero(), at(10))) << "no delay: known at once";
}

TEST(IdleStack, TheLastOneInIsTheFirstOneOut) {
  Connection a(1), b(2), c(3);
  IdleStack<Connection> stack;
  EXPECT_EQ(stack.take(1), nullptr);
  stack.put(a, at(1), 1);
  stack.put(b, at(2), 2);
  stack.put(c, at(3), 3);
  EXPECT_EQ(stack.size(), 3U);
  EXPECT_EQ(stack.oldest(), &a);
  EXPECT_EQ(stack.take(4), &c);
  EXPECT_EQ(c.idle_since, at(3));
  stack.put(c, at(4), 4);
  EXPECT_EQ(stack.take(5), &c);
  EXPECT_EQ(stack.take(5), &b);
  EXPECT_EQ(stack.take(5), &a);
  EXPECT_TRUE(stack.empty());
}

// Round 1 gives back a and b, round 2 c: within its own round each rests, after it the last one is on top.
TEST(IdleStack, AConnectionRestsForTheRoundInWhichItCameBack) {
  Connection a(1), b(2), c(3);
  IdleStack<Connection> stack;
  stack.put(a, at(1), 1);
  stack.put(b, at(1), 1);
  EXPECT_EQ(stack.take(1), nullptr);
  EXPECT_EQ(stack.oldest(), &a);
  EXPECT_EQ(stack.size(), 2U);
  stack.put(c, at(2), 2);
  EXPECT_EQ(stack.take(2), &b);
  EXPECT_EQ(stack.take(2), &a);
  EXPECT_EQ(stack.take(2), nullptr);
  EXPECT_EQ(stack.oldest(), &c);
  EXPECT_EQ(stack.take(3), &c);
  EXPECT_TRUE(stack.empty());
}

TEST(IdleStack, AnyOneCanBeRemoved) {
  Connection a(1), b(2), c(3);
  IdleStack<Connection> stack;
  for (Connection* one : {&a, &b, &c}) stack.put(*one, at(one->name), static_cast<std::uint64_t>(one->name));
  stack.remove(b);
  EXPECT_EQ(stack.size(), 2U);
  EXPECT_EQ(stack.take(9), &c);
  EXPECT_EQ(stack.take(9), &a);
  EXPECT_EQ(stack.take(9), nullptr);
}

TEST(IntrusiveList, KeepsOrderAndLetsGoOfWhatIsDestroyed) {
  IdleStack<Connection> stack;
  Connection a(1);
  stack.put(a, at(1), 1);
  {
    Connection b(2);
    stack.put(b, at(2), 2);
    stack.remove(b);
  }
  EXPECT_EQ(stack.take(3), &a);
}

}  // namespace
}  // namespace rr
