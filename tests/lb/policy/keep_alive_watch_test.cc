// A target that closes kept connections before the load balancer does is found out before a request fails.
#include "lb/policy/keep_alive_watch.h"

#include <gtest/gtest.h>

namespace rr {
namespace {

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }
constexpr Duration kIdleTimeout = std::chrono::seconds(60);

TEST(KeepAliveWatch, TheAnnouncementIsReadWhereItIsOne) {
  const auto seconds = [](int count) { return std::optional<Duration>(std::chrono::seconds(count)); };
  EXPECT_EQ(announced_keep_alive("timeout=5"), seconds(5));
  EXPECT_EQ(announced_keep_alive("max=100, Timeout=15"), seconds(15));
  EXPECT_EQ(announced_keep_alive(" timeout=0 ,max=1"), seconds(0));
  for (const char* none : {"", "max=100", "timeout", "timeout=", "timeout=5s", "timeout=-1", "timeout=1.5",
                           "timeout=99999999999999999999", "xtimeout=5"}) {
    EXPECT_EQ(announced_keep_alive(none), std::nullopt) << none;
  }
}

TEST(KeepAliveWatch, AnAnnouncementThatIsNotAboveTheIdleTimeoutIsWarnedAbout) {
  for (const auto& [header, warned] : {std::pair{"timeout=5", true}, {"timeout=60", true}, {"timeout=61", false}}) {
    KeepAliveWatch watch;
    EXPECT_TRUE(watch.awaits_response());
    EXPECT_EQ(watch.on_first_response(header, kIdleTimeout), warned) << header;
    EXPECT_FALSE(watch.awaits_response());
    EXPECT_EQ(watch.warning("10.0.0.1:80", kIdleTimeout).empty(), !warned) << header;
  }
  KeepAliveWatch silent;
  EXPECT_FALSE(silent.on_first_response(std::nullopt, kIdleTimeout));
  EXPECT_EQ(silent.warning("10.0.0.1:80", kIdleTimeout), "");
}

TEST(KeepAliveWatch, EachEarlyCloseIsCountedAndSaidOnceAMinute) {
  KeepAliveWatch watch;
  EXPECT_TRUE(watch.on_idle_close(6 * kSecond, at(100), kIdleTimeout)) << "the first one";
  EXPECT_FALSE(watch.on_idle_close(5 * kSecond, at(159), kIdleTimeout)) << "59 s later";
  EXPECT_TRUE(watch.on_idle_close(7 * kSecond, at(160), kIdleTimeout)) << "kWarnEvery, 60 s, later";
  EXPECT_EQ(watch.early_closes(), 3U);
  EXPECT_EQ(watch.shortest_idle(), 5 * kSecond);
  EXPECT_EQ(watch.last_early_close(), at(160));
  EXPECT_EQ(watch.warning("10.0.0.1:80", kIdleTimeout),
            "target 10.0.0.1:80 closed 3 idle connections early, one after 5.0 s; the load balancer's idle timeout is "
            "60 s: a request that meets the close is answered 502; raise the target's keep-alive above it");
}

TEST(KeepAliveWatch, ACloseAtTheIdleTimeoutOrAfterItIsNone) {
  KeepAliveWatch watch;
  EXPECT_FALSE(watch.on_idle_close(kIdleTimeout, at(1), kIdleTimeout));
  EXPECT_EQ(watch.early_closes(), 0U);
  EXPECT_TRUE(watch.on_idle_close(kIdleTimeout - Duration(1), at(1), kIdleTimeout));
  EXPECT_EQ(watch.warning("a", 30 * kSecond), "") << "a shorter idle timeout is in force now: all is well";
}

TEST(KeepAliveWatch, BothSignsStandInOneSentence) {
  KeepAliveWatch watch;
  watch.on_first_response("timeout=5", kIdleTimeout);
  watch.on_idle_close(6 * kSecond, at(1), kIdleTimeout);
  EXPECT_EQ(watch.warning("a", kIdleTimeout),
            "target a announces a keep-alive of 5.0 s and closed 1 idle connection early, one after 6.0 s; the load "
            "balancer's idle timeout is 60 s: a request that meets the close is answered 502; raise the target's "
            "keep-alive above it");
}

TEST(KeepAliveWatch, WhatSeveralWorkersSawIsOneStory) {
  KeepAliveWatch one, two;
  one.on_first_response(std::nullopt, std::chrono::seconds(60));
  one.on_idle_close(std::chrono::seconds(6), Time{std::chrono::seconds(10)}, std::chrono::seconds(60));
  two.on_first_response("timeout=5", std::chrono::seconds(60));
  two.on_idle_close(std::chrono::seconds(5), Time{std::chrono::seconds(9)}, std::chrono::seconds(60));
  one.merge(two);
  EXPECT_EQ(one.early_closes(), 2u);
  EXPECT_EQ(one.shortest_idle(), std::chrono::seconds(5));
  EXPECT_EQ(one.announced(), std::chrono::seconds(5));
  EXPECT_EQ(one.last_early_close(), Time{std::chrono::seconds(10)});
  KeepAliveWatch fresh;
  fresh.merge(one);
  EXPECT_EQ(fresh.early_closes(), 2u);
  EXPECT_EQ(fresh.shortest_idle(), std::chrono::seconds(5));
}

}  // namespace
}  // namespace rr
