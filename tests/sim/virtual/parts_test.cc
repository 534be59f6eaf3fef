// The parts of the virtual world: chance, the queue of events, spans, links, instances.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sim/virtual/distribution.h"
#include "sim/virtual/event_queue.h"
#include "sim/virtual/instance.h"
#include "sim/virtual/latency_summary.h"
#include "sim/virtual/links.h"
#include "sim/virtual/slab.h"

namespace rr::sim {
namespace {

using std::chrono::milliseconds;

TEST(PortableLog, AgreesWithTheLibraryToTheLastBits) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const double x = std::ldexp(0.5 + rng.unit() / 2, static_cast<int>(rng.below(120)) - 60);
    EXPECT_NEAR(portable_log(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  EXPECT_EQ(portable_log(1), 0);
}

TEST(PortableExp, AgreesWithTheLibraryToTheLastBits) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const double x = (rng.unit() - 0.5) * 200;
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-14) << x;
  }
  EXPECT_EQ(portable_exp(0), 1);
}

// What the digests of runs hang on: these numbers are the same with every compiler.
TEST(Distribution, DrawsTheSameNumbersEverywhere) {
  Rng rng(20'261'126);
  std::uint64_t sum = 0;
  for (int i = 0; i < 1'000; ++i) {
    for (const Distribution& one :
         {Distribution::exponential(kSecond), Distribution::erlang(kSecond, 3), Distribution::lognormal(kSecond, 2),
          Distribution::hyperexponential(kSecond, 4), Distribution::deterministic(kSecond)}) {
      sum = sum * 31 + static_cast<std::uint64_t>(one.sample(rng).count());
    }
  }
  EXPECT_EQ(sum, 8529902138796327640u);
}

TEST(Distribution, HasItsMeanAndItsVariance) {
  struct Case {
    Distribution distribution;
    double squared_cv;
    double tolerance;  // of the squared coefficient of variation, relative
  };
  for (const Case& one :
       {Case{Distribution::deterministic(kSecond), 0, 0}, Case{Distribution::exponential(kSecond), 1, .03},
        Case{Distribution::erlang(kSecond, 4), .25, .03}, Case{Distribution::lognormal(kSecond, .5), .5, .05},
        Case{Distribution::hyperexponential(kSecond, 4), 4, .05}}) {
    Rng rng(7);
    double sum = 0;
    double squares = 0;
    const int count = 200'000;
    for (int i = 0; i < count; ++i) {
      const double x = to_seconds(one.distribution.sample(rng));
      EXPECT_GE(x, 0);
      sum += x;
      squares += x * x;
    }
    const double mean = sum / count;
    // Three standard errors of a mean: 3 * cv / sqrt(200,000).
    EXPECT_NEAR(mean, 1, 3 * std::sqrt(one.squared_cv / count) + 1e-9);
    EXPECT_NEAR(squares / count / (mean * mean) - 1, one.squared_cv, one.squared_cv * one.tolerance + 1e-9);
    EXPECT_DOUBLE_EQ(one.distribution.squared_cv(), one.squared_cv);
  }
}

TEST(EventQueue, GivesTheEarliestFirstAndEqualOnesInTheirOrder) {
  EventQueue<int> queue;
  Rng rng(3);
  std::vector<std::pair<std::int64_t, int>> expected;
  for (int i = 0; i < 5'000; ++i) {
    const auto at = static_cast<std::int64_t>(rng.below(50));
    queue.push(Time(Duration(at)), i);
    expected.emplace_back(at, i);
  }
  std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.first < b.first; });
  for (const auto& [at, number] : expected) {
    EXPECT_EQ(queue.next(), Time(Duration(at)));
    EXPECT_EQ(queue.pop(), number);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(LatencySummary, PercentilesAreWithinItsErrorOfTheSortedList) {
  LatencySummary summary;
  std::vector<std::int64_t> all;
  Rng rng(5);
  const Distribution spans = Distribution::lognormal(milliseconds(20), 9);
  for (int i = 0; i < 20'000; ++i) {
    const Duration span = spans.sample(rng);
    summary.record(span);
    all.push_back(span.count());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {.01, .25, .5, .9, .99, .999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size()))) - 1;
    const auto exact = static_cast<double>(all[rank]);
    EXPECT_NEAR(static_cast<double>(summary.percentile(share).count()), exact,
                exact * LatencySummary::kRelativeError + 1)
        << share;
  }
  EXPECT_EQ(summary.count(), all.size());
  EXPECT_EQ(summary.maximum().count(), all.back());
}

