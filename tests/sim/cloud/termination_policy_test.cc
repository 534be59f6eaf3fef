// Who is terminated, exhaustively for groups of 1 to 10 instances of two template versions over 2 and 3 zones.
#include "sim/cloud/termination_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <set>

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::hours(500'000)};

Instance make(int number, const std::string& zone, int version, Duration age,
              const std::string& launch_template = "web") {
  Instance instance;
  instance.id = InstanceId("i-" + std::to_string(number));
  instance.zone = ZoneName(zone);
  instance.template_name = launch_template;
  instance.template_version = version;
  instance.launched = kNow - age;
  return instance;
}

std::vector<const Instance*> pointers(const std::deque<Instance>& instances) {
  std::vector<const Instance*> found;
  for (const Instance& instance : instances) found.push_back(&instance);
  return found;
}

std::vector<ZoneLoad> loads(const std::deque<Instance>& instances) {
  std::map<ZoneName, int> counts;
  for (const Instance& instance : instances) ++counts[instance.zone];
  std::vector<ZoneLoad> zones;
  for (const auto& [zone, count] : counts) zones.push_back({zone, count, true});
  return zones;
}

std::string victim(const std::deque<Instance>& instances, std::vector<TerminationPolicy> policies,
                   std::uint64_t seed = 1) {
  Rng rng(seed);
  return Victims(pointers(instances), policies, {"web", 2}, kNow, 1h).take(loads(instances), rng).id.value;
}

/// Calls for every way to put `total` instances into `cells` cells.
void every_filling(int cells, int total, const std::function<void(const std::vector<int>&)>& call,
                   std::vector<int> so_far = {}) {
  if (cells == 1) {
    so_far.push_back(total);
    return call(so_far);
  }
  for (int here = 0; here <= total; ++here) {
    std::vector<int> next = so_far;
    next.push_back(here);
    every_filling(cells - 1, total - here, call, next);
  }
}

TEST(TerminationPolicy, TheDefaultTakesTheOldestVersionOfAFullestZoneClosestToItsNextHour) {
  int groups = 0;
  for (int zones = 2; zones <= 3; ++zones) {
    for (int total = 1; total <= 10; ++total) {
      every_filling(zones * 2, total, [&](const std::vector<int>& cells) {
        std::deque<Instance> instances;
        for (std::size_t cell = 0; cell < cells.size(); ++cell) {
          for (int i = 0; i < cells[cell]; ++i) {
            const int number = static_cast<int>(instances.size());
            // Ages of 1, 6, 11 ... 51 minutes in an order that has nothing to do with the cells: all different.
            const Duration age = std::chrono::minutes(1 + 5 * ((number * 3) % 11));
            instances.push_back(make(number, "zone-" + std::to_string(cell / 2), static_cast<int>(cell % 2) + 1, age));
          }
        }
        const std::vector<ZoneLoad> zone_loads = loads(instances);
        Rng rng(1);
        Victims victims(pointers(instances), {TerminationPolicy::kDefault}, {"web", 2}, kNow, 1h);
        const Instance& chosen = victims.take(zone_loads, rng);
        int most = 0;
        for (const ZoneLoad& zone : zone_loads) most = std::max(most, zone.instances);
        for (const Instance& other : instances) {
          const auto load = std::find_if(zone_loads.begin(), zone_loads.end(),
                                         [&](const ZoneLoad& z) { return z.zone == other.zone; });
          if (load->instances < most) {
            ASSERT_NE(chosen.id, other.id) << "the zone step comes first";
            continue;
          }
          ASSERT_LE(chosen.template_version, other.template_version);
          if (chosen.template_version == other.template_version) {
            ASSERT_LE(chosen.launched, other.launched);
          }
        }
        EXPECT_EQ(rng, Rng(1)) << "no chance where nothing is equal";
        ++groups;
      });
    }
  }
  // Sum over n = 1..10 of C(n + 3, 3) and of C(n + 5, 5): C(14, 4) - 1 + C(16, 6) - 1.
  EXPECT_EQ(groups, 1'000 + 8'007);
}

TEST(TerminationPolicy, TheZoneStepCanKeepAnOldInstance) {
  const std::deque<Instance> instances{make(1, "a", 1, 50min), make(2, "b", 2, 5min), make(3, "b", 2, 6min)};
  EXPECT_EQ(victim(instances, {TerminationPolicy::kDefault}), "i-3") << "the older one of its zone";
}

TEST(TerminationPolicy, EachPolicyHasItsVictim) {
  // 1: old version, 61 min old: 59 min to its next hour.  2: current, 55 min old: 5 min to it.  3: another template.
  const std::deque<Instance> instances{make(1, "a", 1, 61min), make(2, "a", 2, 55min), make(3, "a", 7, 30min, "other")};
  const std::deque<Instance> same_template{instances[0], instances[1]};
  using P = TerminationPolicy;
  EXPECT_EQ(victim(instances, {P::kDefault}), "i-3") << "not the group's template";
  EXPECT_EQ(victim(same_template, {P::kDefault}), "i-1") << "the oldest version";
  EXPECT_EQ(victim(instances, {P::kOldestInstance}), "i-1");
  EXPECT_EQ(victim(instances, {P::kNewestInstance}), "i-3");
  EXPECT_EQ(victim(instances, {P::kOldestLaunchTemplate}), "i-3");
  EXPECT_EQ(victim(same_template, {P::kOldestLaunchTemplate}), "i-1");
  EXPECT_EQ(victim(instances, {P::kClosestToNextInstanceHour}), "i-2");
  EXPECT_EQ(victim(same_template, {P::kNewestInstance, P::kDefault}), "i-2") << "in the order of the list";
}

// The rule as AWS tells it, which looks at all candidates anew for each victim: the zone step, then one policy after
// the other keeps those for whom it says the least.
using Key = std::function<std::int64_t(const Instance&)>;

std::vector<const Instance*> least(const std::vector<const Instance*>& candidates, const Key& key) {
  std::int64_t least = INT64_MAX;
  for (const Instance* one : candidates) least = std::min(least, key(*one));
  std::vector<const Instance*> kept;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(kept),
               [&](const Instance* one) { return key(*one) == least; });
  return kept;
}

