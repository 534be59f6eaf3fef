#include "lb/policy/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "lb/policy/anomaly_detection.h"
#include "lb/policy/slow_start.h"

namespace rr {
namespace {

std::vector<TargetId> targets(const std::string& letters) {
  std::vector<TargetId> result;
  for (const char letter : letters) result.push_back(TargetId{static_cast<std::uint32_t>(letter)});
  return result;
}

std::vector<Candidate> candidates(const std::string& letters) {
  std::vector<Candidate> result;
  for (const TargetId target : targets(letters)) result.push_back({.target = target});
  return result;
}

Time at(double second) { return Time{std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second))}; }

/// "abab": the targets of so many picks, '-' where there was none.
std::string turns(Balancer& balancer, int count, const std::string& tried = "", Time now = Time{}) {
  Rng random(1);
  std::string result;
  for (int i = 0; i < count; ++i) {
    const auto target = balancer.pick(now, random, targets(tried));
    result += target ? static_cast<char>(target->value) : '-';
  }
  return result;
}

Balancer balancer_of(const std::string& letters, Algorithm algorithm = Algorithm::kRoundRobin) {
  Balancer balancer;
  balancer.configure(algorithm, std::chrono::seconds(30));
  balancer.rebuild(candidates(letters));
  return balancer;
}

/// A balancer with a slow start of 30 s; the targets of `slow` are in it since second 0.
Balancer slow_balancer(const std::string& letters, const std::string& slow) {
  Balancer balancer;
  balancer.configure(Algorithm::kRoundRobin, std::chrono::seconds(30));
  std::vector<Candidate> list = candidates(letters);
  for (Candidate& one : list) {
    if (slow.find(static_cast<char>(one.target.value)) != std::string::npos) one.slow_since = Time{};
  }
  balancer.rebuild(list);
  return balancer;
}

std::map<char, int> counts(const std::string& letters) {
  std::map<char, int> result;
  for (const char letter : letters) ++result[letter];
  return result;
}

TEST(RoundRobin, GoesRound) {
  Balancer balancer = balancer_of("abc");
  EXPECT_EQ(turns(balancer, 7), "abcabca");
  Balancer empty;
  EXPECT_EQ(turns(empty, 2), "--");
}

TEST(RoundRobin, KeepsItsPlaceOverARebuild) {
  const struct {
    const char* before;
    int picks;  // of the list before
    const char* after;
    const char* then;
  } kTable[] = {
      {"abc", 1, "abc", "bcab"},   // nothing changed: b is next
      {"abc", 1, "ac", "caca"},    // b left: c is next
      {"abc", 2, "ac", "caca"},    // b was the last one picked and left
      {"abc", 3, "ab", "abab"},    // c was the last one picked and left
      {"abc", 2, "abcd", "cdab"},  // d came
      {"bcd", 1, "abcd", "cdab"},  // a came before the place
      {"ab", 2, "cd", "cdcd"},     // all others
      {"cd", 2, "ab", "abab"},    {"ab", 0, "ab", "abab"}, {"ab", 1, "", "----"},
  };
  for (const auto& row : kTable) {
    Balancer balancer = balancer_of(row.before);
    turns(balancer, row.picks);
    balancer.rebuild(candidates(row.after));
    EXPECT_EQ(turns(balancer, 4), row.then) << row.before << " " << row.picks << " " << row.after;
  }
}

TEST(RoundRobin, TwoTargetsAlternateAlsoAfterOneWasAway) {
  Balancer balancer = balancer_of("ab");
  EXPECT_EQ(turns(balancer, 3), "aba");
  balancer.rebuild(candidates("a"));
  EXPECT_EQ(turns(balancer, 2), "aa");
  balancer.rebuild(candidates("ab"));
  EXPECT_EQ(turns(balancer, 4), "baba");
  balancer.rebuild({});
  EXPECT_EQ(turns(balancer, 1), "-");
  balancer.rebuild(candidates("ab"));
  EXPECT_EQ(turns(balancer, 4), "baba");  // a was the last
}

