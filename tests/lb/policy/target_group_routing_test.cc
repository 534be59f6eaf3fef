// Whom a target group gives requests to: zones, thresholds, zonal shifts, slow start, outstanding requests, anomalies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "lb/policy/target_group.h"
#include "tests/lb/policy/target_group_story.h"

namespace rr {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

/// Targets of one letter each: a to m stand in zone A, n to z in zone B, others in none.
TargetSpec spec(char letter) {
  TargetSpec result;
  result.id = std::string(1, letter);
  result.address = Address::v4(172, 31, 16, static_cast<std::uint8_t>(letter), 8080);
  result.wire = result.address;
  if (letter >= 'a' && letter <= 'z') result.zone = letter <= 'm' ? "A" : "B";
  return result;
}

/// Interval 10 s, thresholds of 2, deregistration delay 30 s.
TargetGroupSettings settings() {
  return {.health_check = {.interval = seconds(10), .healthy_threshold = 2, .unhealthy_threshold = 2},
          .deregistration_delay = seconds(30)};
}

struct Story {
  Journal journal;
  TargetGroup group;
  Rng random{1};
  double probed = -10;

  explicit Story(const TargetGroupSettings& chosen, const GroupPlace& place = {}) : group(chosen, &journal) {
    group.set_place(at(0), place);
  }

  void set(double now, const std::string& letters) {
    std::vector<TargetSpec> specs;
    for (const char letter : letters) specs.push_back(spec(letter));
    group.set_targets(at(now), specs);
  }
  TargetId id(char letter) const { return group.find(std::string(1, letter), 8080).value_or(TargetId{}); }

  void probe(double now, const std::string& good) { perform_probes(group, at(now), good); }
  /// All that are registered at second 0 have made up their minds at second 10.
  void begin(const std::string& letters, const std::string& good) {
    set(0, letters);
    probe(0, good);
    probe(10, good);
  }

  std::string picks(double now, int count) { return pick_letters(group, at(now), random, count); }
  /// Those that a pick may choose; the same as accepts() says.
  std::string routable(double now) {
    std::string letters = picks(now, static_cast<int>(2 * group.status().size()));
    std::sort(letters.begin(), letters.end());
    letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
    std::string accepted;
    for (const TargetStatus& one : group.status()) {
      if (group.accepts(one.target)) accepted += one.spec.id;
    }
    std::sort(accepted.begin(), accepted.end());
    EXPECT_EQ(letters == "-" ? "" : letters, accepted);
    return accepted;
  }
  const TargetStatus status(char letter) const {
    for (const TargetStatus& one : group.status()) {
      if (one.spec.id[0] == letter) return one;
    }
    return {};
  }
};

TargetGroupSettings without_cross_zone() {
  TargetGroupSettings result = settings();
  result.cross_zone = false;
  return result;
}

TEST(CrossZone, OffANodeUsesItsOwnZonesTargetsOnly) {
  for (const char* zone : {"A", "B"}) {
    Story story(without_cross_zone(), {.zone = zone});
    story.begin("abno", "abno");
    EXPECT_EQ(story.routable(10), std::string(zone) == "A" ? "ab" : "no");
  }
  Story nowhere(without_cross_zone());
  nowhere.begin("abno", "abno");
  EXPECT_EQ(nowhere.routable(10), "abno") << "a node of no zone knows no other";
  Story on(settings(), {.zone = "A"});
  on.begin("abno", "abno");
  EXPECT_EQ(on.routable(10), "abno");
}

TEST(CrossZone, OffAnEmptyZoneIsNoTarget) {
  Story story(without_cross_zone(), {.zone = "B"});
  story.begin("ab", "ab");
  EXPECT_EQ(story.picks(10, 2), "--");
  EXPECT_FALSE(story.group.failing_open());
}

TEST(CrossZone, OffATargetOfNoZoneIsEverybodys) {
  Story story(without_cross_zone(), {.zone = "B"});
  story.begin("a1n", "a1n");
  EXPECT_EQ(story.routable(10), "1n");
}

TEST(CrossZone, OffItFailsOpenWithinItsZone) {
  Story story(without_cross_zone(), {.zone = "B"});
  story.begin("abno", "ab");
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.routable(10), "no");
  Story other(without_cross_zone(), {.zone = "A"});
  other.begin("abno", "ab");
  EXPECT_FALSE(other.group.failing_open());
}