const Instance& told_by_aws(std::vector<const Instance*> candidates, const std::vector<ZoneLoad>& zones, Rng& rng) {
  std::set<ZoneName> eligible;
  for (const Instance* one : candidates) eligible.insert(one->zone);
  const std::set<ZoneName> fullest = fullest_zones(zones, eligible);
  std::erase_if(candidates, [&](const Instance* one) { return !fullest.contains(one->zone); });
  candidates = least(candidates, [](const Instance& one) { return one.template_name == "web" ? 1 : 0; });
  candidates =
      least(candidates, [](const Instance& one) { return one.template_name == "web" ? one.template_version : 0; });
  candidates = least(candidates, [](const Instance& one) { return (1h - (kNow - one.launched) % 1h).count(); });
  return *candidates[candidates.size() == 1 ? 0 : rng.below(candidates.size())];
}

TEST(TerminationPolicy, OneVictimAfterTheOtherIsAsIfEachWereChosenAnew) {
  Rng draw(3);
  for (int round = 0; round < 300; ++round) {
    std::deque<Instance> instances;
    for (int i = 0; i < 25; ++i) {
      // Few ages, versions and zones: many equals, in one zone and in several.
      const Duration age = std::chrono::minutes(20 * (1 + draw.below(3)));
      instances.push_back(make(i, "zone-" + std::to_string(draw.below(3)), 1 + static_cast<int>(draw.below(2)), age,
                               draw.below(10) == 0 ? "other" : "web"));
    }
    std::vector<const Instance*> candidates = pointers(instances);
    std::erase_if(candidates, [&](const Instance*) { return draw.below(5) == 0; });  // protected, say
    std::vector<ZoneLoad> zones = loads(instances);
    zones.front().enabled = draw.below(4) != 0;
    Victims victims(candidates, {TerminationPolicy::kDefault}, {"web", 2}, kNow, 1h);
    Rng ours(static_cast<std::uint64_t>(round)), theirs = ours;
    while (!candidates.empty()) {
      const Instance& expected = told_by_aws(candidates, zones, theirs);
      ASSERT_FALSE(victims.empty());
      ASSERT_EQ(victims.take(zones, ours).id, expected.id) << "round " << round;
      std::erase(candidates, &expected);
      for (ZoneLoad& zone : zones) zone.instances -= zone.zone == expected.zone ? 1 : 0;
    }
    EXPECT_TRUE(victims.empty());
    EXPECT_EQ(ours, theirs);
  }
}

