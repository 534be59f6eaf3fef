#include "lb/policy/balancer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace rr {
namespace {

std::vector<TargetId> targets(const std::string& letters) {
  std::vector<TargetId> result;
  for (const char letter : letters) result.push_back(TargetId{static_cast<std::uint32_t>(letter)});
  return result;
}

/// "abab": the targets of so many picks, '-' where there was none.
std::string turns(Balancer& balancer, int count, const std::string& tried = "") {
  std::string result;
  for (int i = 0; i < count; ++i) {
    const auto target = balancer.pick_in_turn(targets(tried));
    result += target ? static_cast<char>(target->value) : '-';
  }
  return result;
}

Balancer balancer_of(const std::string& letters) {
  Balancer balancer;
  balancer.rebuild(targets(letters));
  return balancer;
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
    balancer.rebuild(targets(row.after));
    EXPECT_EQ(turns(balancer, 4), row.then) << row.before << " " << row.picks << " " << row.after;
  }
}

TEST(RoundRobin, TwoTargetsAlternateAlsoAfterOneWasAway) {
  Balancer balancer = balancer_of("ab");
  EXPECT_EQ(turns(balancer, 3), "aba");
  balancer.rebuild(targets("a"));
  EXPECT_EQ(turns(balancer, 2), "aa");
  balancer.rebuild(targets("ab"));
  EXPECT_EQ(turns(balancer, 4), "baba");
  balancer.rebuild({});
  EXPECT_EQ(turns(balancer, 1), "-");
  balancer.rebuild(targets("ab"));
  EXPECT_EQ(turns(balancer, 4), "baba");  // a was the last
}

TEST(RoundRobin, TheShareOfAnEjectedTargetIsSpreadEvenly) {
  Balancer balancer = balancer_of("abcd");
  turns(balancer, 2);
  balancer.rebuild(targets("acd"));
  std::map<char, int> counts;
  for (const char target : turns(balancer, 300)) ++counts[target];
  EXPECT_EQ(counts, (std::map<char, int>{{'a', 100}, {'c', 100}, {'d', 100}}));
  balancer.rebuild(targets("abcd"));
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
  EXPECT_DEATH(balancer.rebuild(targets("ba")), "ascending");
}

TEST(WeightedRandom, IsEvenAndNeverGivesWhatWasTried) {
  const Balancer balancer = balancer_of("abcd");
  Rng random(1);
  std::map<char, int> all, without_b;
  for (int i = 0; i < 40'000; ++i) {
    ++all[static_cast<char>(balancer.pick_at_random(random)->value)];
    ++without_b[static_cast<char>(balancer.pick_at_random(random, targets("b"))->value)];
  }
  // 40,000 draws of 4: standard deviation sqrt(40,000 x 1/4 x 3/4) = 86.6; of 3: 94.3. Five of them.
  ASSERT_EQ(all.size(), 4U);
  for (const auto& [target, count] : all) EXPECT_NEAR(count, 10'000, 433) << target;
  ASSERT_EQ(without_b.size(), 3U);
  for (const auto& [target, count] : without_b) EXPECT_NEAR(count, 13'333, 472) << target;
  EXPECT_EQ(without_b.count('b'), 0U);
  EXPECT_EQ(balancer.pick_at_random(random, targets("abcd")), std::nullopt);
  EXPECT_EQ(Balancer().pick_at_random(random), std::nullopt);
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
