#include "deploy/rollout/tally.h"

#include <gtest/gtest.h>

namespace rr::deploy {
namespace {

const Released kNew{"7", "", "", "new", "28", std::nullopt};
const Released kOld{"6", "", "", "old", "27", std::nullopt};

Answer answer(const std::string& commit, const std::string& build, const std::string& instance) {
  Answer one;
  one.status = 200;
  one.commit = commit;
  one.build = build;
  one.instance = instance;
  return one;
}

Verification rules() {
  Verification rules;
  rules.answers = 3;
  rules.instances = 2;
  rules.allowed_failures = 2;
  return rules;
}

TEST(Tally, IsVerifiedByEnoughAnswersOneAfterAnotherFromEnoughInstances) {
  Tally tally(rules());
  tally.expect(kNew, kOld);
  for (int at = 0; at < 5; ++at) tally.add(answer("new", "28", "a"));
  EXPECT_FALSE(tally.verified(2)) << "one instance alone proves one instance";
  EXPECT_EQ(tally.shortfall(2), "3 of 3 right answers one after another, from 1 of 2 instances") << "no more than all";
  tally.add(answer("new", "28", "b"));
  EXPECT_TRUE(tally.verified(2));
}

TEST(Tally, AnOldAnswerBeginsTheRunAnew) {
  Tally tally(rules());
  tally.expect(kNew, kOld);
  for (const char* instance : {"a", "b", "a"}) tally.add(answer("new", "28", instance));
  EXPECT_TRUE(tally.verified(2));
  tally.add(answer("old", "27", "c"));
  EXPECT_FALSE(tally.verified(2));
  EXPECT_NE(tally.shortfall(2).find("the last answer was old build 27"), std::string::npos) << tally.shortfall(2);
  for (const char* instance : {"a", "b"}) tally.add(answer("new", "28", instance));
  EXPECT_FALSE(tally.verified(2)) << "two of three";
}

TEST(Tally, TheSameCommitOfAnotherBuildIsNotTheWantedOne) {
  Tally tally(rules());
  tally.expect({"7", "", "", "same", "28", std::nullopt}, {"6", "", "", "same", "27", std::nullopt});
  for (const char* instance : {"a", "b", "a"}) tally.add(answer("same", "27", instance));
  EXPECT_FALSE(tally.verified(2));
  for (const char* instance : {"a", "b", "a"}) tally.add(answer("same", "28", instance));
  EXPECT_TRUE(tally.verified(2));
}

TEST(Tally, TripsAtOneFailureMoreThanAllowedSinceItWasToldWhatToExpect) {
  Answer failed;
  failed.status = 502;
  Tally tally(rules());
  for (int at = 0; at < 3; ++at) tally.add(failed);
  EXPECT_TRUE(tally.trip());
  tally.expect(kNew, kOld);
  tally.add(failed);
  tally.add(failed);
  EXPECT_FALSE(tally.trip()) << "two are allowed";
  tally.add(failed);
  ASSERT_TRUE(tally.trip());
  EXPECT_NE(tally.trip()->find("HTTP 502"), std::string::npos);
  EXPECT_EQ(tally.failed(), 6u) << "the sums are never reset";
}

TEST(Tally, AThirdVersionTripsWhenItComesAgainAndAgain) {
  Tally tally(rules());
  tally.expect(kNew, kOld);
  for (int at = 0; at < 4; ++at) {
    tally.add(answer("other", "1", "a"));
    tally.add(answer("old", "27", "b"));
  }
  EXPECT_FALSE(tally.trip()) << "four may be strays";
  tally.add(answer("other", "1", "a"));
  ASSERT_TRUE(tally.trip());
  EXPECT_NE(tally.trip()->find("other build 1"), std::string::npos);
}

TEST(Tally, WithoutAFormerCommitNoAnswerIsForeign) {
  Tally tally(rules());
  tally.expect(kNew, {});
  for (int at = 0; at < 10; ++at) tally.add(answer("anything", "", "a"));
  EXPECT_FALSE(tally.trip());
  EXPECT_FALSE(tally.verified(1));
}

TEST(Tally, AnswersThatNameNoInstanceMustBeAsManyForEachOfThem) {
  Tally tally(rules());
  tally.expect(kNew, kOld);
  for (int at = 0; at < 5; ++at) tally.add(answer("new", "", ""));
  EXPECT_FALSE(tally.verified(2)) << "three for each of two";
  EXPECT_EQ(tally.shortfall(2), "5 of 6 right answers one after another, which do not say whose they are");
  tally.add(answer("new", "", ""));
  EXPECT_TRUE(tally.verified(2));
  EXPECT_FALSE(tally.verified(3));
  tally.add(answer("old", "", ""));
  EXPECT_FALSE(tally.verified(2)) << "the run begins anew";
}

TEST(Tally, OneAnswerThatNamesItsInstanceMakesInstancesCount) {
  Tally tally(rules());
  tally.expect(kNew, kOld);
  for (int at = 0; at < 9; ++at) tally.add(answer("new", "28", at == 4 ? "a" : ""));
  EXPECT_FALSE(tally.verified(2)) << "one instance of two";
  EXPECT_EQ(tally.shortfall(2), "3 of 3 right answers one after another, from 1 of 2 instances") << "no more than all";
  tally.add(answer("new", "28", "b"));
  EXPECT_TRUE(tally.verified(2));
}

TEST(Tally, AnApplicationThatDoesNotSayItsVersionIsVerifiedByItsAnswers) {
  Verification silent = rules();
  silent.commits_known = false;
  Tally tally(silent);
  tally.expect(kNew, kOld);
  for (int at = 0; at < 3; ++at) tally.add(answer("", "", ""));
  EXPECT_TRUE(tally.verified(2));
}

}  // namespace
}  // namespace rr::deploy