/// Whether `a` goes before `b` by that policy alone, `among` those that there are to choose from.
bool goes_before(TerminationPolicy policy, const Instance& a, const Instance& b,
                 const std::vector<const Instance*>& among) {
  const auto other = [](const Instance& one) { return one.template_name != "web"; };
  const auto to_next_hour = [](const Instance& one) { return 60min - (kNow - one.launched) % 60min; };
  switch (policy) {
    case TerminationPolicy::kOldestInstance:
      return a.launched < b.launched;
    case TerminationPolicy::kNewestInstance:
      return a.launched > b.launched;
    case TerminationPolicy::kClosestToNextInstanceHour:
      return to_next_hour(a) < to_next_hour(b);
    case TerminationPolicy::kOldestLaunchTemplate:
    case TerminationPolicy::kDefault: {
      // First what is of another template than the group's, whatever its version; else the oldest version.
      const bool any = std::any_of(among.begin(), among.end(), [&](const Instance* one) { return other(*one); });
      const int by_template = any ? other(b) - other(a) : a.template_version - b.template_version;
      if (by_template != 0 || policy == TerminationPolicy::kOldestLaunchTemplate) return by_template < 0;
      return to_next_hour(a) < to_next_hour(b);
    }
    case TerminationPolicy::kOldestLaunchConfiguration:
    case TerminationPolicy::kAllocationStrategy:
      return false;  // there are no launch configurations and no mixed instances
  }
  return false;
}

/// Those that nobody goes before.
std::vector<const Instance*> first_by(TerminationPolicy policy, const std::vector<const Instance*>& among) {
  std::vector<const Instance*> first;
  for (const Instance* one : among) {
    const bool beaten = std::any_of(among.begin(), among.end(),
                                    [&](const Instance* by) { return goes_before(policy, *by, *one, among); });
    if (!beaten) first.push_back(one);
  }
  return first;
}

TEST(TerminationPolicy, EachAndEachBeforeEachOtherForEverySizeUpToTen) {
  constexpr int kPolicies = 7;
  for (int total = 1; total <= 10; ++total) {
    // Of the group's template in two versions, and of another one in two.
    every_filling(4, total, [&](const std::vector<int>& cells) {
      std::deque<Instance> instances;
      for (std::size_t cell = 0; cell < cells.size(); ++cell) {
        for (int i = 0; i < cells[cell]; ++i) {
          const int number = static_cast<int>(instances.size());
          // Ages of 20, 45, 70, 95 minutes, so some have the same, and the oldest is not the closest to its hour.
          const Duration age = std::chrono::minutes(20 + 25 * ((number * 3) % 4));
          instances.push_back(make(number, "a", static_cast<int>(cell % 2) + 1, age, cell < 2 ? "web" : "other"));
        }
      }
      for (int i = 0; i < kPolicies * kPolicies; ++i) {
        const auto one = static_cast<TerminationPolicy>(i / kPolicies);
        const auto next = static_cast<TerminationPolicy>(i % kPolicies);
        const std::vector<const Instance*> expected = first_by(next, first_by(one, pointers(instances)));
        const std::string chosen = victim(instances, {one, next}, static_cast<std::uint64_t>(total));
        const bool is_expected =
            std::any_of(expected.begin(), expected.end(), [&](const Instance* e) { return e->id.value == chosen; });
        ASSERT_TRUE(is_expected) << chosen << " by " << to_string(one) << ", " << to_string(next) << " of "
                                 << testing::PrintToString(cells);
      }
    });
  }
}

TEST(TerminationPolicy, EqualsAreDrawn) {
  const std::deque<Instance> instances{make(1, "a", 2, 5min), make(2, "a", 2, 5min), make(3, "a", 2, 5min)};
  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 300; ++seed) ++drawn[victim(instances, {TerminationPolicy::kDefault}, seed)];
  EXPECT_EQ(drawn.size(), 3u);
  for (const auto& [id, times] : drawn) EXPECT_NEAR(times, 100, 30) << id;  // 3.7 standard deviations of 8.2
}

}  // namespace
}  // namespace rr::sim