TEST(LatencySummary, SmallSpansAreExactAndSumsAddUp) {
  LatencySummary a, b;
  for (const int span : {0, 1, 5, 127}) a.record(Duration(span));
  for (const int span : {200, 255}) b.record(Duration(span));
  a.add(b);
  EXPECT_EQ(a.percentile(.5), Duration(5));
  EXPECT_EQ(a.percentile(0.8), Duration(200));
  EXPECT_EQ(a.percentile(1), Duration(255));
  EXPECT_EQ(a.mean(), Duration(588 / 6));
  EXPECT_EQ(LatencySummary().percentile(.5), Duration{});
}

TEST(Links, LatencyIsByZoneAndAPartitionLetsNothingThrough) {
  LinkSettings settings;
  settings.same_zone.latency = milliseconds(1);
  settings.cross_zone.latency = milliseconds(2);
  settings.outside.latency = milliseconds(20);
  Links links(settings, 2);
  Rng rng(1);
  EXPECT_EQ(links.travel(0, 0, nullptr, rng), milliseconds(1));
  EXPECT_EQ(links.travel(0, 1, nullptr, rng), milliseconds(2));
  EXPECT_EQ(links.travel(kOutside, 1, nullptr, rng), milliseconds(20));
  const LinkCondition more{.latency = milliseconds(5)};
  EXPECT_EQ(links.travel(0, 0, &more, rng), milliseconds(6));
  links.partition(1, true);
  EXPECT_EQ(links.travel(0, 1, nullptr, rng), std::nullopt);
  EXPECT_EQ(links.travel(1, kOutside, nullptr, rng), std::nullopt);
  EXPECT_EQ(links.travel(1, 1, nullptr, rng), milliseconds(1));
  links.partition(1, false);
  EXPECT_EQ(links.travel(0, 1, nullptr, rng), milliseconds(2));
}

TEST(Links, LossIsADelayUntilTcpGivesUp) {
  Rng rng(1);
  const LinkCondition half{.latency = milliseconds(1), .loss = .5};
  int late = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto delay = travel(half, rng);
    if (delay != milliseconds(1)) ++late;
  }
  EXPECT_NEAR(late, 5'000, 150);  // 3 sigma of a binomial: 3 * sqrt(2,500)
  EXPECT_EQ(travel({.loss = 1}, rng), std::nullopt);
  const LinkCondition jittery{.jitter = milliseconds(3)};
  for (int i = 0; i < 1'000; ++i) EXPECT_LE(*travel(jittery, rng), milliseconds(3));
}

TEST(VirtualInstance, ServesAsManyAsItHasWorkersAndTheRestInTurn) {
  InstanceProfile profile;
  profile.workers = 2;
  profile.queue_limit = 1;
  VirtualInstance instance(InstanceId("i-1"), 0, profile);
  instance.to(VirtualInstance::Phase::kRunning);
  EXPECT_EQ(instance.take(1), VirtualInstance::Taken::kServing);
  EXPECT_EQ(instance.take(2), VirtualInstance::Taken::kServing);
  EXPECT_EQ(instance.take(3), VirtualInstance::Taken::kWaiting);
  EXPECT_EQ(instance.take(4), VirtualInstance::Taken::kOverloaded);
  EXPECT_EQ(instance.next_to_serve(), std::nullopt);
  EXPECT_TRUE(instance.end_service(1));
  EXPECT_EQ(instance.next_to_serve(), 3u);
  EXPECT_EQ(instance.waiting(), 0u);
}

TEST(VirtualInstance, WhileItHangsNothingBeginsOrEnds) {
  VirtualInstance instance(InstanceId("i-1"), 0, {});
  instance.to(VirtualInstance::Phase::kRunning);
  EXPECT_EQ(instance.take(1), VirtualInstance::Taken::kServing);
  instance.faults.hung = true;
  EXPECT_EQ(instance.take(2), VirtualInstance::Taken::kHeld);
  EXPECT_FALSE(instance.end_service(1));
  EXPECT_EQ(instance.next_to_serve(), std::nullopt);
  instance.faults.hung = false;
  EXPECT_EQ(instance.thaw(), std::vector<CallHandle>{1});
  EXPECT_TRUE(instance.end_service(1));
  EXPECT_EQ(instance.next_to_serve(), 2u);
}

struct Thing {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  int value = 0;
  void reset() { value = 0; }
};

TEST(Slab, AHandleOfWhatHasGoneFindsNothing) {
  Slab<Thing> slab;
  Thing& first = slab.take();
  first.value = 7;
  const std::uint64_t handle = Slab<Thing>::handle(first);
  EXPECT_EQ(slab.find(handle)->value, 7);
  slab.give_back(first);
  EXPECT_EQ(slab.find(handle), nullptr);
  Thing& second = slab.take();
  EXPECT_EQ(&second, &first);
  EXPECT_EQ(second.value, 0);
  EXPECT_EQ(slab.find(handle), nullptr);
  EXPECT_EQ(slab.in_use(), 1u);
}

}  // namespace
}  // namespace rr::sim
