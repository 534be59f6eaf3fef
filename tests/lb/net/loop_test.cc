// The loop: what is posted runs before it waits again, what is doomed dies in order, timers are due when they say.
#include "lb/net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "lb/base/check.h"
#include "lb/net/fd_watcher.h"
#include "lb/net/mailbox.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/soon.h"
#include "lb/net/timer.h"
#include "tests/lb/net/loop_runner.h"

namespace rr {
namespace {

struct Noting final : Deferred {
  Noting(std::string& log, char name) : log_(log), name_(name) {}
  ~Noting() override { log_ += name_; }
  std::string& log_;
  char name_;
};

TEST(LoopTest, EndsWhenNothingCanHappen) {
  Loop loop;
  loop.run();
}

TEST(LoopTest, RunsWhatWasPostedBeforeRunAndFromWithinAPost) {
  Loop loop;
  std::string log;
  loop.post([&] {
    log += 'a';
    loop.post([&] { log += 'c'; });
  });
  loop.post([&] { log += 'b'; });
  loop.run();
  EXPECT_EQ(log, "abc");
}

TEST(LoopTest, DestroysInOrderAfterTheCurrentCallback) {
  Loop loop;
  std::string log;
  Timer timer(loop, [&] {
    loop.destroy_later(std::make_unique<Noting>(log, '1'));
    loop.destroy_later(std::make_unique<Noting>(log, '2'));
    log += '0';
  });
  timer.arm(Duration::zero());
  loop.run();
  EXPECT_EQ(log, "012");
}

TEST(LoopTest, DestroysWhatIsLeftWithTheLoop) {
  std::string log;
  {
    Loop loop;
    loop.destroy_later(std::make_unique<Noting>(log, '1'));
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log, "1");
}

TEST(LoopTest, NowIsTheWallClockAndNeverAheadOfPreciseNow) {
  Loop loop;
  const auto wall = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  EXPECT_LT(std::chrono::abs(loop.precise_now().time_since_epoch() - wall), kSecond);
  EXPECT_LE(loop.now(), loop.precise_now());
}

TEST(LoopTest, ATimerIsDueOnceAndNotBeforeItsTime) {
  Loop loop;
  const Time due = loop.now() + std::chrono::microseconds(20'500);
  int fired = 0;
  Time at;
  Timer timer(loop, [&] {
    ++fired;
    at = loop.now();
  });
  timer.arm_at(due);
  EXPECT_TRUE(timer.armed());
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(at, due);
  EXPECT_FALSE(timer.armed());
}

TEST(LoopTest, ATimerCanBeReplacedDisarmedAndRearmedInItsCallback) {
  Loop loop;
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++fired < 3) timer->arm(Duration::zero());
  });
  timer->arm(std::chrono::hours(1));
  timer->arm(Duration(-5));
  Timer never(loop, [] { ADD_FAILURE() << "a disarmed timer fired"; });
  never.arm(Duration::zero());
  never.disarm();
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(LoopTest, ATimerMayBeDestroyedInItsCallbackAndUseItsCapturesAfter) {
  Loop loop;
  std::optional<Timer> timer;
  std::string log;
  const std::string word = "a text that is too long for the string's own buffer";
  timer.emplace(loop, [&timer, &log, word] {
    timer.reset();
    log = word;
  });
  timer->arm(Duration::zero());
  loop.run();
  EXPECT_EQ(log, word);
}

TEST(LoopTest, SoonIsCalledOnceAndNotAfterItsOwnerHasGone) {
  Loop loop;
  int calls = 0;
  const auto count = [](void* counter) noexcept { ++*static_cast<int*>(counter); };
  Soon kept(loop, count, &calls);
  std::optional<Soon> dropped(std::in_place, loop, count, &calls);
  kept.arm();
  kept.arm();
  dropped->arm();
  dropped.reset();
  loop.run();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(kept.armed());
}

TEST(LoopTest, ASoonThatWaitsIsCalledLaterAndArmBringsItForward) {
  Loop loop;
  std::string calls;
  struct Named {
    std::string& calls;
    char name;
    Soon soon;
    Named(Loop& in, std::string& all, char letter)
        : calls(all),
          name(letter),
          soon(
              in,
              [](void* raw) noexcept {
                auto* self = static_cast<Named*>(raw);
                self->calls += self->name;
              },
              this) {}
  };
  Named waits(loop, calls, 'w'), hastens(loop, calls, 'h'), stays(loop, calls, 's');
  std::optional<Named> dropped(std::in_place, loop, calls, 'd');
  waits.soon.arm_later();
  hastens.soon.arm_later();
  hastens.soon.arm();
  stays.soon.arm();
  stays.soon.arm_later();  // is due already
  dropped->soon.arm_later();
  dropped.reset();
  loop.post([&] { EXPECT_EQ(calls, ""); });
  const Time begin = loop.precise_now();
  loop.run();
  EXPECT_EQ(calls, "hsw");
  EXPECT_GE(loop.precise_now() - begin, Soon::kLatest / 2);
  EXPECT_FALSE(waits.soon.armed());
  waits.soon.arm_later();
  loop.run();
  EXPECT_EQ(calls, "hsww");
}

TEST(LoopTest, ASoonMayDestroyAnotherThatIsDueInTheSamePass) {
  Loop loop;
  struct Both {
    std::optional<Soon> first, second;
    int calls = 0;
  } both;
  both.first.emplace(
      loop,
      [](void* raw) noexcept {
        auto* self = static_cast<Both*>(raw);
        ++self->calls;
        self->second.reset();
        self->first.reset();
      },
      &both);
  both.second.emplace(
      loop, [](void* raw) noexcept { static_cast<Both*>(raw)->calls += 100; }, &both);
  both.first->arm();
  both.second->arm();
  loop.run();
  EXPECT_EQ(both.calls, 1);
}

TEST(LoopTest, AMailboxBringsEveryValueInOrderFromAnotherThread) {
  Loop loop;
  std::vector<int> got;
  std::thread sender;
  std::optional<Mailbox<int>> mailbox;
  mailbox.emplace(loop, [&](std::vector<int> values) {
    got.insert(got.end(), values.begin(), values.end());
    if (got.size() < 1000) return;
    sender.join();  // the box must outlive the sender's last call
    mailbox.reset();
  });
  sender = std::thread([&mailbox] {
    for (int i = 0; i < 1000; ++i) mailbox->send(i);
  });
  loop.run();
  ASSERT_EQ(got.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

TEST(LoopTest, ASignalIsToldForEveryArrival) {
  Loop loop;
  int arrivals = 0;
  std::optional<SignalWatcher> watcher;
  watcher.emplace(loop, SIGUSR1, [&] {
    if (++arrivals == 2) {
      watcher.reset();
    } else {
      raise(SIGUSR1);
    }
  });
  raise(SIGUSR1);
  loop.run();
  EXPECT_EQ(arrivals, 2);
}

TEST(LoopTest, ADescriptorIsWatchedUntilStoppedAndItsEndIsToldToo) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string got;
  std::optional<FdWatcher> watcher;
  watcher.emplace(loop, ends[0], [&] {
    char letter = 0;
    const ssize_t count = read(ends[0], &letter, 1);
    got += count == 1 ? letter : '.';
    if (count == 1) {
      close(ends[1]);
    } else {
      watcher->stop();
    }
  });
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  loop.run();
  EXPECT_EQ(got, "x.");
  watcher.reset();
  close(ends[0]);
}

TEST(LoopDeathTest, AHandleThatOutlivesItsLoopIsABug) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        auto loop = std::make_unique<Loop>();
        auto* timer = new Timer(*loop, [] {});
        timer->arm(Duration::zero());
        loop.reset();
      },
      "left open");
}

}  // namespace
}  // namespace rr