TEST(CrossZone, MayBeChangedAndATargetMayMove) {
  Story story(without_cross_zone(), {.zone = "A"});
  story.begin("an", "an");
  EXPECT_EQ(story.routable(10), "a");
  story.group.configure(at(11), settings());
  EXPECT_EQ(story.routable(11), "an");
  story.group.configure(at(12), without_cross_zone());
  TargetSpec moved = spec('n');
  moved.zone = "A";
  story.group.set_targets(at(13), std::vector{spec('a'), moved});
  EXPECT_EQ(story.routable(13), "an");
}

// AWS's example: two zones of 10 targets, both thresholds 50 %, 6 targets of B fail.
TEST(UnhealthyStateRouting, TheExampleOfAws) {
  const std::string all = "abcdefghijnopqrstuvw", good = "abcdefghijnopq";
  TargetGroupSettings half = without_cross_zone();
  half.dns_failover = half.unhealthy_state_routing = {1, 50};
  Story off(half, {.zone = "B"});
  off.begin(all, good);
  EXPECT_TRUE(off.group.failing_open());  // 4 of 10
  EXPECT_EQ(off.routable(10), "nopqrstuvw");
  Story other(half, {.zone = "A"});
  other.begin(all, good);
  EXPECT_EQ(other.routable(10), "abcdefghij");
  half.cross_zone = true;
  Story on(half, {.zone = "B"});
  on.begin(all, good);
  EXPECT_FALSE(on.group.failing_open());  // 14 of 20 are 70 %
  EXPECT_EQ(on.routable(10), good);
  EXPECT_THAT(on.group.zone_health().zones, ElementsAre(ZoneCount{"A", 10, 10}, ZoneCount{"B", 10, 4}));
}

TEST(UnhealthyStateRouting, EitherThresholdBreachedIsEnough) {
  const struct {
    int count;
    std::optional<int> percentage;
    const char* good;  // of abcd
    bool fails_open;
  } kTable[] = {
      {1, std::nullopt, "a", false}, {2, std::nullopt, "a", true}, {1, 50, "a", true},
      {1, 50, "ab", false},          {3, 50, "ab", true},          {1, 26, "a", true},
      {1, 25, "a", false},           {4, 100, "abcd", false},  // nobody beside the healthy ones
      {9, 100, "abcd", false},
  };
  for (const auto& row : kTable) {
    TargetGroupSettings chosen = settings();
    chosen.unhealthy_state_routing = {row.count, row.percentage};
    Story story(chosen);
    story.begin("abcd", row.good);
    EXPECT_EQ(story.group.failing_open(), row.fails_open) << row.count << " " << row.good;
    EXPECT_EQ(story.routable(10), row.fails_open ? "abcd" : row.good);
  }
}

TEST(UnhealthyStateRouting, ItsRequestsAreCounted) {
  Story story(settings());
  story.begin("ab", "a");
  story.group.started(story.id('a'));
  EXPECT_EQ(story.group.unhealthy_routing_requests(), 0U);
  story.probe(20, "");
  story.probe(30, "");
  story.group.started(story.id('a'));
  story.group.started(story.id('b'));
  EXPECT_EQ(story.group.unhealthy_routing_requests(), 2U);
}

GroupPlace shifted(const std::string& zone, double expires, const std::string& own = "A") {
  return {.zone = own, .zonal_shift = ZonalShift{zone, at(expires)}};
}

TEST(ZonalShift, NoNodeUsesTheZonesTargetsUntilItExpires) {
  for (const char* own : {"A", "B", ""}) {
    Story story(settings());
    story.begin("abno", "abno");
    story.group.set_place(at(11), shifted("B", 15, own));
    EXPECT_EQ(story.routable(11), "ab");
    EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kZonalShiftActive);
    EXPECT_EQ(story.status('n').health.state, TargetState::kHealthy) << "it is still checked";
    EXPECT_EQ(story.status('a').administrative_override, AdministrativeOverride::kNoOverride);
    EXPECT_EQ(story.group.next_wake(), at(15)) << "somebody must notice that it ends";
    EXPECT_EQ(story.routable(14.999), "ab");
    EXPECT_EQ(story.routable(15), "abno");
    EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kNoOverride);
    EXPECT_EQ(story.group.next_wake(), at(20));
  }
}

