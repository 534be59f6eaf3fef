// Which zone is launched into, and which one gives an instance up: whole plans, exhaustively for groups of 1 to 10
// instances over 2 and 3 zones, with every set of zones that refuse launches, beside oracles that only count.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "sim/cloud/reconciler.h"

namespace rr::sim {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::hours(500'000)};
constexpr int kMost = 10;

using Counts = std::vector<int>;

ZoneName zone(std::size_t number) { return ZoneName(std::string(1, static_cast<char>('a' + number))); }
std::size_t number(const ZoneName& name) { return static_cast<std::size_t>(name.value[0] - 'a'); }

/// Every way to spread `total` over `zones` zones.
std::vector<Counts> spreads(std::size_t zones, int total) {
  if (zones == 1) return {{total}};
  std::vector<Counts> all;
  for (int first = 0; first <= total; ++first) {
    for (Counts rest : spreads(zones - 1, total - first)) {
      rest.insert(rest.begin(), first);
      all.push_back(rest);
    }
  }
  return all;
}

int sum(const Counts& counts) {
  int all = 0;
  for (const int count : counts) all += count;
  return all;
}
int gap(const Counts& counts) {
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  return *most - *least;
}

/// A group of instances that are in service, `counts` of them in each zone; all were launched at another time.
struct Spread {
  Group group;
  std::map<InstanceId, Instance> instances;
  GroupCounts counts;
  Rng rng{1};

  Spread(const Counts& wanted, int desired) {
    group.settings.min_size = 0;
    group.settings.max_size = kMost;
    group.desired_capacity = desired;
    int made = 0;
    for (std::size_t at = 0; at < wanted.size(); ++at) {
      group.settings.zones.push_back(zone(at));
      for (int i = 0; i < wanted[at]; ++i) add(zone(at), made++);
    }
  }
  void add(const ZoneName& where, int turn) {
    Instance instance;
    instance.id = InstanceId("i-" + std::to_string(turn));
    instance.zone = where;
    instance.lifecycle = LifecycleState::kInService;
    instance.ec2 = InstanceState::kRunning;
    instance.settled_at = kNow - 1h;
    instance.launched = kNow - 1min * (1 + turn * 7 % 11);  // 11 is prime: an order of its own, and no two alike
    counts.count(instance, 1);
    instances.emplace(instance.id, instance);
  }
  void protect(const InstanceId& id) { instances.at(id).protected_from_scale_in = true; }
  void refuse(std::size_t zones) {
    for (std::size_t at = 0; at < group.settings.zones.size(); ++at) {
      if ((zones >> at & 1U) != 0) group.refused_until[zone(at)] = kNow + 1min;
    }
  }
  Plan plan() {
    return reconcile({.group = group, .instances = instances, .counts = counts, .current = {"web", 1}, .hour = 1h},
                     kNow, rng);
  }
};

std::vector<std::size_t> launched(const Plan& plan) {
  std::vector<std::size_t> zones;
  for (const Plan::Launch& launch : plan.launch) zones.push_back(number(launch.zone));
  return zones;
}

/// The first of the zones with the fewest that are in `allowed`.
std::optional<std::size_t> fewest(const Counts& counts, const std::function<bool(std::size_t)>& allowed) {
  std::optional<std::size_t> best;
  for (std::size_t at = 0; at < counts.size(); ++at) {
    if (allowed(at) && (!best || counts[at] < counts[*best])) best = at;
  }
  return best;
}

bool refuses(std::size_t refusing, std::size_t at) { return (refusing >> at & 1U) != 0; }

TEST(ZoneChoice, EachLaunchGoesWhereTheFewestAreAndNoneIsRefused) {
  for (std::size_t zones = 2; zones <= 3; ++zones) {
    for (int total = 0; total < kMost; ++total) {
      for (const Counts& spread : spreads(zones, total)) {
        for (std::size_t refusing = 0; refusing < (1U << zones); ++refusing) {
          for (int desired = total + 1; desired <= kMost; ++desired) {
            for (const bool balanced_only : {false, true}) {
              Spread tier(spread, desired);
              tier.refuse(refusing);
              if (balanced_only) {
                tier.group.settings.capacity_distribution_strategy = CapacityDistributionStrategy::kBalancedOnly;
              }
              std::vector<std::size_t> expected;
              Counts counts = spread;
              while (sum(counts) < desired) {
                // Balanced only: it waits for the zone whose turn it is.
                const auto next =
                    fewest(counts, [&](std::size_t at) { return balanced_only || !refuses(refusing, at); });
                if (!next || refuses(refusing, *next)) break;
                expected.push_back(*next);
                ++counts[*next];
              }
              const Plan plan = tier.plan();
              ASSERT_EQ(launched(plan), expected)
                  << testing::PrintToString(spread) << " to " << desired << ", refusing " << refusing
                  << (balanced_only ? ", balanced only" : "");
              ASSERT_TRUE(plan.terminate.empty());
              ASSERT_EQ(plan.look_at.has_value(), sum(counts) < desired);
            }
          }
        }
      }
    }
  }
}

/// Who goes: of the zones that have most, among those where one may go, the oldest one.
std::optional<InstanceId> next_victim(const std::map<InstanceId, Instance>& left) {
  std::map<ZoneName, int> counts;
  std::set<ZoneName> possible;
  for (const auto& [id, one] : left) {
    ++counts[one.zone];
    if (!one.protected_from_scale_in) possible.insert(one.zone);
  }
  int most = 0;
  for (const ZoneName& where : possible) most = std::max(most, counts[where]);
  const Instance* oldest = nullptr;
  for (const auto& [id, one] : left) {
    if (one.protected_from_scale_in || counts[one.zone] != most) continue;
    if (oldest == nullptr || one.launched < oldest->launched) oldest = &one;
  }
  return oldest == nullptr ? std::nullopt : std::optional(oldest->id);
}

TEST(ZoneChoice, TheFullestZoneGivesUpBeforeAnyPolicyIsAsked) {
  for (std::size_t zones = 2; zones <= 3; ++zones) {
    for (int total = 1; total <= kMost; ++total) {
      for (const Counts& spread : spreads(zones, total)) {
        for (int desired = 0; desired < total; ++desired) {
          for (const int protect_every : {0, 2, 3}) {
            Spread tier(spread, desired);
            tier.group.settings.termination_policies = {TerminationPolicy::kOldestInstance};
            for (int i = 0; protect_every > 0 && i < total; i += protect_every) {
              tier.protect(InstanceId("i-" + std::to_string(i)));
            }
            std::map<InstanceId, Instance> left = tier.instances;
            std::vector<InstanceId> expected;
            while (static_cast<int>(left.size()) > desired) {
              const auto victim = next_victim(left);
              if (!victim) break;
              expected.push_back(*victim);
              left.erase(*victim);
            }
            const Plan plan = tier.plan();
            std::vector<InstanceId> found;
            for (const Plan::Terminate& one : plan.terminate) found.push_back(one.instance);
            ASSERT_EQ(found, expected) << testing::PrintToString(spread) << " to " << desired;
            ASSERT_EQ(plan.all_protected, static_cast<int>(left.size()) > desired);
            ASSERT_TRUE(plan.launch.empty());
          }
        }
      }
    }
  }
}

/// The fewest instances that have to be somewhere else for no two zones to differ by more than one: of all ways to
/// spread as many.
int fewest_moves(const Counts& from) {
  int best = sum(from);
  for (const Counts& to : spreads(from.size(), sum(from))) {
    if (gap(to) > 1) continue;
    int moves = 0;
    for (std::size_t at = 0; at < from.size(); ++at) moves += std::max(0, to[at] - from[at]);
    best = std::min(best, moves);
  }
  return best;
}

TEST(ZoneChoice, BalancingLaunchesAsManyAsHaveToMoveAndNoMoreThanMayBe) {
  for (std::size_t zones = 2; zones <= 3; ++zones) {
    for (int total = 1; total <= kMost; ++total) {
      for (const Counts& spread : spreads(zones, total)) {
        for (std::size_t refusing = 0; refusing < (1U << zones); ++refusing) {
          Spread tier(spread, total);
          tier.refuse(refusing);
          // A tenth of max (10), at least one, above max.
          const int may = std::min(fewest_moves(spread), kMost + 1 - total);
          std::vector<std::size_t> expected;
          Counts counts = spread;
          while (static_cast<int>(expected.size()) < may) {
            const auto next = fewest(counts, [&](std::size_t at) { return !refuses(refusing, at); });
            if (!next || *std::max_element(counts.begin(), counts.end()) - counts[*next] < 2) break;
            expected.push_back(*next);
            ++counts[*next];
          }
          const Plan plan = tier.plan();
          ASSERT_EQ(launched(plan), expected) << testing::PrintToString(spread) << ", refusing " << refusing;
          ASSERT_TRUE(plan.terminate.empty()) << "launch before terminate";
          for (const Plan::Launch& one : plan.launch) ASSERT_EQ(one.reason, ChangeReason::kRebalance);
          if (refusing != 0 || may < fewest_moves(spread)) continue;
          // With the trials settled as many go from the fullest, and what is left is even.
          for (int left = static_cast<int>(expected.size()); left > 0; --left) {
            --*std::max_element(counts.begin(), counts.end());
          }
          ASSERT_LE(gap(counts), 1) << testing::PrintToString(spread);
        }
      }
    }
  }
}

TEST(ZoneChoice, AZoneThatTheGroupHasLeftIsEmptiedFirst) {
  for (std::size_t zones = 2; zones <= 3; ++zones) {
    for (int total = 1; total <= kMost; ++total) {
      for (const Counts& spread : spreads(zones, total)) {
        const int stranded = spread.back();
        Spread shrinking(spread, 0);
        shrinking.group.settings.zones.pop_back();
        const Plan plan = shrinking.plan();
        ASSERT_EQ(plan.terminate.size(), static_cast<std::size_t>(total));
        for (int i = 0; i < total; ++i) {
          const InstanceId& id = plan.terminate[static_cast<std::size_t>(i)].instance;
          ASSERT_EQ(number(shrinking.instances.at(id).zone) == zones - 1, i < stranded)
              << testing::PrintToString(spread);
        }
        Spread steady(spread, total);
        steady.group.settings.zones.pop_back();
        for (const std::size_t at : launched(steady.plan())) ASSERT_LT(at, zones - 1);
        ASSERT_EQ(steady.plan().launch.empty(), stranded == 0 && gap({spread.begin(), spread.end() - 1}) < 2);
      }
    }
  }
}

}  // namespace
}  // namespace rr::sim