TEST(RoundRobin, TheShareOfAnEjectedTargetIsSpreadEvenly) {
  Balancer balancer = balancer_of("abcd");
  turns(balancer, 2);
  balancer.rebuild(candidates("acd"));
  std::map<char, int> counts;
  for (const char target : turns(balancer, 300)) ++counts[target];
  EXPECT_EQ(counts, (std::map<char, int>{{'a', 100}, {'c', 100}, {'d', 100}}));
  balancer.rebuild(candidates("abcd"));
  counts.clear();
  for (const char target : turns(balancer, 400)) ++counts[target];
  EXPECT_EQ(counts, (std::map<char, int>{{'a', 100}, {'b', 100}, {'c', 100}, {'d', 100}}));
}

TEST(RoundRobin, NeverGivesWhatWasTried) {
  Balancer balancer = balancer_of("abc");
  EXPECT_EQ(turns(balancer, 4, "b"), "acac");
  EXPECT_EQ(turns(balancer, 2, "ab"), "cc");
  EXPECT_EQ(turns(balancer, 2, "abc"), "--");
  EXPECT_EQ(turns(balancer, 3), "abc");
}

TEST(RoundRobinDeathTest, AnUnorderedListCrashes) {
  Balancer balancer;
  EXPECT_DEATH(balancer.rebuild(candidates("ba")), "ascending");
}