TEST(ZonalShift, EndsAlsoWhereNobodyAsks) {
  Story story(settings(), shifted("B", 15));
  story.begin("an", "an");
  std::vector<TargetId> none;
  story.group.expire_drains(at(15), none);
  EXPECT_TRUE(story.group.accepts(story.id('n')));
  story.group.set_place(at(16), shifted("B", 15));  // over when it comes
  EXPECT_TRUE(story.group.accepts(story.id('n')));
}

TEST(ZonalShift, HasNoEffectOnAGroupOfOneZone) {
  Story story(settings(), shifted("B", 100));
  story.begin("no", "no");
  EXPECT_EQ(story.routable(10), "no");
  EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kNoOverride);
  story.set(11, "noa");  // now it has two
  story.probe(20, "noa");
  EXPECT_EQ(story.routable(20), "a");
  story.set(21, "no");
  EXPECT_EQ(story.routable(21), "no");
}

TEST(ZonalShift, WithoutCrossZoneIsLeftToDns) {
  Story story(without_cross_zone(), shifted("B", 100, "B"));
  story.begin("an", "an");
  EXPECT_EQ(story.routable(10), "n") << "who still comes to this node is served";
  EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kZonalShiftDelegatedToDns);
  EXPECT_EQ(to_string(story.status('n').administrative_override), "zonal_shift_delegated_to_dns");
}

TEST(ZonalShift, HasNoEffectWhereTheOthersWouldFailOpen) {
  Story story(settings(), shifted("B", 100));
  story.begin("abn", "n");
  EXPECT_EQ(story.routable(10), "n");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kNoOverride);
  for (const double then : {20, 30, 40, 50, 60}) story.probe(then, "an");
  EXPECT_EQ(story.routable(60), "a") << "it is healthy now";
  EXPECT_EQ(story.status('n').administrative_override, AdministrativeOverride::kZonalShiftActive);
}

TEST(ZonalShift, HasNoEffectWhereNobodyIsHealthy) {
  Story story(settings(), shifted("B", 100));
  story.begin("abn", "");
  EXPECT_TRUE(story.group.failing_open());
  EXPECT_EQ(story.routable(10), "abn");
}

TEST(ZonalShift, EndsItsEffectWithTheLastHealthyTargetElsewhere) {
  Story story(settings(), shifted("B", 100));
  story.begin("an", "an");
  EXPECT_EQ(story.routable(10), "a");
  story.set(11, "n");  // a drains
  EXPECT_EQ(story.routable(11), "n");
}

TargetGroupSettings slow_start() {
  TargetGroupSettings result = settings();
  result.slow_start = seconds(30);
  return result;
}

TEST(SlowStartOfAGroup, BeginsBesideOthersOnly) {
  Story together(slow_start());
  together.begin("ab", "ab");
  EXPECT_EQ(together.picks(10, 4), "abab") << "who comes to an empty group does not start slowly";
  together.set(11, "abc");
  together.probe(20, "abc");  // c is healthy now
  // 1 % of a turn each round.
  EXPECT_EQ(together.picks(20, 8), "abababab");
  // After 15 of 30 s a half a turn: c had 4 % already, has 54 % now and 104 % a round later.
  EXPECT_EQ(together.picks(35, 5), "abcab");
  EXPECT_EQ(together.picks(50, 6), "cabcab") << "it is over";
}

TEST(SlowStartOfAGroup, BeginsAnewWhenATargetReturns) {
  Story story(slow_start());
  story.begin("ab", "ab");
  for (const double second : {20, 30}) story.probe(second, "a");
  EXPECT_EQ(story.picks(30, 2), "aa");
  for (const double second : {40, 50}) story.probe(second, "ab");
  EXPECT_EQ(story.picks(50, 20), std::string(20, 'a'));
  for (const double second : {60, 70}) story.probe(second, "ab");
  EXPECT_EQ(story.picks(80, 4), "baba") << "30 s later it is over";
  for (const double second : {80, 90}) story.probe(second, "a");
  for (const double second : {100, 110}) story.probe(second, "ab");
  EXPECT_EQ(story.picks(110, 20), std::string(20, 'a')) << "and from the beginning";
}

