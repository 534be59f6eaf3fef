// Zone choice, exhaustively for groups of up to 10 instances over 1 to 3 zones.
#include "sim/cloud/zone_balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

namespace rr::sim {
namespace {

std::vector<ZoneLoad> loads(const std::vector<int>& counts) {
  std::vector<ZoneLoad> zones;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    zones.push_back({ZoneName(std::string("zone-") + static_cast<char>('a' + i)), counts[i], true});
  }
  return zones;
}

/// Calls for every way to spread `total` instances over `zones` zones.
void every_spread(int zones, int total, const std::function<void(const std::vector<int>&)>& call,
                  std::vector<int> so_far = {}) {
  if (zones == 1) {
    so_far.push_back(total);
    return call(so_far);
  }
  for (int here = 0; here <= total; ++here) {
    std::vector<int> next = so_far;
    next.push_back(here);
    every_spread(zones - 1, total - here, call, next);
  }
}

int& at(std::vector<ZoneLoad>& zones, const ZoneName& name) {
  return std::find_if(zones.begin(), zones.end(), [&](const ZoneLoad& z) { return z.zone == name; })->instances;
}

TEST(ZoneBalance, LaunchesGoToTheFewestAndScaleInsToTheMost) {
  for (int zone_count = 1; zone_count <= 3; ++zone_count) {
    for (int total = 0; total <= 10; ++total) {
      every_spread(zone_count, total, [&](const std::vector<int>& counts) {
        std::vector<ZoneLoad> zones = loads(counts);
        const int least = *std::min_element(counts.begin(), counts.end());
        const int most = *std::max_element(counts.begin(), counts.end());
        const auto emptiest = emptiest_zone(zones, {});
        ASSERT_TRUE(emptiest.has_value());
        EXPECT_EQ(at(zones, *emptiest), least);
        std::set<ZoneName> occupied;
        for (const ZoneLoad& zone : zones) {
          if (zone.instances > 0) occupied.insert(zone.zone);
        }
        const std::set<ZoneName> fullest = fullest_zones(zones, occupied);
        for (const ZoneLoad& zone : zones) {
          EXPECT_EQ(fullest.contains(zone.zone), zone.instances == most && most > 0);
        }
        EXPECT_EQ(zone_to_fill(zones, {}).has_value(), most - least >= 2);
      });
    }
  }
}

TEST(ZoneBalance, MovingOneAtATimeEndsBalancedInTheCountedMoves) {
  for (int zone_count = 2; zone_count <= 3; ++zone_count) {
    for (int total = 0; total <= 10; ++total) {
      every_spread(zone_count, total, [&](const std::vector<int>& counts) {
        std::vector<ZoneLoad> zones = loads(counts);
        const int expected = moves_to_balance(zones);
        int moves = 0;
        while (const auto fill = zone_to_fill(zones, {})) {
          ++at(zones, *fill);  // launch before terminate
          std::set<ZoneName> all;
          for (const ZoneLoad& zone : zones) all.insert(zone.zone);
          --at(zones, *fullest_zones(zones, all).begin());
          ASSERT_LE(++moves, total);
        }
        EXPECT_EQ(moves, expected);
      });
    }
  }
}

TEST(ZoneBalance, ARefusingZoneIsPassedOver) {
  const std::vector<ZoneLoad> zones = loads({0, 2, 3});
  EXPECT_EQ(emptiest_zone(zones, {ZoneName("zone-a")}), ZoneName("zone-b"));
  EXPECT_EQ(emptiest_zone(zones, {ZoneName("zone-a"), ZoneName("zone-b"), ZoneName("zone-c")}), std::nullopt);
  EXPECT_EQ(zone_to_fill(zones, {ZoneName("zone-a")}), std::nullopt) << "2 and 3 are balanced";
}

TEST(ZoneBalance, AZoneThatIsNoLongerUsedIsEmptiedFirst) {
  std::vector<ZoneLoad> zones = loads({1, 1});
  zones[1].enabled = false;
  EXPECT_EQ(emptiest_zone(zones, {}), ZoneName("zone-a"));
  EXPECT_EQ(zone_to_fill(zones, {}), ZoneName("zone-a"));
  EXPECT_EQ(fullest_zones(zones, {ZoneName("zone-a"), ZoneName("zone-b")}), (std::set<ZoneName>{ZoneName("zone-b")}));
  EXPECT_EQ(moves_to_balance(zones), 1);
}

}  // namespace
}  // namespace rr::sim