TEST(SlowStart, TheWeightGrowsLinearlyFromAFloor) {
  const Duration duration = std::chrono::seconds(30);
  const auto weight = [&](double second) { return slow_start_weight(at(second).time_since_epoch(), duration); };
  EXPECT_EQ(weight(-1), kSlowStartFloor);
  EXPECT_EQ(weight(0), kSlowStartFloor);
  EXPECT_EQ(weight(0.3), 10'000U);  // 0.3 / 30 is the floor of 1 %
  EXPECT_EQ(weight(3), 100'000U);
  EXPECT_EQ(weight(15), 500'000U);
  EXPECT_EQ(weight(29.9), 996'666U);  // 29.9 / 30 = 0.99666..., rounded down
  EXPECT_EQ(weight(30), kFullWeight);
  EXPECT_EQ(weight(1e6), kFullWeight);
  EXPECT_EQ(slow_start_weight(Duration::zero(), Duration::zero()), kFullWeight);
  // Another floor: 3 of 30 seconds are 10 %, below it.
  EXPECT_EQ(slow_start_weight(std::chrono::seconds(3), duration, kFullWeight / 4), kFullWeight / 4);
  // The longest one does not overflow.
  EXPECT_EQ(slow_start_weight(std::chrono::seconds(450), std::chrono::seconds(900)), 500'000U);
}

TEST(SlowStart, SharesFollowTheWeightsExactly) {
  const struct {
    double second;
    const char* turns;
  } kTable[] = {
      {15, "ababcababc"},           // a half: every other round
      {7.5, "ababababcababababc"},  // a quarter: in the fourth round, and again in the eighth
      {10, "ababababcabababc"},     // 333,333 of a million: a whole one in the fourth round, and three rounds later
      {30, "abcabcabc"},            // over
  };
  for (const auto& row : kTable) {
    Balancer balancer = slow_balancer("abc", "c");
    const std::string expected = row.turns;
    EXPECT_EQ(turns(balancer, static_cast<int>(expected.size()), "", at(row.second)), expected) << row.second;
  }
}

TEST(SlowStart, AThousandTurnsAtATenth) {
  Balancer balancer = slow_balancer("abc", "c");
  // Ten rounds have 10 a, 10 b and 1 c: 100 times 21 picks.
  EXPECT_EQ(counts(turns(balancer, 2100, "", at(3))), (std::map<char, int>{{'a', 1000}, {'b', 1000}, {'c', 100}}));
}

TEST(SlowStart, WhenAllAreInItTheSharesAreRelative) {
  // Since 0 s and since 10 s; at 20 s their weights are 2/3 and 1/3, so one has half of the other: 20 and 10 of 30.
  Balancer balancer;
  balancer.configure(Algorithm::kRoundRobin, std::chrono::seconds(30));
  balancer.rebuild(std::vector<Candidate>{{.target = TargetId{'a'}, .slow_since = at(0)},
                                          {.target = TargetId{'b'}, .slow_since = at(10)}});
  // 333,333 earned a round, 666,666 make a whole one: exactly every second round.
  EXPECT_EQ(turns(balancer, 6, "", at(20)), "aabaab");
  // And alike when they began alike, however low the weight.
  Balancer alike = slow_balancer("ab", "ab");
  EXPECT_EQ(turns(alike, 4, "", at(0)), "abab");
}

TEST(SlowStart, WhatWasEarnedOutlivesARebuild) {
  Balancer balancer = slow_balancer("ab", "b");
  EXPECT_EQ(turns(balancer, 2, "", at(15)), "aa");  // b has earned a half
  std::vector<Candidate> list = candidates("abc");
  list[1].slow_since = Time{};
  balancer.rebuild(list);
  EXPECT_EQ(turns(balancer, 3, "", at(15)), "bca");  // and now the other
  list[1].slow_since = at(15);                       // begun anew
  balancer.rebuild(list);
  EXPECT_EQ(turns(balancer, 2, "", at(15)), "ca");
}

TEST(SlowStart, WhoWasTriedIsNeverChosen) {
  Balancer balancer = slow_balancer("abc", "c");
  EXPECT_EQ(turns(balancer, 2, "ab", at(0)), "cc");
  EXPECT_EQ(turns(balancer, 1, "abc", at(0)), "-");
}

TEST(LeastOutstanding, TheLeastInTurnAmongEquals) {
  Balancer balancer = balancer_of("abcd", Algorithm::kLeastOutstandingRequests);
  EXPECT_EQ(turns(balancer, 5), "abcda");  // all have none
  const auto set = [&](char letter, std::uint32_t outstanding) {
    balancer.set_outstanding(TargetId{static_cast<std::uint32_t>(letter)}, outstanding);
  };
  set('a', 1);
  set('b', 1);
  set('c', 2);
  set('d', 1);
  EXPECT_EQ(turns(balancer, 4), "bdab");  // c has more; the turn goes on behind a
  set('c', 0);
  EXPECT_EQ(turns(balancer, 2), "cc");
  set('x', 7);  // not in the list
  EXPECT_EQ(turns(balancer, 3, "c"), "dab");
  EXPECT_EQ(turns(balancer, 1, "abcd"), "-");
  Balancer empty = balancer_of("", Algorithm::kLeastOutstandingRequests);
  EXPECT_EQ(turns(empty, 1), "-");
}

TEST(LeastOutstanding, ARebuildTakesTheCountsOfTheList) {
  Balancer balancer = balancer_of("ab", Algorithm::kLeastOutstandingRequests);
  std::vector<Candidate> list = candidates("abc");
  list[0].outstanding = 3;
  list[1].outstanding = 1;
  list[2].outstanding = 2;
  balancer.rebuild(list);
  EXPECT_EQ(turns(balancer, 2), "bb");
}

TEST(LeastOutstanding, FindsTargetsWhoseIdsAreFarApartAsWell) {
  // A table by id is kept for dense ids only; both ways must agree, on ids that are in the list and on those beside
  // them.
  for (const std::uint32_t step : {1U, 2U, 3U, 5U, 1000U}) {
    Balancer balancer;
    balancer.configure(Algorithm::kLeastOutstandingRequests, Duration::zero());
    balancer.reserve(10);
    std::vector<Candidate> list;
    for (std::uint32_t i = 0; i < 10; ++i) list.push_back({TargetId{7 + i * step}});
    balancer.rebuild(list);
    Rng random(1);
    for (std::uint32_t id = 0; id < 8 + 10 * step; ++id) {
      const bool in_list = id >= 7 && (id - 7) % step == 0 && (id - 7) / step < 10;
      for (const Candidate& one : list) balancer.set_outstanding(one.target, 2);
      balancer.set_outstanding(TargetId{id}, 1);
      const auto picked = balancer.pick(Time{}, random);
      ASSERT_TRUE(picked);
      ASSERT_EQ(picked->value == id, in_list) << id << " of steps of " << step;
    }
  }
}

TEST(LoadTree, FindsWhatALookAtAllFinds) {
  Rng random(7);
  for (std::size_t places = 1; places <= 70; ++places) {
    LoadTree tree;
    tree.clear(places);
    std::vector<std::uint32_t> loads(places, 0);
    for (int step = 0; step < 100; ++step) {
      const std::size_t place = random.below(places);
      loads[place] = static_cast<std::uint32_t>(random.below(4));
      tree.set(place, loads[place]);
      const std::size_t from = random.below(places);
      const std::uint32_t least = *std::min_element(loads.begin(), loads.end());
      std::size_t expected = from;
      while (loads[expected] != least) expected = (expected + 1) % places;
      ASSERT_EQ(tree.least_from(from), expected) << places << " places, step " << step;
    }
  }
}

TEST(WeightedRandom, IsEvenAndNeverGivesWhatWasTried) {
  Balancer balancer = balancer_of("abcd", Algorithm::kWeightedRandom);
  Rng random(1);
  std::map<char, int> all, without_b;
  for (int i = 0; i < 40'000; ++i) {
    ++all[static_cast<char>(balancer.pick(Time{}, random)->value)];
    ++without_b[static_cast<char>(balancer.pick(Time{}, random, targets("b"))->value)];
  }
  // 40,000 draws of 4: standard deviation sqrt(40,000 x 1/4 x 3/4) = 86.6; of 3: 94.3. Five of them.
  ASSERT_EQ(all.size(), 4U);
  for (const auto& [target, count] : all) EXPECT_NEAR(count, 10'000, 433) << target;
  ASSERT_EQ(without_b.size(), 3U);
  for (const auto& [target, count] : without_b) EXPECT_NEAR(count, 13'333, 472) << target;
  EXPECT_EQ(without_b.count('b'), 0U);
  EXPECT_EQ(balancer.pick(Time{}, random, targets("abcd")), std::nullopt);
  EXPECT_EQ(Balancer().pick(Time{}, random), std::nullopt);
}

TEST(WeightedRandom, FollowsTheWeights) {
  Balancer balancer;
  balancer.configure(Algorithm::kWeightedRandom, Duration::zero());
  std::vector<Candidate> list = candidates("abc");
  list[1].weight = kAnomalousWeight;
  balancer.rebuild(list);
  Rng random(1);
  std::map<char, int> all, without_a;
  for (int i = 0; i < 41'000; ++i) {
    ++all[static_cast<char>(balancer.pick(Time{}, random)->value)];
    ++without_a[static_cast<char>(balancer.pick(Time{}, random, targets("a"))->value)];
  }
  // Weights 1, 0.05 and 1 of 2.05: 20,000, 1,000 and 20,000. Standard deviations sqrt(41,000 x p x (1 - p)): 101, 31.
  EXPECT_NEAR(all['a'], 20'000, 505);
  EXPECT_NEAR(all['b'], 1'000, 155);
  EXPECT_NEAR(all['c'], 20'000, 505);
  // Without a: 0.05 of 1.05 of 41,000 is 1,952; 43.
  EXPECT_NEAR(without_a['b'], 1'952, 215);
}

TEST(AlgorithmNames, AreReadAndWrittenBack) {
  for (const char* name : {"round_robin", "least_outstanding_requests", "weighted_random"}) {
    ASSERT_TRUE(parse_algorithm(name)) << name;
    EXPECT_EQ(to_string(*parse_algorithm(name)), name);
  }
  EXPECT_EQ(parse_algorithm("Round_robin"), std::nullopt);
  EXPECT_EQ(parse_algorithm(""), std::nullopt);
}

}  // namespace
}  // namespace rr