TEST(SlowStartOfAGroup, DoesNotConcernWhoIsHealthyWhenItIsSwitchedOn) {
  Story story(settings());
  story.begin("ab", "ab");
  story.group.configure(at(11), slow_start());
  EXPECT_EQ(story.picks(11, 4), "abab");
  story.set(12, "abc");
  story.probe(20, "abc");
  EXPECT_EQ(story.picks(20, 4), "abab");
  story.group.configure(at(21), settings());
  EXPECT_EQ(story.picks(21, 3), "cab") << "switched off it is over for all";
}

TEST(SlowStartOfAGroup, AllInItIsNobodyBesideThem) {
  Story story(slow_start());
  story.begin("a", "a");
  story.set(11, "ab");
  story.probe(20, "ab");  // b begins slowly
  story.probe(30, "b");
  story.probe(40, "b");  // a is ejected
  EXPECT_EQ(story.picks(40, 2), "bb");
  story.set(41, "abc");
  story.probe(41, "abc");  // c comes while nobody is outside
  EXPECT_EQ(story.group.status()[2].health.state, TargetState::kHealthy);
  // b is at 21/30 and c at full: in 10 rounds 10 c and 7 b.
  const std::string picked = story.picks(41, 17);
  EXPECT_EQ(std::count(picked.begin(), picked.end(), 'b'), 7);
  EXPECT_EQ(std::count(picked.begin(), picked.end(), 'c'), 10);
}

TEST(LeastOutstandingOfAGroup, FollowsWhatIsInProgress) {
  TargetGroupSettings least = settings();
  least.algorithm = Algorithm::kLeastOutstandingRequests;
  Story story(least);
  story.begin("abc", "abc");
  const auto start = [&](int count) {
    std::string letters;
    for (int i = 0; i < count; ++i) {
      const TargetId target = *story.group.pick(at(10), story.random);
      story.group.started(target);
      letters += story.group.find(target)->id;
    }
    return letters;
  };
  EXPECT_EQ(start(4), "abca");
  story.group.finished(story.id('c'));
  EXPECT_EQ(start(2), "cb");  // c has none; then a has 2, b and c have 1, and after c b is next
  story.set(11, "abcd");
  story.probe(20, "abcd");
  EXPECT_EQ(start(3), "dcd");  // 2, 2, 1 and none: d; then c and d have 1, and after d c is next; then d alone
}

TEST(AnomaliesOfAGroup, AreMitigatedByWeight) {
  TargetGroupSettings random = settings();
  random.algorithm = Algorithm::kWeightedRandom;
  random.anomaly_mitigation = true;
  Story story(random);
  story.begin("abc", "abc");
  const auto traffic = [&](double now, int count) {
    std::map<std::string, int> counts;
    for (int i = 0; i < count; ++i) {
      const TargetId target = *story.group.pick(at(now), story.random);
      const std::string name = story.group.find(target)->id;
      story.group.started(target);
      story.group.finished(target, name == "c" ? TargetResult::kFailed : TargetResult::kGood);
      ++counts[name];
    }
    return counts;
  };
  traffic(10, 300);
  EXPECT_FALSE(story.status('c').anomalous);
  // Judged after 5 s. Weights 1, 1 and 0.05: c gets 4,100 x 0.05 / 2.05 = 100 but for 5 x sqrt(100) = 50.
  EXPECT_NEAR(traffic(15, 4100)["c"], 100, 50);
  EXPECT_TRUE(story.status('c').anomalous);
  EXPECT_TRUE(story.status('c').mitigation_in_effect);
  EXPECT_EQ(story.status('c').health.state, TargetState::kHealthy) << "health is another matter";
  EXPECT_FALSE(story.status('a').anomalous);
  const std::string line = story.journal.lines().back().event;
  EXPECT_EQ(line.substr(0, 19), "normal -> anomalous") << line;
}

TEST(AnomaliesOfAGroup, AreDetectedWithEveryAlgorithm) {
  Story story(settings());
  story.begin("abc", "abc");
  for (int i = 0; i < 60; ++i) {
    const TargetId target = *story.group.pick(at(10), story.random);
    story.group.started(target);
    story.group.finished(target, target == story.id('c') ? TargetResult::kFailed : TargetResult::kGood);
  }
  EXPECT_EQ(story.picks(15, 6), "abcabc");
  EXPECT_TRUE(story.status('c').anomalous);
  EXPECT_FALSE(story.status('c').mitigation_in_effect);
}

TEST(NotInUse, ATargetIsNeitherCheckedNorUsed) {
  Story story(settings(), {.in_use = false});
  story.set(0, "ab");
  EXPECT_EQ(story.group.next_wake(), std::nullopt);
  EXPECT_EQ(story.routable(0), "");
  EXPECT_FALSE(story.group.failing_open());
  EXPECT_TRUE(story.group.zone_health().zones.empty());
  EXPECT_EQ(story.status('a').health, (Health{TargetState::kUnused, TargetReason::kNotInUse, 0}));
  EXPECT_EQ(describe(story.status('a').health),
            "Target group is not configured to receive traffic from the load balancer");
  story.group.set_place(at(5), {});
  EXPECT_EQ(story.group.next_wake(), at(5));
  story.probe(5, "ab");
  EXPECT_EQ(story.routable(5), "ab");
  story.group.set_place(at(6), {.in_use = false});
  EXPECT_EQ(story.routable(6), "");
  story.group.set_place(at(7), {});
  EXPECT_EQ(story.status('a').health.state, TargetState::kInitial) << "what it was is forgotten";
  story.group.set_place(at(8), {.in_use = false});
  story.set(9, "");
  EXPECT_EQ(story.status('a').health.state, TargetState::kDraining);
  story.group.set_place(at(10), {});
  std::vector<TargetId> gone;
  story.group.expire_drains(at(39), gone);
  EXPECT_EQ(gone.size(), 2U);
}

TEST(NotInUse, AZoneThatIsNotEnabled) {
  Story story(settings(), {.zone = "A", .enabled_zones = {"A"}});
  story.begin("an1", "an1");
  EXPECT_EQ(story.routable(10), "1a");
  EXPECT_EQ(story.status('n').health.state, TargetState::kUnused);
  EXPECT_EQ(to_string(story.status('n').health.reason), "Target.NotInUse");
  EXPECT_EQ(describe(story.status('n').health),
            "Target is in an Availability Zone that is not enabled for the load balancer");
  TargetSpec moved = spec('n');
  moved.zone = "A";
  story.group.set_targets(at(11), std::vector{spec('a'), moved});
  EXPECT_EQ(story.status('n').health.state, TargetState::kInitial);
}

TEST(PropagationDelay, RequestsGoOnThoughTheTargetIsShownAsDraining) {
  Story story(settings(), {.propagation_delay = seconds(5)});
  story.begin("ab", "ab");
  story.set(11, "b");
  EXPECT_EQ(story.status('a').health.state, TargetState::kDraining);
  EXPECT_EQ(story.status('a').drain_ends, at(41));
  EXPECT_EQ(story.routable(11), "ab");
  EXPECT_EQ(story.routable(15.999), "ab");
  EXPECT_EQ(story.routable(16), "b");
  EXPECT_THAT(story.group.zone_health().zones, ElementsAre(ZoneCount{"A", 1, 1}));
}

TEST(PropagationDelay, IsNotCutByAShorterDeregistrationDelay) {
  TargetGroupSettings none = settings();
  none.deregistration_delay = Duration::zero();
  Story story(none, {.propagation_delay = seconds(5)});
  story.begin("a", "a");
  story.set(11, "");
  EXPECT_EQ(story.status('a').drain_ends, at(16));
  EXPECT_EQ(story.picks(15, 1), "a");
  std::vector<TargetId> gone;
  story.group.expire_drains(at(16), gone);
  EXPECT_EQ(gone.size(), 1U);
  EXPECT_EQ(story.picks(16, 1), "-");
}

}  // namespace
}  // namespace rr
